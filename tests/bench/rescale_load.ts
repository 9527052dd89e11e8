/**
 * The load of the rescale benchmark, the same in the job and in what measures it.
 *
 * @module
 */

/** Keys with state: about 100 bytes each. */
export const RESCALE_KEYS = 1_000_000;
/** Records a second, once all keys have state. */
export const RESCALE_RATE = 50_000;
/** Spreads records over all keys: coprime to their number. */
export const RESCALE_STRIDE = 7919;
/** Records that are due together. */
export const RESCALE_TICK_MS = 10;
/** The log line that carries what a worker's sink has seen. */
export const SEEN_MESSAGE = "Seen rows";
/** Sinks tell so often. */
export const RESCALE_TELL_MS = 100;

/** What one sink has seen. */
export interface SeenRows {
  /** When it was opened, ms of its worker's clock. */
  readonly openedAt: number;
  /** Of all rows, from the start. */
  readonly rows: number;
  /** Sum of a number made of each row's key and count: equal sums mean that every row was there once. */
  readonly sum: number;
  /** From when a record was due to when its row was written, ms: of rows since the last word, one in ten. */
  readonly latencies: readonly number[];
  /** The key groups of those rows. */
  readonly groups: readonly number[];
}

/** The number of a row; sums of many stay whole. */
export function rowNumber(key: number, count: number): number {
  return (key * 31 + count * 17) % 65_521;
}
