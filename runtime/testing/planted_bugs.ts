/**
 * Bugs that can be planted in the engine, to see that the simulator finds them: a checker that never fails proves
 * nothing. Nothing is planted unless a test says so; the engine asks only where a checkpoint is taken, never per row.
 *
 * @module
 */

/** Names of bugs, each a classic of its kind. */
export const PLANTED_BUGS = [
  /** What one channel brings behind its barrier is handled before the snapshot. */
  "alignment skipped on one channel",
  /** A shard's position in a checkpoint is behind what was delivered, not behind what was handled. */
  "positions committed before state",
  /** Keys are kept without their timers. */
  "timer left out of the snapshot",
  /** A checkpoint leaves out one of the keys that have changed, now and then. */
  "dirty key missed",
  /** On one channel, rows before the barrier of a hand-over go by the routing behind it. */
  "routing changed one batch early on one channel",
  /** What has changed of a group since it was copied does not go along. */
  "delta lost",
  /** A group's new worker does not wait for its keys with its watermark. */
  "watermark of a moved group ahead",
  /** A shard's new worker does not wait for what the old one has put out. */
  "shard opened before the output of its old worker has arrived",
] as const;

/** The name of a bug. */
export type PlantedBug = typeof PLANTED_BUGS[number];

/**
 * Those that are planted now, in this thread: empty but in tests of the simulator.
 *
 * @example A bug for the time of a test
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { plantedBugs } from "./planted_bugs.ts";
 * plantedBugs.add("dirty key missed");
 * plantedBugs.clear();
 * assertEquals(plantedBugs.size, 0);
 * ```
 */
export const plantedBugs: Set<PlantedBug> = new Set();
