/**
 * A job's status as one line for a terminal, and its summary. Pure.
 *
 * @module
 */

import type { JobPlan } from "../stage_plan.ts";
import type { CheckpointEvent } from "../supervisor/checkpoint_event.ts";
import type { JobStatus } from "../supervisor/job_status.ts";

/** Bytes of a MB. */
const MB = 1e6;
const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** Status and when it was taken, ms. */
export interface TimedStatus {
  readonly at: number;
  readonly status: JobStatus;
  /** The last checkpoint that was kept. */
  readonly checkpoint?: CheckpointEvent | undefined;
}

/** What is about to run, in a line. */
export function planLine({ job, sources, sinks }: JobPlan, workers = 0): string {
  const names = (connectors: JobPlan["sources"] | JobPlan["sinks"]) =>
    connectors.map(({ kind, of }) => `${of} (${kind})`).join(", ");
  return `${job}: from ${names(sources)} to ${names(sinks)}, workers: ${workers}`;
}

/**
 * One line: seconds since the start; records in and out per stream, with rates; the furthest lag; how many
 * workers there are, and were before; of each its CPU, rows waiting in mailboxes and heap; the last checkpoint.
 */
export function statusLine(
  plan: JobPlan,
  startedAt: number,
  before: TimedStatus,
  now: TimedStatus,
): string {
  const seconds = Math.max(0.001, (now.at - before.at) / 1000);
  const rate = (was: number, is: number) => `${whole.format(Math.max(0, is - was) / seconds)}/s`;
  const parts = [`${whole.format((now.at - startedAt) / 1000)} s`];
  for (const { name, of } of plan.sources) {
    const records = now.status.sources[name]?.records ?? 0;
    parts.push(
      `${of} ${whole.format(records)} in ${
        rate(before.status.sources[name]?.records ?? 0, records)
      }`,
    );
  }
  for (const { name, of } of plan.sinks) {
    const rows = now.status.sinks[name]?.rows ?? 0;
    parts.push(
      `${of} ${whole.format(rows)} out ${rate(before.status.sinks[name]?.rows ?? 0, rows)}`,
    );
  }
  const lag = Math.max(-1, ...Object.values(now.status.sources).map((source) => source.lagMs));
  parts.push(`lag ${lag < 0 ? "unknown" : `${whole.format(lag)} ms`}`);
  const [was, is] = [before.status.workers.length, now.status.workers.length];
  if (is > 0) parts.push(was === is || was === 0 ? `workers ${is}` : `workers ${was} to ${is}`);
  for (const { worker, cpuMs, waiting, heapUsed } of now.status.workers) {
    const was = before.status.workers.find((other) => other.worker === worker)?.cpuMs ?? 0;
    const cpu = cpuMs < 0 ? "?" : whole.format(Math.max(0, cpuMs - was) / (seconds * 10));
    const heap = heapUsed < 0 ? "" : ` heap ${whole.format(heapUsed / MB)} MB`;
    parts.push(`worker ${worker} cpu ${cpu} % mailbox ${whole.format(waiting)}${heap}`);
  }
  if (now.status.deadLetters > 0) {
    parts.push(`dead letters ${whole.format(now.status.deadLetters)}`);
  }
  if (now.checkpoint !== undefined) {
    const { epoch, tookMs, bytes } = now.checkpoint;
    parts.push(`checkpoint ${epoch} in ${whole.format(tookMs)} ms ${whole.format(bytes)} bytes`);
  }
  return parts.join(" | ");
}

/** What a job has done, in a few lines. */
export function summary(plan: JobPlan, seconds: number, status: JobStatus): string {
  const lines = [`${plan.job} ended after ${seconds.toFixed(1)} s`];
  for (const { name, of } of plan.sources) {
    lines.push(`  ${of}: ${whole.format(status.sources[name]?.records ?? 0)} in`);
  }
  for (const { name, of } of plan.sinks) {
    const { rows = 0, pending = 0 } = status.sinks[name] ?? {};
    lines.push(
      `  ${of}: ${whole.format(rows)} out${
        pending > 0 ? `, ${whole.format(pending)} of them not confirmed` : ""
      }`,
    );
  }
  lines.push(`  dead letters: ${whole.format(status.deadLetters)}`);
  return lines.join("\n");
}
