/**
 * The status of a running job: the last reports of its workers, added up. Plain data, for a terminal line or a page.
 *
 * @module
 */

import type { WorkerReport } from "../worker/protocol.ts";
import type { MadeDecision } from "./decision_log.ts";
import type { JobState } from "./job_state.ts";

/** A worker at one moment. */
export interface WorkerStatus {
  readonly worker: number;
  /** CPU time of its thread since it started, ms; -1 where the system doesn't tell. */
  readonly cpuMs: number;
  /** Rows in its mailboxes. */
  readonly waiting: number;
  /** Key groups that it has. */
  readonly groups: number;
  /** Bytes of its thread's heap: in use, and had of the system; -1 if it has not said. */
  readonly heapUsed: number;
  readonly heapTotal: number;
  /** Part of its thread's time that goes into garbage collection, 0 to 1; -1 unknown. */
  readonly gcShare: number;
}

/** A job at one moment. Counters count from the start of the present attempt. */
export interface JobStatus {
  readonly state: JobState["kind"];
  readonly sources: Readonly<
    Record<string, { records: number; bytes: number; shards: number; lagMs: number }>
  >;
  readonly stages: Readonly<
    Record<string, { rows: number; waiting: number; keys: number; watermark: number }>
  >;
  readonly sinks: Readonly<Record<string, { rows: number; pending: number }>>;
  readonly deadLetters: number;
  /** Those that run the job now and have reported, by number. */
  readonly workers: readonly WorkerStatus[];
  /** What was decided last about workers and key groups, over all attempts; the oldest first, at most 100. */
  readonly decisions: readonly MadeDecision[];
}

/** What the status has beside what workers report. */
export interface StatusFacts {
  /** The worker of each key group. */
  readonly routing: readonly number[];
  readonly decisions: readonly MadeDecision[];
  /** The last reports of workers that have left: what they have counted still counts. */
  readonly departed?: Iterable<WorkerReport>;
}

/** The status from what each worker last reported. */
export function jobStatus(
  state: JobState["kind"],
  reports: Iterable<WorkerReport>,
  { routing, decisions, departed = [] }: StatusFacts = { routing: [], decisions: [] },
): JobStatus {
  const sums = new Sums();
  const workers: WorkerStatus[] = [];
  for (const report of reports) {
    sums.count(report);
    sums.hold(report);
    const { worker, cpuMs, heap, gcShare = -1 } = report;
    const waiting = Object.values(report.stages).reduce((rows, stage) => rows + stage.waiting, 0);
    const groups = routing.reduce((count, of) => of === worker ? count + 1 : count, 0);
    const [heapUsed, heapTotal] = [heap?.used ?? -1, heap?.total ?? -1];
    workers.push({ worker, cpuMs, waiting, groups, heapUsed, heapTotal, gcShare });
  }
  for (const report of departed) sums.count(report);
  workers.sort((a, b) => a.worker - b.worker);
  const { sources, stages, sinks, deadLetters } = sums;
  return { state, sources, stages, sinks, deadLetters, workers, decisions };
}

/** What all workers have counted, and what they hold. */
class Sums {
  readonly sources: Record<
    string,
    { records: number; bytes: number; shards: number; lagMs: number }
  > = {};
  readonly stages: Record<
    string,
    { rows: number; waiting: number; keys: number; watermark: number }
  > = {};
  readonly sinks: Record<string, { rows: number; pending: number }> = {};
  deadLetters = 0;

  /** Adds what a worker has done so far. */
  count(report: WorkerReport): void {
    for (const [name, { records, bytes }] of Object.entries(report.sources)) {
      const sum = this.sources[name] ??= { records: 0, bytes: 0, shards: 0, lagMs: -1 };
      sum.records += records;
      sum.bytes += bytes;
    }
    for (const [name, { rows }] of Object.entries(report.stages)) {
      const sum = this.stages[name] ??= { rows: 0, waiting: 0, keys: 0, watermark: Infinity };
      sum.rows += rows;
    }
    for (const [name, { rows }] of Object.entries(report.sinks)) {
      const sum = this.sinks[name] ??= { rows: 0, pending: 0 };
      sum.rows += rows;
    }
    this.deadLetters += report.deadLetters;
  }

  /** Adds what a worker has now. Behind `count`. */
  hold(report: WorkerReport): void {
    for (const [name, { shards, lagMs }] of Object.entries(report.sources)) {
      const sum = this.sources[name];
      if (sum === undefined) continue;
      sum.shards += shards;
      sum.lagMs = Math.max(sum.lagMs, lagMs);
    }
    for (const [name, { waiting, keys, watermark }] of Object.entries(report.stages)) {
      const sum = this.stages[name];
      if (sum === undefined) continue;
      sum.waiting += waiting;
      sum.keys += keys;
      sum.watermark = Math.min(sum.watermark, watermark);
    }
    for (const [name, { pending }] of Object.entries(report.sinks)) {
      const sum = this.sinks[name];
      if (sum !== undefined) sum.pending += pending;
    }
  }
}
