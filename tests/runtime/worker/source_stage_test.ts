/**
 * Source stages: at barriers by themselves, else through `runJob`, since shard actors come to life with the whole stage
 * behind them.
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
import { Observable, type Subscriber } from "../../../deps.ts";
import type { WorkerSnapshot } from "../../../runtime/checkpoint/worker_snapshot.ts";
import { defineJob } from "../../../runtime/job.ts";
import { SHARD_BATCHES_MAX, SHARD_ROWS_MIN } from "../../../runtime/limits.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { buildTopology } from "../../../runtime/stream_builder.ts";
import { runJob } from "../../../runtime/testing/run_job.ts";
import { type Reshard, simulatedStream } from "../../../runtime/testing/simulated_stream.ts";
import { OutboundChannel } from "../../../runtime/worker/channel.ts";
import { EdgeChannels } from "../../../runtime/worker/edge_channels.ts";
import { EdgeOutput } from "../../../runtime/worker/edge_output.ts";
import { EpochSnapshot } from "../../../runtime/worker/epoch_snapshot.ts";
import { Gate } from "../../../runtime/worker/gate.ts";
import type { ClosedShard } from "../../../runtime/worker/protocol.ts";
import { SourceStage } from "../../../runtime/worker/source_stage.ts";
import { StageOutputs } from "../../../runtime/worker/stage_outputs.ts";
import { TurnQueue } from "../../../runtime/worker/turn_queue.ts";
import { map } from "../deps.ts";
import { HandClock } from "../hand_clock.ts";
import { cursorAt, RecordedFailures } from "./engine_parts.ts";

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

/**
 * A stage by itself over shards that a test fills: what it hands on over its edge is written down. Its rows are their own
 * positions.
 */
function bareStage() {
  const clock = new HandClock();
  const queue = new TurnQueue(clock, () => {});
  const failures = new RecordedFailures();
  const cursor = cursorAt(0);
  const log: string[] = [];
  /** If `hold` is set, what is put out does not arrive before it is called. */
  const arriving: { hold?: () => void } = {};
  const readers = new Map<string, Subscriber<ShardBatch<number>>>();
  const source = sourceOf((shard) =>
    new Observable((subscriber) => void readers.set(shard, subscriber))
  );
  const topology = buildTopology(
    defineJob({
      name: "demo",
      sources: { in: source },
      sinks: { out: memory.sink<number>() },
      build: ({ in: numbers }, { out }) =>
        numbers.keyBy((n) => n).process("all", { state: {}, onEvent: (n) => [n] }).to(out),
    }),
    { params: undefined, logger: silentLogger },
  );
  const channel = new OutboundChannel({
    rows(rows) {
      log.push(`rows ${rows.kind === "values" ? rows.values : []}`);
      return rows.length;
    },
    watermark() {},
    barrier: (epoch) => log.push(`barrier ${epoch}`),
    end: (final) => log.push(`end ${final}`),
  });
  const edge = new EdgeOutput({
    ...{ operator: "in/keyBy", key: (n: unknown) => n as number, routing: [0] },
    ...{ channels: new EdgeChannels([[channel]], 1), cursor, failures },
  });
  const keyBy = topology.nodes.find(({ kind }) => kind === "keyBy")?.id ?? -1;
  const outputs = new StageOutputs("in", 0, {
    ...{ topology, clock, queue, failures, cursor, halted: new Gate(), deadLetters: undefined },
    ...{ edges: new Map([[keyBy, edge]]), sinks: new Map(), restored: undefined },
    outside: { enter() {}, leave() {} },
  }, () => {});
  const stage = new SourceStage({
    ...{ name: "in", source, listed: [], queue, cursor, outputs, failures },
    context: {
      ...{ clock, random: () => 0, logger: silentLogger, aws: {}, startedAt: 0 },
      signal: new AbortController().signal,
    },
    shardEnded: (shard) => log.push(`${shard} ended`),
    arrived: (then) => void (arriving.hold === undefined ? then() : arriving.hold = then),
    ended: () => log.push("ended"),
  });
  return {
    ...{ stage, log, arriving },
    turn: () => clock.runDeferred(),
    deliver: (shard: string, ...values: number[]) => readers.get(shard)?.next(batchOf(values)),
    complete: (shard: string) => readers.get(shard)?.complete(),
    /** Positions by shard in what the stage hands over for an epoch, by its barrier or behind its end. */
    handOver(epoch: number, how: "barrier" | "handOver") {
      const done: WorkerSnapshot[] = [];
      const snapshot = new EpochSnapshot({
        ...{ epoch, stages: ["in"], sinks: 0, clock, done: (of) => done.push(of) },
        failed: (error) => failures.fatal(error),
        passed() {},
      });
      stage[how](snapshot);
      clock.runDeferred();
      return (done[0]?.shards ?? []).map(({ source, shard, position }) =>
        `${source}/${shard}@${position}`
      );
    },
  };
}

