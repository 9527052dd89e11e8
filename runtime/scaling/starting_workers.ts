/**
 * What a job starts with: how many workers, and how their number may change. Pure.
 *
 * @module
 */

import { scalingBounds, type ScalingOptions, scalingPolicy } from "./scaling_options.ts";

/** Workers of a job that doesn't say. */
export const WORKERS = 2;

/** What is asked for, as in the options of `startJob`. */
export interface WorkerOptions {
  readonly workers?: number | undefined;
  readonly parallelism?: number | undefined;
  readonly rebalance?: boolean | undefined;
  readonly scaling?: ScalingOptions | undefined;
}

/** What a job starts with. */
export interface StartingWorkers {
  readonly workers: number;
  /** Of these, how many share each keyed stage. */
  readonly parallelism: number;
  /** How key groups move; undefined where they stay. Without `options` the number of workers stays. */
  readonly scaling:
    | { readonly options: ScalingOptions | undefined; readonly cores: number }
    | undefined;
}

/**
 * The workers that a job starts with. With `scaling` and without `workers` that is {@linkcode WORKERS}, or the nearest
 * number that the bounds allow.
 *
 * @param url the job, for errors
 * @param cores what the job may use
 * @throws {RangeError} if an option is out of range, or `workers` is outside of the bounds
 * @throws {TypeError} if options contradict each other
 *
 * @example From one to three workers
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { startingWorkers } from "./starting_workers.ts";
 * const { workers, parallelism } = startingWorkers("job.ts", { scaling: { maxWorkers: 3 } }, 8);
 * assertEquals([workers, parallelism], [2, 2]);
 * ```
 */
export function startingWorkers(
  url: string,
  { workers, parallelism, rebalance = true, scaling }: WorkerOptions,
  cores: number,
): StartingWorkers {
  if (workers !== undefined && (!Number.isInteger(workers) || workers < 1)) {
    throw new RangeError(
      `Cannot start ${url} on ${workers} workers: expected a whole number from 1`,
    );
  }
  if (scaling !== undefined) {
    if (!rebalance) {
      throw new TypeError(
        `Cannot scale ${url} with rebalance: false, since new workers get their key groups by moves; ` +
          "leave rebalance or scaling out",
      );
    }
    const count = scaledWorkers(url, workers, scaling, cores);
    if (parallelism !== undefined && parallelism !== count) {
      throw new RangeError(
        `Cannot spread ${url} over ${parallelism} workers while their number changes: all of them share ` +
          "its keyed stages; leave parallelism out",
      );
    }
    return { workers: count, parallelism: count, scaling: { options: scaling, cores } };
  }
  const count = workers ?? WORKERS;
  const spread = parallelism ?? count;
  if (!Number.isInteger(spread) || spread < 1 || spread > count) {
    throw new RangeError(
      `Cannot spread ${url} over ${spread} of ${count} workers: expected 1 to ${count}`,
    );
  }
  const isMoving = rebalance && spread > 1;
  return {
    workers: count,
    parallelism: spread,
    scaling: isMoving ? { options: undefined, cores } : undefined,
  };
}

function scaledWorkers(
  url: string,
  workers: number | undefined,
  scaling: ScalingOptions,
  cores: number,
): number {
  scalingPolicy(scaling);
  // How many key groups there are is known when the job has been built.
  const { minWorkers, maxWorkers } = scalingBounds(scaling, {
    cores,
    keyGroups: Number.MAX_SAFE_INTEGER,
  });
  if (workers === undefined) return Math.min(maxWorkers, Math.max(minWorkers, WORKERS));
  if (workers >= minWorkers && workers <= maxWorkers) return workers;
  throw new RangeError(
    `Cannot start ${url} on ${workers} workers, which scaling does not allow: expected ${minWorkers} to ` +
      `${maxWorkers}` +
      (scaling.maxWorkers === undefined
        ? `; unless a maximum is given it is one less than the ${cores} cores that there are`
        : ""),
  );
}
