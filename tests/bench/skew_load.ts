/**
 * The load of the skew benchmark, the same in the job and in what measures it.
 *
 * @module
 */

/** Shards of its source. */
export const SKEW_SHARDS = 4;
/** The stage that does the work. */
export const SKEW_STAGE = "sum";