describe("SourceStage at barriers", () => {
  it("says where each shard stands, and sends the barrier behind what has been handled", () => {
    const { stage, log, deliver, turn, handOver } = bareStage();
    stage.openShard("a", undefined);
    stage.openShard("b", "7");
    deliver("a", 1, 2);
    turn();
    deliver("a", 3);
    assertEquals(handOver(1, "barrier"), ["in/a@2", "in/b@7"]);
    turn();
    assertEquals(log.slice(0, 2), ["rows 1,2", "barrier 1"]);
    assertEquals(handOver(2, "barrier"), ["in/a@3", "in/b@7"]);
    assertEquals(log.slice(2), ["rows 3", "barrier 2"]);
  });

  it("keeps the place of a shard that has ended until it is let go of: its successors are not read yet", () => {
    const { stage, log, deliver, complete, turn, handOver } = bareStage();
    stage.openShard("a", undefined);
    deliver("a", 1, 2);
    complete("a");
    turn();
    assertEquals(log, ["a ended"]);
    assertEquals(handOver(1, "barrier"), ["in/a@2"]);
    stage.releaseShard("a", ["b"], () => {});
    assertEquals(handOver(2, "barrier"), []);
    stage.openShard("b", undefined);
    assertEquals(handOver(3, "barrier"), ["in/b@undefined"]);
  });

  it("keeps the place of a shard that was closed until another worker has it", () => {
    const { stage, log, deliver, turn, handOver } = bareStage();
    const closed: (ClosedShard | undefined)[] = [];
    stage.openShard("a", "0");
    deliver("a", 1, 2);
    turn();
    deliver("a", 3, 4);
    stage.closeShard("a", (of) => closed.push(of));
    turn();
    assertEquals(closed.map((of) => of?.position), ["2"]);
    assertEquals(stage.shards, 0);
    assertEquals(handOver(1, "barrier"), ["in/a@2"]);
    assertEquals(log, ["rows 1,2", "barrier 1"]);
    stage.closeShard("a", (of) => closed.push(of));
    assertEquals(closed[1], undefined);
    stage.shardMoved("a");
    assertEquals(handOver(2, "barrier"), []);
    const [of] = closed;
    if (of === undefined) throw new Error("The shard was not closed");
    assertEquals(stage.adoptShard("a", { ...of, closedAt: -4 }), 4);
    deliver("a", 3);
    turn();
    assertEquals([handOver(3, "barrier"), log.at(-2)], [["in/a@3"], "rows 3"]);
  });

  it("says that a shard is closed when all that came of it has arrived, as it stood when it was stopped", () => {
    const { stage, deliver, turn, arriving } = bareStage();
    const closed: (string | undefined)[] = [];
    stage.openShard("a", "0");
    deliver("a", 1, 2);
    turn();
    arriving.hold = () => {};
    stage.closeShard("a", (of) => closed.push(of?.position));
    deliver("a", 3);
    turn();
    assertEquals(closed, []);
    arriving.hold();
    assertEquals(closed, ["2"]);
  });

  it("keeps the place of a closed shard to the end of a job that is stopped meanwhile", () => {
    for (const drain of [false, true]) {
      const { stage, log, deliver, turn, handOver } = bareStage();
      stage.openShard("a", "0");
      deliver("a", 1, 2);
      turn();
      stage.closeShard("a", () => {});
      stage.endSource();
      assertEquals(log, []);
      stage.stop(drain);
      assertEquals(log, ["rows 1,2", `end ${drain}`, "ended"]);
      assertEquals(handOver(1, "handOver"), ["in/a@2"]);
    }
  });

  it("closes no shard that has ended, or is being stopped", () => {
    const { stage, deliver, complete, turn } = bareStage();
    const closed: unknown[] = [];
    stage.openShard("a", undefined);
    stage.openShard("b", undefined);
    complete("a");
    turn();
    stage.closeShard("a", (of) => closed.push(of));
    deliver("b", 1);
    stage.stop(false);
    stage.closeShard("b", (of) => closed.push(of));
    assertEquals(closed, [undefined, undefined]);
  });

  it("keeps the place of shards that were stopped, and sends no barrier behind the end", () => {
    const { stage, log, deliver, turn, handOver } = bareStage();
    stage.openShard("a", undefined);
    stage.openShard("b", "7");
    deliver("a", 1, 2);
    stage.stop(false);
    turn();
    assertEquals(log, ["rows 1,2", "end false", "ended"]);
    for (const how of ["barrier", "handOver"] as const) {
      assertEquals(handOver(1, how).toSorted(), ["in/a@2", "in/b@7"]);
    }
    assertEquals(log.length, 3);
  });
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
          delivered++;
          yield await Promise.resolve(batchOf(new Array(SHARD_ROWS_MIN).fill(0)));
        }
      })
    );
    const job = defineJob({
      ...copy,
      build: ({ numbers }, { out }) =>
        numbers.pipe(map((n: number) => {
          handled += 1 / SHARD_ROWS_MIN;
          return n;
        })).to(out),
    });
    const run = await runJob(job, { numbers });
    assertEquals(run.output("out").length, 20 * SHARD_ROWS_MIN);
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
