/**
 * From snapshots to demand: smoothing, what was offered instead of what got done, and the work that waits.
 *
 * Busy time is what the workers managed. Where they can't keep up, more was offered: mailboxes fill, and when they are
 * full and the sources stop reading, the sources fall behind. Both are counted (DS2, Kalavri et al., OSDI 2018: scale by
 * the true rate of useful work). Falling behind counts only while a worker has no time left: otherwise a sink or a
 * source is what is slow, and cores would not help. Nor does it count where a single key group takes all of that worker's
 * time.
 *
 * @module
 */

import type { GroupDemand, LoadView, WorkerDemand } from "./demand.ts";
import type { GroupLoad, LoadSnapshot, WorkerLoad } from "./load_snapshot.ts";

/** After so long half of an average is made of what is new, ms. */
export const HALF_LIFE_MS = 3000;
/** The same for rates that are compared with earlier ones. */
export const RATE_HALF_LIFE_MS = 1000;
/** Within this time work that waits should be done, ms. */
export const CATCH_UP_MS = 30_000;
/** A worker that uses, or waits for, so much of a core has no time left. */
export const SATURATED = 0.9;
/** A worker of which this part of its time goes to one key group is busy with that. */
const ONE_GROUP = 0.7;
/** Offered work is taken for at most so many times what got done: the next step shows the rest. */
const OFFERED_MAX = 4;
/** What is behind adds at most so much to what is offered: a job that is an hour behind does not take all there is. */
const CATCH_UP_MAX = 1;
/** A source that catches up faster is not more certain of what is offered. */
const CATCHING_UP_MAX = 8;

/** Weight of what is new. */
function weight(intervalMs: number, halfLifeMs: number): number {
  return 1 - 2 ** (-intervalMs / halfLifeMs);
}

interface KnownGroup {
  cores: number;
  waiting: number;
}

/**
 * Takes snapshots, one after the other, and gives what the job needs.
 *
 * @example A worker that is half busy
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { LoadModel } from "./load_model.ts";
 * const load = new LoadModel().observe({
 *   at: 1000,
 *   intervalMs: 1000,
 *   workers: [{ worker: 0, cpuMs: 500, busyMs: 450, backPressuredMs: 0, runQueueMs: 0, gcShare: 0, ageMs: 60_000 }],
 *   groups: [{ group: 0, worker: 0, busyMs: 400, rows: 100, waiting: 0, oldestMs: 0, bytes: 0, keys: [] }],
 *   lagMs: -1,
 *   underWay: "nothing",
 * });
 * assertEquals([load.cores, load.groups[0]?.cores], [0.5, 0.4]);
 * ```
 */
export class LoadModel {
  readonly #groups = new Map<number, KnownGroup>();
  readonly #overheads = new Map<number, number>();
  #rowsPerSecond: number | undefined;
  #lagMs = -1;
  #lagGrowth = 0;

  /** What the job needs, now that this has been seen. */
  observe(snapshot: LoadSnapshot): LoadView {
    const { at, intervalMs, workers, lagMs, underWay } = snapshot;
    const scales = new Map(workers.map((worker) => [worker.worker, cpuPerBusy(worker)]));
    const offered = this.#offered(snapshot);
    const done = new Map<number, number>();
    let coresNow = 0;
    const groups = snapshot.groups.map((group): GroupDemand => {
      const cores = group.busyMs * (scales.get(group.worker) ?? 1) / intervalMs;
      done.set(group.worker, (done.get(group.worker) ?? 0) + cores);
      const [now, smooth] = this.#group(group, cores, offered, intervalMs);
      coresNow += now;
      const { oldestMs, bytes, keys } = group;
      return { group: group.group, worker: group.worker, cores: smooth, oldestMs, bytes, keys };
    });
    const needs = new Map<number, number>();
    for (const { worker, cores } of groups) needs.set(worker, (needs.get(worker) ?? 0) + cores);
    const demands = workers.map((worker): WorkerDemand => {
      const cpu = usedMs(worker) / intervalMs;
      const overheadNow = Math.max(0, cpu - (done.get(worker.worker) ?? 0)) * offered;
      const overhead = smoothed(
        this.#overheads.get(worker.worker),
        overheadNow,
        weight(intervalMs, HALF_LIFE_MS),
      );
      this.#overheads.set(worker.worker, overhead);
      coresNow += overheadNow;
      return {
        worker: worker.worker,
        load: overhead + (needs.get(worker.worker) ?? 0),
        overhead,
        cpu,
        backPressured: worker.backPressuredMs / intervalMs,
        starved: Math.max(0, worker.runQueueMs) / intervalMs,
        gc: worker.gcShare,
        ageMs: worker.ageMs,
      };
    });
    for (const worker of this.#overheads.keys()) {
      if (!scales.has(worker)) this.#overheads.delete(worker);
    }
    return {
      at,
      intervalMs,
      workers: demands,
      groups,
      cores: demands.reduce((sum, { load }) => sum + load, 0),
      coresNow,
      rowsPerSecond: this.#rate(snapshot),
      lagMs,
      lagGrowth: this.#lagGrowth,
      oldestMs: snapshot.groups.reduce((oldest, group) => Math.max(oldest, group.oldestMs), 0),
      underWay,
    };
  }

