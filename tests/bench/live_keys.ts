/**
 * The size of the checkpoint benchmark's state, the same in the job and in what measures it.
 *
 * @module
 */

/** Keys with state. */
export const LIVE_KEYS = 1_000_000;
/** Keys that change from one checkpoint to the next. */
export const LIVE_KEYS_CHANGED = 10_000;
/** How long there is nothing to read between two rounds. */
export const ROUND_MS = 1500;
