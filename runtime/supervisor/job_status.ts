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
}

/** The status from what each worker last reported. */
export function jobStatus(
  state: JobState["kind"],
  reports: Iterable<WorkerReport>,
  { routing, decisions }: StatusFacts = { routing: [], decisions: [] },
): JobStatus {
  const sources: Record<string, { records: number; bytes: number; shards: number; lagMs: number }> =
    {};
  const stages: Record<string, { rows: number; waiting: number; keys: number; watermark: number }> =
    {};
  const sinks: Record<string, { rows: number; pending: number }> = {};
  const workers: WorkerStatus[] = [];
  let deadLetters = 0;
  for (const report of reports) {
    for (const [name, of] of Object.entries(report.sources)) {
      const sum = sources[name] ??= { records: 0, bytes: 0, shards: 0, lagMs: -1 };
      sum.records += of.records;
      sum.bytes += of.bytes;
      sum.shards += of.shards;
      sum.lagMs = Math.max(sum.lagMs, of.lagMs);
    }
    for (const [name, of] of Object.entries(report.stages)) {
      const sum = stages[name] ??= { rows: 0, waiting: 0, keys: 0, watermark: Infinity };
      sum.rows += of.rows;
      sum.waiting += of.waiting;
      sum.keys += of.keys;
      sum.watermark = Math.min(sum.watermark, of.watermark);
    }
    for (const [name, of] of Object.entries(report.sinks)) {
      const sum = sinks[name] ??= { rows: 0, pending: 0 };
      sum.rows += of.rows;
      sum.pending += of.pending;
    }
    deadLetters += report.deadLetters;
    const waiting = Object.values(report.stages).reduce((rows, stage) => rows + stage.waiting, 0);
    const { worker, cpuMs, heap } = report;
    const groups = routing.reduce((count, of) => of === worker ? count + 1 : count, 0);
    const [heapUsed, heapTotal] = [heap?.used ?? -1, heap?.total ?? -1];
    workers.push({ worker, cpuMs, waiting, groups, heapUsed, heapTotal });
  }
  workers.sort((a, b) => a.worker - b.worker);
  return { state, sources, stages, sinks, deadLetters, workers, decisions };
}
