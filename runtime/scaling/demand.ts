/**
 * What a job needs, in cores: work that is offered, not work that got done. Decisions are made from it.
 *
 * @module
 */

import type { HotKey, LoadSnapshot } from "./load_snapshot.ts";

/** What a key group needs. */
export interface GroupDemand {
  readonly group: number;
  readonly worker: number;
  /** Cores for the rows that come, and for those that wait, smoothed. */
  readonly cores: number;
  readonly oldestMs: number;
  /** Bytes of state that move with it. */
  readonly bytes: number;
  readonly keys: readonly HotKey[];
}

/** What a worker has to do. Shares are of the interval, 0 to 1. */
export interface WorkerDemand {
  readonly worker: number;
  /** Cores for its key groups and all else that it does. More than 1 is more than it can do. */
  readonly load: number;
  /** Cores for what is not work of key groups: reading, decoding, routing, garbage collection. Smoothed. */
  readonly overhead: number;
  /** CPU time, or busy time where that is not known. */
  readonly cpu: number;
  readonly backPressured: number;
  /** Time for which it waited for a core; 0 where that is not known. */
  readonly starved: number;
  readonly gc: number;
  readonly ageMs: number;
}

/** What a job needs at one moment. */
export interface LoadView {
  readonly at: number;
  readonly intervalMs: number;
  readonly workers: readonly WorkerDemand[];
  readonly groups: readonly GroupDemand[];
  /** Cores for everything, smoothed: the sum of the workers' loads. */
  readonly cores: number;
  /** The same by the last snapshot alone. */
  readonly coresNow: number;
  readonly rowsPerSecond: number;
  /** As in the snapshot. */
  readonly lagMs: number;
  /** By how much the lag grows in a ms, ms; below 0 while the job catches up. */
  readonly lagGrowth: number;
  /** How long the oldest waiting row has waited, ms. */
  readonly oldestMs: number;
  readonly underWay: LoadSnapshot["underWay"];
}

/**
 * How many workers it takes to have none busier than `target`. A key group that needs more than that gets a worker for
 * itself, and no more than one: it can't be cut by moving it.
 *
 * @param level cores for everything; key groups keep their proportions
 * @param target share of a worker's time, 0 to 1
 */
export function workersNeeded(load: LoadView, level: number, target: number): number {
  const factor = factorTo(load, level);
  let alone = 0;
  let rest = level;
  for (const { cores } of load.groups) {
    if (cores * factor <= target) continue;
    alone++;
    rest -= cores * factor;
  }
  // Differences of sums are not exact: a hair more than a whole number of workers is that number.
  return Math.max(1, alone + Math.ceil(rest / target - 1e-9));
}

/** Cores that workers can spend on it: those of a key group that needs more than one count as one. */
export function usableCores(load: LoadView, level: number): number {
  const factor = factorTo(load, level);
  return load.groups.reduce((sum, { cores }) => sum - Math.max(0, cores * factor - 1), level);
}

/** The largest load of a worker. */
export function maxLoad(load: LoadView): number {
  return load.workers.reduce((max, worker) => Math.max(max, worker.load), 0);
}

/** The load as it would be with so many cores for everything, all in proportion. */
export function atLevel(load: LoadView, level: number): LoadView {
  const factor = factorTo(load, level);
  return {
    ...load,
    cores: level,
    groups: load.groups.map((group) => ({ ...group, cores: group.cores * factor })),
    workers: load.workers.map((worker) => ({
      ...worker,
      load: worker.load * factor,
      overhead: worker.overhead * factor,
    })),
  };
}

function factorTo({ cores }: LoadView, level: number): number {
  return cores === 0 ? 1 : level / cores;
}
