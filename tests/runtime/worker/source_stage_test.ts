/**
 * Shard actors, tested through `runJob`: they come to life with the whole stage behind them.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { pacedBatches } from "../../../connectors/paced_batches.ts";
import { textOf } from "../../../connectors/raw_record.ts";
import type { ShardBatch, Source } from "../../../connectors/source.ts";
import { memory } from "../../../connectors/memory/memory.ts";
import { kinesis } from "../../../connectors/kinesis/kinesis.ts";
import { Observable } from "../../../deps.ts";
import { defineJob } from "../../../runtime/job.ts";
import { SHARD_BATCHES_MAX } from "../../../runtime/limits.ts";
import { runJob } from "../../../runtime/testing/run_job.ts";
import { type Reshard, simulatedStream } from "../../../runtime/testing/simulated_stream.ts";
import { map } from "../deps.ts";

function batchOf(values: readonly number[]): ShardBatch<number> {
  return {
    length: values.length,
    bytes: values.length,
    position: String(values.at(-1) ?? ""),
    millisBehindLatest: 100,
    valueAt(row) {
      const value = values[row] ?? 0;
      if (value < 0) throw new RangeError(`no ${value}`);
      return value;
    },
    positionAt: (row) => String(values[row]),
    timestampAt: () => -Infinity,
  };
}

const sourceOf = (read: Source<number>["read"]): Source<number> => ({
  kind: "made",
  name: "made",
  bounded: true,
  shards: () => Promise.resolve([{ id: "s0", parents: [] }]),
  read,
});

const copy = defineJob({
  name: "copy",
  sources: { numbers: memory.source<number>([]) },
  sinks: { out: memory.sink<number>() },
  build: ({ numbers }, { out }) => numbers.to(out),
});

describe("SourceStage", () => {
  it("takes all records of all batches, empty ones too, and counts them", async () => {
    const numbers = sourceOf((_shard, _after, context) =>
      pacedBatches(context, async function* () {
        for (const batch of [[1, 2], [], [3]]) yield await Promise.resolve(batchOf(batch));
      })
    );
    const run = await runJob(copy, { numbers });
    assertEquals(run.output("out"), [1, 2, 3]);
    assertEquals(run.status.sources["numbers"], { records: 3, bytes: 3, shards: 0, lagMs: -1 });
  });

  it("lets a reader be ahead by so many batches, and no more", async () => {
    let [delivered, handled, ahead] = [0, 0, 0];
    const numbers = sourceOf((_shard, _after, context) =>
      pacedBatches(context, async function* () {
        while (delivered < 20) {
          ahead = Math.max(ahead, delivered - handled);
          yield await Promise.resolve(batchOf([delivered++]));
        }
      })
    );
    const job = defineJob({
      ...copy,
      build: ({ numbers }, { out }) =>
        numbers.pipe(map((n: number) => {
          handled++;
          return n;
        })).to(out),
    });
    const run = await runJob(job, { numbers });
    assertEquals(run.output("out").length, 20);
    assert(ahead > 0 && ahead <= SHARD_BATCHES_MAX, `${ahead} batches ahead`);
  });

  it("makes a dead letter of a row that can't be read, with its position", async () => {
    const numbers = sourceOf((_shard, _after, context) =>
      pacedBatches(context, async function* () {
        yield await Promise.resolve(batchOf([1, -2, 3]));
      })
    );
    const run = await runJob(copy, { numbers });
    assertEquals(run.output("out"), [1, 3]);
    assertEquals(run.deadLetters, [{
      operator: "numbers/s0",
      origin: "numbers/s0@-2",
      reason: "RangeError: no -2",
      value: undefined,
    }]);
  });

  it("fails the job when reading fails", async () => {
    const numbers = sourceOf(() =>
      new Observable((subscriber) => subscriber.error(new Error("expired")))
    );
    await assertRejects(() => runJob(copy, { numbers }), Error, "expired");
  });

  it("reads children after their parents: no record late or out of order, and time goes on", async () => {
    const job = defineJob({
      name: "resharded",
      sources: { bytes: kinesis.source("numbers") },
      sinks: { out: memory.sink<{ key: string; at: number; watermark: number }>() },
      build({ bytes }, { out }) {
        bytes.pipe(map((record) => ({ key: record.partitionKey, at: Number(textOf(record)) })))
          .eventTime({ timestamp: ({ at }) => at })
          .keyBy(({ key }) => key)
          .process("see", {
            state: {},
            onEvent: (row, { watermark }) => [{ ...row, watermark }],
          }).to(out);
      },
    });
    const keyOf = (at: number) => `k${at % 13}`;
    const times = Array.from({ length: 400 }, (_, at) => at);
    const records = times.map((at) => ({ partitionKey: keyOf(at), data: String(at) }));
    const reshard: Reshard[] = [
      { split: 0, after: 100 },
      { split: 1, after: 150 },
      { merge: [3, 4], after: 300 },
    ];
    for (const [workers, seed] of [[1, 1], [2, 2], [3, 3]] as const) {
      const bytes = simulatedStream({ shards: 2, records, reshard, batchRecordsMax: 7 });
      const rows = (await runJob(job, { bytes }, { workers, seed })).output("out");
      assertEquals(rows.filter(({ at, watermark }) => at <= watermark), []);
      for (const key of new Set(times.map(keyOf))) {
        const own = rows.filter((row) => row.key === key).map(({ at }) => at);
        assertEquals(own, times.filter((at) => keyOf(at) === key), `${key} on ${workers} workers`);
      }
      const furthest = Math.max(...rows.map(({ watermark }) => watermark));
      assert(furthest > 300, `the watermark came to ${furthest} before the end`);
    }
  });
});
