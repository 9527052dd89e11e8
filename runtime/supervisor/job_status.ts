/**
 * The status of a running job: the last reports of its workers, added up. Plain data, for a terminal line or a page.
 *
 * @module
 */

import type { WorkerReport } from "../worker/protocol.ts";
import type { JobState } from "./job_state.ts";

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
  readonly workers: readonly { worker: number; cpuMs: number; waiting: number }[];
}

/**
 * The status from what each worker last reported.
 *
 * @param departed the last reports of workers that have left: what they have counted still counts
 */
export function jobStatus(
  state: JobState["kind"],
  reports: Iterable<WorkerReport>,
  departed: Iterable<WorkerReport> = [],
): JobStatus {
  const sources: Record<string, { records: number; bytes: number; shards: number; lagMs: number }> =
    {};
  const stages: Record<string, { rows: number; waiting: number; keys: number; watermark: number }> =
    {};
  const sinks: Record<string, { rows: number; pending: number }> = {};
  const workers: { worker: number; cpuMs: number; waiting: number }[] = [];
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
    workers.push({ worker: report.worker, cpuMs: report.cpuMs, waiting });
  }
  for (const report of departed) {
    for (const [name, { records, bytes }] of Object.entries(report.sources)) {
      const sum = sources[name] ??= { records: 0, bytes: 0, shards: 0, lagMs: -1 };
      sum.records += records;
      sum.bytes += bytes;
    }
    for (const [name, { rows }] of Object.entries(report.stages)) {
      const sum = stages[name] ??= { rows: 0, waiting: 0, keys: 0, watermark: Infinity };
      sum.rows += rows;
    }
    for (const [name, { rows }] of Object.entries(report.sinks)) {
      const sum = sinks[name] ??= { rows: 0, pending: 0 };
      sum.rows += rows;
    }
    deadLetters += report.deadLetters;
  }
  return { state, sources, stages, sinks, deadLetters, workers };
}
