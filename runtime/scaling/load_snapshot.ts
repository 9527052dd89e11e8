/**
 * What a job's workers did between two looks at them. Plain data, made from the differences of their counters; all that
 * decisions about workers and key groups are made from.
 *
 * @module
 */

/** What one worker did within the interval. Times are ms; what the system doesn't tell is -1. */
export interface WorkerLoad {
  readonly worker: number;
  /** CPU time of its thread. */
  readonly cpuMs: number;
  /** Time within turns by the clock on the wall, those of shards included. */
  readonly busyMs: number;
  /** Time in which there was work, but no turn could be taken since what comes behind had no room. Not part of `busyMs`. */
  readonly backPressuredMs: number;
  /** Time in which its thread could have run, but other threads had the cores. */
  readonly runQueueMs: number;
  /** Share of its time that went into garbage collection, 0 to 1; 0 where the runtime doesn't tell. */
  readonly gcShare: number;
  /** How long it has been processing records: a new worker is slow until its code is compiled. */
  readonly ageMs: number;
}

/** A key that has more than its share of a key group. */
export interface HotKey {
  readonly stage: string;
  readonly key: string;
  /** Its share of the group's busy time, 0 to 1. */
  readonly share: number;
}

/** What one key group of one keyed stage did within the interval, as its worker counted it. */
export interface StageGroupLoad {
  readonly stage: string;
  readonly group: number;
  /** Time within its turns, ms by the clock on the wall. */
  readonly busyMs: number;
  /** Rows handled. */
  readonly rows: number;
  /** Rows in its mailbox now. */
  readonly waiting: number;
  /** How long the oldest of them has waited, ms. */
  readonly oldestMs: number;
  /** Bytes of its state. */
  readonly bytes: number;
  /** Keys that had most of its rows, with their share of them. */
  readonly keys: readonly { readonly key: string; readonly share: number }[];
}

/** The same for a key group in all keyed stages: they move together, since one table says where a key group is. */
export interface GroupLoad {
  readonly group: number;
  /** Where it is now. */
  readonly worker: number;
  readonly busyMs: number;
  readonly rows: number;
  readonly waiting: number;
  readonly oldestMs: number;
  readonly bytes: number;
  /** Its hottest keys, hottest first, at most {@linkcode HOT_KEYS_MAX}. */
  readonly keys: readonly HotKey[];
}

/** One look at a job. */
export interface LoadSnapshot {
  /** When it was taken, ms; only differences count. */
  readonly at: number;
  /** Time since the snapshot before, ms, above 0. */
  readonly intervalMs: number;
  readonly workers: readonly WorkerLoad[];
  readonly groups: readonly GroupLoad[];
  /** How far the source that is furthest behind is behind the end of its stream, ms; -1 where no source says so. */
  readonly lagMs: number;
  /** What must end before anything else may be changed. */
  readonly underWay: "nothing" | "hand-over" | "checkpoint";
}

/** Hottest keys kept of each key group. */
export const HOT_KEYS_MAX = 3;

/**
 * Key groups over all stages.
 *
 * @param routing the worker of each key group
 * @param loads what workers counted; a key group that has moved within the interval may be there twice
 *
 * @example A key group in two stages
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { groupLoads } from "./load_snapshot.ts";
 * const counted = { group: 0, busyMs: 30, rows: 10, waiting: 0, oldestMs: 0, bytes: 100 };
 * const [load] = groupLoads([2], [
 *   { ...counted, stage: "sum", keys: [{ key: "ann", share: 0.5 }] },
 *   { ...counted, stage: "alert", keys: [] },
 * ]);
 * assertEquals([load?.worker, load?.busyMs, load?.bytes], [2, 60, 200]);
 * assertEquals(load?.keys, [{ stage: "sum", key: "ann", share: 0.25 }]);
 * ```
 */
export function groupLoads(
  routing: readonly number[],
  loads: Iterable<StageGroupLoad>,
): readonly GroupLoad[] {
  const counted = Map.groupBy(loads, ({ group }) => group);
  return routing.map((worker, group) => {
    const stages = counted.get(group) ?? [];
    const sum = (of: (load: StageGroupLoad) => number) =>
      stages.reduce((total, load) => total + of(load), 0);
    const busyMs = sum((load) => load.busyMs);
    const keys = busyMs === 0
      ? []
      : stages.flatMap(({ stage, keys, busyMs: ofStage }) =>
        keys.map(({ key, share }) => ({ stage, key, share: share * ofStage / busyMs }))
      );
    return {
      group,
      worker,
      busyMs,
      rows: sum((load) => load.rows),
      waiting: sum((load) => load.waiting),
      oldestMs: stages.reduce((oldest, load) => Math.max(oldest, load.oldestMs), 0),
      bytes: sum((load) => load.bytes),
      keys: keys.sort((a, b) => b.share - a.share).slice(0, HOT_KEYS_MAX),
    };
  });
}
