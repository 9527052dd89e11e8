/**
 * Streams whose shards split and merge while they are read: the order of each key holds, and what
 * the new shards carry is not late.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { memory } from "../../connectors/memory/memory.ts";
import { kinesis } from "../../connectors/kinesis/kinesis.ts";
import type { RawRecord } from "../../connectors/raw_record.ts";
import type { Source } from "../../connectors/source.ts";
import { defineJob } from "../../runtime/job.ts";
import { store } from "../../runtime/state/state.ts";
import type { Stream } from "../../runtime/stream.ts";
import { HASH_KEY_COUNT, hashKeyOf } from "../../runtime/testing/hash_range.ts";
import { runJob } from "../../runtime/testing/run_job.ts";
import {
  type Reshard,
  type SimulatedRecord,
  simulatedStream,
} from "../../runtime/testing/simulated_stream.ts";
import { z } from "../deps.ts";

const KEYS = 40;
const RECORDS = 600;
const Count = z.object({ key: z.string(), count: z.number(), time: z.number() });
type Count = z.infer<typeof Count>;

/** Each key counts its records; time goes on with each record of all. */
const records: SimulatedRecord[] = Array.from({ length: RECORDS }, (_, index) => {
  const key = `key-${(index * 7) % KEYS}`;
  const data: Count = { key, count: Math.floor(index / KEYS), time: index * 10 };
  return { partitionKey: key, data };
});

const RESHARDS: Record<string, readonly Reshard[]> = {
  "a split": [{ split: 0, after: 200 }],
  "a merge": [{ merge: [0, 1], after: 300 }],
  "a split and the merge of its halves": [
    { split: 1, after: 100 },
    { merge: [3, 4], after: 400 },
  ],
  "splits of splits and a merge across": [
    { split: 0, after: 50 }, // 3, 4
    { split: 3, after: 150 }, // 5, 6
    { split: 2, after: 200 }, // 7, 8
    { merge: [4, 1], after: 300 }, // 9
    { merge: [5, 6], after: 300 }, // 10
    { merge: [10, 9], after: 500 }, // 11
  ],
  "a shard that is split before any record": [{ split: 2, after: 0 }],
  "shards that are closed after the last record": [{ split: 0, after: RECORDS }],
};

interface Seen extends Count {
  readonly late: boolean;
  /** What the state of the key counted. */
  readonly counted: number;
}

/** Says of each record whether it was late, and how many of its key were seen before. */
function countingJob(called: (counts: Stream<Count>) => Stream<Count>) {
  return defineJob({
    name: "counting",
    sources: { records: kinesis.source("records") },
    sinks: { seen: memory.sink<Seen>() },
    build({ records }, { seen }) {
      called(records.flatMapJson("$", Count).eventTime({ timestamp: (record) => record.time }))
        .keyBy((record) => record.key)
        .process("count", {
          state: { count: store.value(0) },
          onEvent: (record, { state, timestamp, watermark }) => [
            { ...record, late: timestamp <= watermark, counted: state.count.value++ },
          ],
        })
        .to(seen);
    },
  });
}

const counting = countingJob((counts) => counts);

async function assertInOrder(
  job: typeof counting,
  records: Source<RawRecord>,
  options: { workers: number; seed: number },
): Promise<void> {
  const run = await runJob(job, { records }, options);
  const of = JSON.stringify(options);
  assertEquals(run.deadLetters, []);
  assertEquals(run.output("seen").length, RECORDS, of);
  const next = new Map<string, number>();
  for (const { key, count, counted, late } of run.output("seen")) {
    assertEquals([count, counted], [next.get(key) ?? 0, count], `${key}, ${of}`);
    assert(!late, `Record ${count} of ${key} came late, ${of}`);
    next.set(key, count + 1);
  }
}

describe("a stream with", () => {
  for (const [what, reshard] of Object.entries(RESHARDS)) {
    it(`${what} keeps the order of each key, and is never late`, async () => {
      const stream = simulatedStream({ shards: 3, records, reshard, batchRecordsMax: 20 });
      for (const workers of [1, 2, 3]) {
        for (const seed of [1, 2, 3, 4]) await assertInOrder(counting, stream, { workers, seed });
      }
    });
  }

  it("a split keeps the order of each key when calls are on the way", async () => {
    const calling = countingJob((counts) =>
      counts.mapAsync("call", async (record, { delay }) => {
        // Those of the shard that is split take long, those of its children do not.
        const ofFirstHalf = hashKeyOf(record.key) < HASH_KEY_COUNT / 2n;
        await delay(ofFirstHalf && record.count < 200 / KEYS ? 100 : 1);
        return record;
      })
    );
    const reshard = [{ split: 0, after: 200 }] as const;
    const stream = simulatedStream({ shards: 2, records, reshard, batchRecordsMax: 20 });
    for (const seed of [1, 2, 3, 4]) await assertInOrder(calling, stream, { workers: 2, seed });
  });
});

describe("a stream whose shards are read to their end", () => {
  it("moves the watermark on though one shard has no children with records", async () => {
    // After the split only keys of one half come: the empty half must not hold the watermark.
    const source = simulatedStream({
      shards: 1,
      records: [...records.slice(0, 200), ...ofOneHalf().slice(0, 200)],
      reshard: [{ split: 0, after: 200 }],
      batchRecordsMax: 20,
    });
    const run = await runJob(lagging, { records: source });
    const [last] = run.output("lag").slice(-1);
    assert(last !== undefined && last < 5000, `The watermark was ${last} ms behind at the end`);
  });
});

/** Tells how far the watermark is behind each record. */
const lagging = defineJob({
  name: "lagging",
  sources: { records: kinesis.source("records") },
  sinks: { lag: memory.sink<number>() },
  build({ records }, { lag }) {
    records.flatMapJson("$", Count)
      .eventTime({ timestamp: (record) => record.time })
      .keyBy(() => "all")
      .process("lag", {
        state: {},
        onEvent: (_record, { timestamp, watermark }) => [timestamp - watermark],
      })
      .to(lag);
  },
});

/** Later records, all with the same partition key, and so of one shard. */
function ofOneHalf(): SimulatedRecord[] {
  return records.slice(200).map(({ data }) => ({ partitionKey: "one", data }));
}
