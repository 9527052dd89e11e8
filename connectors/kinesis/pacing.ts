/**
 * How often a shard may be read. The service allows five GetRecords calls and 2 MB a second per shard, shared by all who
 * poll it; whoever goes over is throttled. Both limits are token buckets as pure functions: the reader keeps the state
 * and does the waiting.
 *
 * Neither bucket saves up: an answer of 10 MiB blocks the shard for five seconds on the service's side however
 * quiet it was before, so credit for quiet times would only buy throttles.
 *
 * @module
 */

/** GetRecords calls a second per shard (Kinesis quota). */
export const CALLS_PER_SECOND_MAX = 5;
/** Bytes a second per shard (Kinesis quota). */
export const BYTES_PER_SECOND_MAX = 2 * 1024 * 1024;
/** After an empty answer at the tip, the next question comes this much later: as Flink's connector. */
export const IDLE_POLL_MS = 250;
/** A shard that stays quiet is asked less often, down to this: what AWS recommends to leave room for other readers. */
export const IDLE_POLL_MS_MAX = 1000;
/** So many empty answers at the tip until the interval grows by another `IDLE_POLL_MS`: about 20 s to the slowest. */
export const IDLE_ANSWERS_PER_STEP = 20;

/** What one shard may still do, in calls and bytes; negative is debt. */
export interface Allowance {
  readonly calls: number;
  readonly bytes: number;
  /** When the above was true, ms on a monotonic clock. */
  readonly atMs: number;
}

/** A shard that was never read. */
export const FULL_ALLOWANCE: Allowance = { calls: 1, bytes: 0, atMs: -Infinity };

/**
 * How long to wait before the next call, in ms; 0 if it may go now.
 *
 * @example Five calls a second
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { allowanceAfter, FULL_ALLOWANCE, waitMs } from "./pacing.ts";
 * const after = allowanceAfter(FULL_ALLOWANCE, 100, 1000);
 * assertEquals([waitMs(after, 1000), waitMs(after, 1150), waitMs(after, 1200)], [200, 50, 0]);
 * ```
 */
export function waitMs(allowance: Allowance, nowMs: number): number {
  const { calls, bytes } = refilled(allowance, nowMs);
  return Math.max(
    0,
    (1 - calls) * 1000 / CALLS_PER_SECOND_MAX,
    -bytes * 1000 / BYTES_PER_SECOND_MAX,
  );
}

/** What is left after a call at `nowMs` whose answer had `bytes` bytes of records. */
export function allowanceAfter(allowance: Allowance, bytes: number, nowMs: number): Allowance {
  const before = refilled(allowance, nowMs);
  return { calls: before.calls - 1, bytes: before.bytes - bytes, atMs: nowMs };
}

/** How long to rest after the given number of empty answers in a row at the tip, in ms. */
export function idleMs(emptyAnswers: number): number {
  const steps = 1 + Math.floor(Math.max(0, emptyAnswers - 1) / IDLE_ANSWERS_PER_STEP);
  return Math.min(IDLE_POLL_MS_MAX, IDLE_POLL_MS * steps);
}

function refilled({ calls, bytes, atMs }: Allowance, nowMs: number): Allowance {
  const seconds = Math.max(0, nowMs - atMs) / 1000;
  return {
    calls: Math.min(1, calls + seconds * CALLS_PER_SECOND_MAX),
    bytes: Math.min(0, bytes + seconds * BYTES_PER_SECOND_MAX),
    atMs: nowMs,
  };
}
