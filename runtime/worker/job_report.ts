/**
 * What a worker reports of its job.
 *
 * @module
 */

import { threadRunQueueMs } from "../cpu_time.ts";
import type { KeyedStage } from "./keyed_stage.ts";
import type { WorkerReport } from "./protocol.ts";
import type { SinkPort } from "./sink_port.ts";
import type { SourceStage } from "./source_stage.ts";
import type { TurnQueue } from "./turn_queue.ts";

/** A worker's report but for what its thread and its engine know. */
export type JobReport = Omit<WorkerReport, "deadLetters" | "cpuMs" | "heap">;

/** The counters of a job's parts. */
export function jobReport({ worker, sources, stages, sinks, queue, ageMs }: {
  readonly worker: number;
  readonly sources: Iterable<SourceStage>;
  readonly stages: readonly KeyedStage[];
  readonly sinks: ReadonlyMap<string, SinkPort>;
  readonly queue: TurnQueue;
  /** Since the job was opened. */
  readonly ageMs: number;
}): JobReport {
  const { busyMs, backPressuredMs } = queue;
  return {
    worker,
    sources: Object.fromEntries(
      [...sources].map(({ name, records, bytes, shards, lagMs }) => [
        name,
        { records, bytes, shards, lagMs },
      ]),
    ),
    stages: Object.fromEntries(
      stages.map((
        { name, rows, waiting, keys, watermark },
      ) => [name, { rows, waiting, keys, watermark }]),
    ),
    sinks: Object.fromEntries(
      [...sinks].map(([name, { rows, pending }]) => [name, { rows, pending }]),
    ),
    load: {
      ...{ busyMs, backPressuredMs, ageMs },
      runQueueMs: threadRunQueueMs(),
      stages: Object.fromEntries(stages.map((stage) => [stage.name, stage.takeLoad()])),
    },
  };
}
