/**
 * How a job is scaled: by which policy, and within which bounds. Pure.
 *
 * @module
 */

import { kinesisDataAnalytics } from "./kinesis_data_analytics.ts";
import { responsive } from "./responsive.ts";
import type { ScalingBounds, ScalingPolicy, ScalingRule } from "./scaling_policy.ts";

/** Policies that have a name. */
export const SCALING_POLICIES = ["responsive", "kinesis-data-analytics", "none"] as const;
/** The name of one. */
export type ScalingPolicyName = typeof SCALING_POLICIES[number];

/** Options of scaling. */
export interface ScalingOptions {
  /**
   * Says how many workers there should be: by name, one of `responsive()` with other options, or a function of your own.
   * `"responsive"` by default. `"none"`: the number stays; key groups move between the workers there are.
   */
  readonly policy?: ScalingPolicyName | ScalingPolicy | ScalingRule;
  /** Never fewer workers. Default 1. */
  readonly minWorkers?: number;
  /** Never more. Default: the cores that the job may use, but for one, which sources and the supervisor need. */
  readonly maxWorkers?: number;
  /** What is configured: no policy goes below. Default `minWorkers`. */
  readonly parallelism?: number;
}

/**
 * The bounds that options ask for, on a machine. `minWorkers` is the floor in force: never below `parallelism`.
 *
 * @param machine.cores what the job may use, see `usableCoresOf`
 * @param machine.keyGroups the job's `maxParallelism`: a worker without a key group has nothing to do
 * @throws {RangeError} if an option is out of range, or the bounds leave no number
 *
 * @example All cores but one
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { scalingBounds } from "./scaling_options.ts";
 * assertEquals(scalingBounds({ parallelism: 2 }, { cores: 8, keyGroups: 128 }), {
 *   minWorkers: 2,
 *   maxWorkers: 7,
 *   parallelism: 2,
 * });
 * ```
 */
export function scalingBounds(
  options: ScalingOptions,
  { cores, keyGroups }: { readonly cores: number; readonly keyGroups: number },
): ScalingBounds {
  const whole = (what: string, value: number) => {
    if (Number.isSafeInteger(value) && value >= 1) return value;
    throw new RangeError(
      `Cannot scale with ${what} ${value}: expected a whole number from 1`,
    );
  };
  const least = whole("minWorkers", options.minWorkers ?? 1);
  const parallelism = whole("parallelism", options.parallelism ?? least);
  const minWorkers = Math.max(least, parallelism);
  // Where nothing is said, what is configured outweighs what the machine has.
  const spare = Math.max(minWorkers, Math.floor(cores) - 1, 1);
  const most = whole("maxWorkers", options.maxWorkers ?? spare);
  const maxWorkers = Math.min(most, keyGroups);
  if (minWorkers > maxWorkers) {
    throw new RangeError(
      `Cannot scale between ${minWorkers} and ${maxWorkers} workers: minWorkers is ${least}, ` +
        `parallelism ${parallelism}, maxWorkers ${most}, and there are ${keyGroups} key groups; ` +
        "expected minWorkers and parallelism to be at most maxWorkers, and that at most the key groups",
    );
  }
  return { minWorkers, maxWorkers, parallelism };
}

/** The policy that options ask for. */
export function scalingPolicy({ policy = "responsive" }: ScalingOptions): ScalingPolicy {
  switch (policy) {
    case "responsive":
      return responsive();
    case "kinesis-data-analytics":
      return kinesisDataAnalytics();
    case "none":
      return {
        name: "none",
        begin: () => (_load, { workers }) => ({ workers, because: "the number is fixed" }),
      };
    default:
      return typeof policy === "function"
        ? { name: policy.name === "" ? "function" : policy.name, begin: () => policy }
        : policy;
  }
}
