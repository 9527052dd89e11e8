/**
 * What rows are keyed by.
 *
 * @module
 */

/** What a stream can be keyed by. Keys are placed by their string form. */
export type Key = string | number;
