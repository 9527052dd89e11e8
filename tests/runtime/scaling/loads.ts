/**
 * Loads for tests of single decisions.
 *
 * @module
 */

import type { GroupDemand, LoadView, WorkerDemand } from "../../../runtime/scaling/demand.ts";
import type {
  GroupLoad,
  LoadSnapshot,
  StageGroupLoad,
  WorkerLoad,
} from "../../../runtime/scaling/load_snapshot.ts";

/** A worker that has done nothing, but for what is said. */
export function workerLoad(load: Partial<WorkerLoad> = {}): WorkerLoad {
  return {
    worker: 0,
    cpuMs: 0,
    busyMs: 0,
    backPressuredMs: 0,
    runQueueMs: 0,
    gcShare: 0,
    ageMs: 60_000,
    ...load,
  };
}

const IDLE_GROUP = { group: 0, busyMs: 0, rows: 0, waiting: 0, oldestMs: 0, bytes: 0, keys: [] };

/** A key group that has done nothing, but for what is said. */
export function groupLoad(load: Partial<GroupLoad> = {}): GroupLoad {
  return {
    worker: 0,
    ...IDLE_GROUP,
    ...load,
  };
}

/** The same of one stage, `sum` unless said. */
export function stageGroupLoad(load: Partial<StageGroupLoad> = {}): StageGroupLoad {
  return {
    stage: "sum",
    ...IDLE_GROUP,
    ...load,
  };
}

/** A snapshot of a second. */
export function snapshot(load: Partial<LoadSnapshot> = {}): LoadSnapshot {
  return {
    at: 1000,
    intervalMs: 1000,
    workers: [workerLoad()],
    groups: [groupLoad()],
    lagMs: -1,
    underWay: "nothing",
    ...load,
  };
}

/** A key group that needs so many cores. */
export function group(
  group: number,
  worker: number,
  cores: number,
  more: Partial<GroupDemand> = {},
): GroupDemand {
  return { group, worker, cores, oldestMs: 0, bytes: 0, keys: [], ...more };
}

/** The load of key groups on so many workers. */
export function loadOf(
  workers: number,
  groups: readonly GroupDemand[],
  more: Partial<LoadView> & { readonly worker?: Partial<WorkerDemand> } = {},
): LoadView {
  const { worker: every = {}, ...rest } = more;
  const { overhead = 0 } = every;
  const demands = Array.from({ length: workers }, (_, worker): WorkerDemand => {
    const load = groups.reduce(
      (sum, group) => group.worker === worker ? sum + group.cores : sum,
      overhead,
    );
    return {
      worker,
      load,
      overhead,
      cpu: Math.min(1, load),
      backPressured: 0,
      starved: 0,
      gc: 0,
      ageMs: 60_000,
      ...every,
    };
  });
  const cores = demands.reduce((sum, { load }) => sum + load, 0);
  return {
    at: 100_000,
    intervalMs: 1000,
    workers: demands,
    groups,
    cores,
    coresNow: cores,
    rowsPerSecond: 1000,
    lagMs: -1,
    lagGrowth: 0,
    oldestMs: 0,
    underWay: "nothing",
    ...rest,
  };
}
