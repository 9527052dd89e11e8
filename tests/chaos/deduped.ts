/**
 * The reader behind the job: each row once, by its id.
 *
 * @module
 */

import { defineJob, memory, runJob } from "../../mod.ts";
import type { Step } from "./booking_stream.ts";

const SHARDS = 4;

/** The ids of the rows that `dedupe` lets pass. */
export async function readOnce(rows: readonly Step[]): Promise<string[]> {
  const shards: Step[][] = Array.from({ length: SHARDS }, () => []);
  // As in the stream: a booking's rows are in one shard, in order.
  for (const row of rows) shards[Number(row.bookingId.slice(2)) % SHARDS]?.push(row);
  const job = defineJob({
    name: "once",
    sources: { steps: memory.source<Step>({ shards }) },
    sinks: { ids: memory.sink<string>() },
    build({ steps }, { ids }) {
      steps.keyBy((step) => step.bookingId)
        .dedupe("once", { id: (step) => step.id, keepFor: "365d" })
        .keyBy((step) => step.bookingId)
        .process("id", { state: {}, onEvent: (step) => [step.id] })
        .to(ids);
    },
  });
  return [...(await runJob(job, {}, { workers: 2 })).output("ids")];
}
