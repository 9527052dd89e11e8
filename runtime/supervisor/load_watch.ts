/**
 * From the counters that workers report to what they did between two looks: pure but for what it remembers.
 *
 * @module
 */

import {
  groupLoads,
  type LoadSnapshot,
  type StageGroupLoad,
  type WorkerLoad,
} from "../scaling/load_snapshot.ts";
import type { LoadReport, WorkerReport } from "../worker/protocol.ts";

/** A report with its load. */
type Loaded = WorkerReport & { readonly load: LoadReport };

/** What is known beside the reports. */
export interface LookOptions {
  /** ms of the monotonic clock. */
  readonly at: number;
  /** The worker of each key group. */
  readonly routing: readonly number[];
  readonly underWay: LoadSnapshot["underWay"];
}

/** Remembers the last look at a job's workers. */
export class LoadWatch {
  #at = -Infinity;
  #before = new Map<number, Loaded>();

  /** The attempt is over: counters begin anew. */
  reset(): void {
    this.#before.clear();
  }

  /**
   * What workers did since the last look that gave something; undefined until all of them have reported since then, and
   * where they are not the same. A busy worker may answer late: what it did counts for the time that its reports cover.
   */
  look(
    reports: Iterable<WorkerReport>,
    { at, routing, underWay }: LookOptions,
  ): LoadSnapshot | undefined {
    const now = new Map<number, Loaded>();
    for (const report of reports) {
      if (report.load !== undefined) now.set(report.worker, { ...report, load: report.load });
    }
    const [before, from] = [this.#before, this.#at];
    const isSame = now.size === before.size && [...now].every(([worker, { load }]) => {
      const earlier = before.get(worker);
      // A younger one has the number of another that is gone.
      return earlier !== undefined && load.ageMs >= earlier.load.ageMs;
    });
    const isNew = [...now].every(([worker, { load }]) =>
      load.ageMs !== before.get(worker)?.load.ageMs
    );
    if (isSame && (!isNew || at <= from)) return undefined;
    this.#before = now;
    this.#at = at;
    if (now.size === 0 || !isSame) return undefined;
    const workers: WorkerLoad[] = [];
    const groups: StageGroupLoad[] = [];
    let lagMs = -1;
    for (const [worker, report] of now) {
      const earlier = before.get(worker);
      if (earlier === undefined) return undefined;
      const scale = (at - from) / (report.load.ageMs - earlier.load.ageMs);
      workers.push(workerLoad(report, earlier, scale));
      groups.push(...stageLoads(report, earlier, scale));
      for (const source of Object.values(report.sources)) lagMs = Math.max(lagMs, source.lagMs);
    }
    return {
      ...{ at, intervalMs: at - from, workers, lagMs, underWay },
      groups: groupLoads(routing, groups),
    };
  }
}

/** @param scale the time between two looks, for that between the reports */
function workerLoad(
  { worker, cpuMs, load, gcShare = -1 }: Loaded,
  before: Loaded,
  scale: number,
): WorkerLoad {
  return {
    worker,
    cpuMs: cpuMs < 0 ? -1 : scale * (cpuMs - before.cpuMs),
    busyMs: scale * (load.busyMs - before.load.busyMs),
    backPressuredMs: scale * (load.backPressuredMs - before.load.backPressuredMs),
    runQueueMs: load.runQueueMs < 0 ? -1 : scale * (load.runQueueMs - before.load.runQueueMs),
    gcShare: Math.max(0, gcShare),
    ageMs: load.ageMs,
  };
}

function stageLoads({ load }: Loaded, before: Loaded, scale: number): StageGroupLoad[] {
  return Object.entries(load.stages).flatMap(([stage, now]) => {
    const earlier = before.load.stages[stage];
    const places = new Map([...earlier?.groups ?? []].map((group, at) => [group, at]));
    const since = (figures: "busyMs" | "rows") =>
      [...now.groups].map((group, at) => {
        // A group that has come meanwhile has counters that began with it.
        const place = places.get(group);
        const figure = place === undefined ? 0 : earlier?.[figures][place] ?? 0;
        return scale * ((now[figures][at] ?? 0) - figure);
      });
    const [rows, busyMs] = [since("rows"), since("busyMs")];
    const total = rows.reduce((sum, of) => sum + of, 0);
    return [...now.groups].map((group, at): StageGroupLoad => {
      const ofGroup = rows[at] ?? 0;
      return {
        ...{ stage, group, rows: ofGroup },
        busyMs: busyMs[at] ?? 0,
        waiting: now.waiting[at] ?? 0,
        oldestMs: now.oldestMs[at] ?? 0,
        bytes: now.bytes,
        keys: now.hotKeys.filter((hot) => hot.group === group && ofGroup > 0)
          .map(({ key, share }) => ({
            key: String(key),
            share: Math.min(1, share * total / ofGroup),
          })),
      };
    });
  });
}
