/**
 * When checkpoints are taken, how long one may take, and how many may fail. Pure.
 *
 * @module
 */

import { type Duration, milliseconds } from "../duration.ts";

/** How a job is checkpointed. */
export interface CheckpointOptions {
  /** From the beginning of one checkpoint to that of the next. Default 10 s. */
  readonly interval?: Duration;
  /** A checkpoint that takes longer is given up. Default 10 minutes, as Flink's. */
  readonly timeout?: Duration;
  /** Least time from the end of one to the beginning of the next. Default none. */
  readonly minPause?: Duration;
  /** Checkpoints kept; older ones are removed. Default 3: one that is damaged does not cost the state. */
  readonly keep?: number;
  /**
   * Checkpoints in a row that may fail; the next failure fails the attempt, and the job starts again from the last one
   * that did not. Default 3.
   */
  readonly toleratedFailures?: number;
}

/** The same, checked and in ms. */
export interface CheckpointPolicy {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly minPauseMs: number;
  readonly keep: number;
  readonly toleratedFailures: number;
}

/**
 * The policy that options ask for.
 *
 * @throws {RangeError} if an option is out of range
 *
 * @example A checkpoint a second
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { checkpointPolicy } from "./checkpoint_policy.ts";
 * assertEquals(checkpointPolicy({ interval: "1s" }).intervalMs, 1000);
 * ```
 */
export function checkpointPolicy(options: CheckpointOptions): CheckpointPolicy {
  const { interval = "10s", timeout = "10m", minPause = 0, keep = 3, toleratedFailures = 3 } =
    options;
  const whole = (what: string, value: number, least: number) => {
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new RangeError(
      `Cannot take checkpoints with ${what} ${value}: expected a whole number from ${least}`,
    );
  };
  return {
    intervalMs: whole("interval", milliseconds(interval), 1),
    timeoutMs: whole("timeout", milliseconds(timeout), 1),
    minPauseMs: whole("minPause", milliseconds(minPause), 0),
    keep: whole("keep", keep, 1),
    toleratedFailures: whole("toleratedFailures", toleratedFailures, 0),
  };
}

/**
 * How long to wait before the next checkpoint, ms.
 *
 * @param began when the last one began, or the attempt if there was none
 * @param ended when it ended
 */
export function untilNextMs(
  { intervalMs, minPauseMs }: CheckpointPolicy,
  { began, ended, now }: { began: number; ended: number; now: number },
): number {
  return Math.max(0, began + intervalMs - now, ended + minPauseMs - now);
}