  /** What is offered for each core that works: by how the lag of the sources changes, while workers have no time left. */
  #offered({ workers, groups, intervalMs, lagMs }: LoadSnapshot): number {
    const known = lagMs >= 0 && this.#lagMs >= 0;
    const growth = known ? (lagMs - this.#lagMs) / intervalMs : 0;
    this.#lagMs = lagMs;
    const bounded = Math.min(1 - 1 / OFFERED_MAX, Math.max(-CATCHING_UP_MAX, growth));
    this.#lagGrowth = smoothed(this.#lagGrowth, bounded, weight(intervalMs, RATE_HALF_LIFE_MS));
    if (lagMs < 0) return 1;
    const saturated = workers.some((worker) =>
      usedMs(worker) + Math.max(0, worker.runQueueMs) >= SATURATED * intervalMs &&
      !this.#isBusyWithOne(worker.worker, groups, intervalMs)
    );
    if (!saturated) return 1;
    // In a ms, `growth` ms more are left for later: 1 - growth of what came was done.
    return (1 + Math.min(CATCH_UP_MAX, lagMs / CATCH_UP_MS)) / (1 - this.#lagGrowth);
  }

  /**
   * Whether one key group takes a worker's time. It holds the sources up, too, but more workers would not change that.
   * By averages: a single look may be far off.
   */
  #isBusyWithOne(worker: number, groups: readonly GroupLoad[], intervalMs: number): boolean {
    let most = 0;
    let all = this.#overheads.get(worker) ?? 0;
    for (const group of groups) {
      if (group.worker !== worker) continue;
      const cores = this.#groups.get(group.group)?.cores ?? group.busyMs / intervalMs;
      most = Math.max(most, cores);
      all += cores;
    }
    return most > ONE_GROUP * all;
  }

  /** Cores that a key group needs: now, and smoothed. */
  #group(
    { group, rows, waiting }: GroupLoad,
    cores: number,
    offered: number,
    intervalMs: number,
  ): readonly [number, number] {
    const known = this.#groups.get(group);
    let now = cores * offered;
    if (rows > 0) {
      const came = Math.max(0, rows + waiting - (known?.waiting ?? waiting));
      const rowMs = cores * intervalMs / rows;
      now = now * came / rows + waiting * rowMs / CATCH_UP_MS;
    } else if (waiting > 0) {
      // Nothing was handled, so nothing is known of what came: as before.
      now = known?.cores ?? 0;
    }
    const smooth = smoothed(known?.cores, now, weight(intervalMs, HALF_LIFE_MS));
    this.#groups.set(group, { cores: smooth, waiting });
    return [now, smooth];
  }

  #rate({ groups, intervalMs }: LoadSnapshot): number {
    const now = groups.reduce((sum, { rows }) => sum + rows, 0) * 1000 / intervalMs;
    return this.#rowsPerSecond = smoothed(
      this.#rowsPerSecond,
      now,
      weight(intervalMs, RATE_HALF_LIFE_MS),
    );
  }
}

function smoothed(before: number | undefined, now: number, weight: number): number {
  return before === undefined ? now : before + weight * (now - before);
}

function usedMs({ cpuMs, busyMs }: WorkerLoad): number {
  return cpuMs < 0 ? busyMs : cpuMs;
}

/** Turns are timed by the clock on the wall, which goes on while a thread has no core: CPU time for each ms of it. */
function cpuPerBusy({ cpuMs, busyMs }: WorkerLoad): number {
  return cpuMs < 0 || busyMs <= 0 ? 1 : Math.min(1, cpuMs / busyMs);
}
