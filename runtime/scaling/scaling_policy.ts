/**
 * The contract of scaling policies: how many workers a job should have. Whether it gets them is decided in `scale.ts`.
 *
 * @module
 */

import type { LoadView } from "./demand.ts";

/** How many workers a policy wants. */
export interface ScaleWish {
  readonly workers: number;
  /** The figures that say so, for the log: `"demand is 3.1 cores, 103 % of 3 workers"`. */
  readonly because: string;
  /** Other numbers that were thought of, and why they are not wanted. */
  readonly considered?: readonly Alternative[];
}

/** What could have been done instead. */
export interface Alternative {
  readonly what: string;
  readonly because: string;
}

/** How many workers a job may have. */
export interface ScalingBounds {
  readonly minWorkers: number;
  readonly maxWorkers: number;
  readonly parallelism: number;
}

/** What a rule may know besides the load. */
export interface ScalingContext {
  /** Workers that there are. */
  readonly workers: number;
  readonly bounds: ScalingBounds;
  /** When the number of workers last changed, or when the job started, ms as `at` of the load. */
  readonly changedAt: number;
}

/**
 * Says how many workers a job should have, at each look at its load. It may remember what it has seen. It takes time
 * from the load only, has no effects, and is called at each look even when nothing may be changed.
 *
 * @example At least one worker per 10,000 rows a second
 * ```ts
 * import type { ScalingRule } from "./scaling_policy.ts";
 * const byRows: ScalingRule = ({ rowsPerSecond }) => ({
 *   workers: Math.max(1, Math.ceil(rowsPerSecond / 10_000)),
 *   because: `${Math.round(rowsPerSecond)} rows/s, 10000 for each worker`,
 * });
 * ```
 */
export type ScalingRule = (load: LoadView, context: ScalingContext) => ScaleWish;

/** A rule with a name; `begin` makes a fresh one for each run of a job. */
export interface ScalingPolicy {
  readonly name: string;
  begin(): ScalingRule;
}
