/**
 * Slow sinks, slow stages and slow calls: nothing is lost, and what is inside the job at any moment
 * stays below the bounds that have names.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { memory } from "../../connectors/memory/memory.ts";
import { pacedBatches } from "../../connectors/paced_batches.ts";
import type { Sink } from "../../connectors/sink.ts";
import type { ShardBatch, Source } from "../../connectors/source.ts";
import { type Clock, delay } from "../../runtime/clock.ts";
import { defineJob } from "../../runtime/job.ts";
import { BATCH_ROWS_MAX, CHANNEL_ROWS_MAX, SHARD_ROWS_MIN } from "../../runtime/limits.ts";
import { store } from "../../runtime/state/state.ts";
import { hostedRun } from "./hosted_run.ts";

const SAMPLE_MS = 100;
/** When all of these jobs have long ended. */
const LATE_MS = 600_000;
const BATCH_ROWS = 500;
/** Rows of a shard's mailbox: as many as may wait, and the batch beyond. */
const MAILBOX_ROWS_MAX = SHARD_ROWS_MIN + BATCH_ROWS;

/** Rows handed out by a source and rows written by a sink, and the most that was between. */
class Meter {
  read = 0;
  written = 0;
  insideMax = 0;
  samples = 0;
  /** How often each row is written. */
  copies = 1;

  /** Looks at the numbers each {@linkcode SAMPLE_MS} of virtual time until all is written. */
  watch(clock: Clock, rows: number): void {
    this.samples++;
    this.insideMax = Math.max(this.insideMax, this.read - this.written / this.copies);
    if (this.written < rows && clock.now() < LATE_MS) {
      clock.setTimer(SAMPLE_MS, () => this.watch(clock, rows));
    }
  }
}

/** The numbers below `rows`, dealt out to shards; counts what it hands out. */
function countedSource(rows: number, shards: number, meter: Meter): Source<number> {
  return {
    kind: "counted",
    name: "counted",
    bounded: true,
    shards: () =>
      Promise.resolve(
        Array.from({ length: shards }, (_, shard) => ({ id: `${shard}`, parents: [] })),
      ),
    read: (shard, _after, context) =>
      pacedBatches(context, async function* () {
        for (let next = Number(shard); next < rows;) {
          const values: number[] = [];
          for (; next < rows && values.length < BATCH_ROWS; next += shards) values.push(next);
          meter.read += values.length;
          yield batchOf(values);
        }
      }),
  };
}

function batchOf(values: readonly number[]): ShardBatch<number> {
  return {
    length: values.length,
    bytes: values.length * 100,
    position: String(values.at(-1)),
    valueAt: (row) => values[row] ?? -1,
    positionAt: (row) => String(values[row]),
    timestampAt: () => -Infinity,
  };
}

/** A sink whose writers take so many rows a second of virtual time, and keep a batch at most. */
function slowSink(rowsPerSecond: number, meter: Meter, rows: number[]): Sink<number> {
  return {
    kind: "slow",
    name: "slow",
    guarantee: "at least once",
    open: ({ clock }) => {
      let pending = 0;
      let writing = Promise.resolve();
      return Promise.resolve({
        write(batch) {
          assertEquals(pending, 0, "The writer was given rows while it wanted none");
          const values = batch.values.slice(0, batch.length);
          pending += values.length;
          writing = delay(clock, values.length / rowsPerSecond * 1000).then(() => {
            rows.push(...values);
            meter.written += values.length;
            pending -= values.length;
          });
          return writing;
        },
        flush: () => writing,
        close: () => Promise.resolve(),
        pending: () => pending,
      });
    },
  };
}

/** The sum of the bounds of a job with one keyed stage and one sink, with the batch beyond each. */
function insideBound(workers: number, shards: number): number {
  const mailboxes = shards * MAILBOX_ROWS_MAX;
  // Handed over and not handled, one batch beyond, and the batch that is being filled.
  const channels = workers * workers * (CHANNEL_ROWS_MAX + 2 * BATCH_ROWS_MAX);
  // What comes together for the writer, and what it has been given.
  const writers = workers * 2 * BATCH_ROWS_MAX;
  return mailboxes + channels + writers;
}

const ascending = (a: number, b: number) => a - b;
const numbersBelow = (rows: number) => Array.from({ length: rows }, (_, number) => number);

describe("a job with a slow sink", () => {
  it("loses nothing of 200,000 records, and holds no more than its bounds", async () => {
    const ROWS = 200_000;
    const meter = new Meter();
    const written: number[] = [];
    const job = defineJob({
      name: "slow sink",
      sources: { numbers: countedSource(ROWS, 2, meter) },
      sinks: { slow: slowSink(1000, meter, written) },
      build({ numbers }, { slow }) {
        numbers.keyBy((n) => n % 1000)
          .process("pass", { state: {}, onEvent: (n) => [n] })
          .to(slow);
      },
    });
    const { outcome, endedAt } = await hostedRun(job, {
      workers: 2,
      alongside: (clock) => meter.watch(clock, ROWS),
    });
    assertEquals(outcome.kind, "finished");
    assertEquals(written.sort(ascending), numbersBelow(ROWS));
    // Two writers take 2,000 rows a second when both have work.
    assert(endedAt >= 100_000 && endedAt < 130_000, `It took ${endedAt} ms`);
    assert(meter.samples > 1000, `Looked only ${meter.samples} times`);
    const bound = insideBound(2, 2);
    assert(bound < ROWS / 3, "The bound says nothing about an input of this size");
    assert(meter.insideMax <= bound, `${meter.insideMax} rows were inside, at most ${bound} may`);
    // Nor is the sink kept waiting: the job fills what it may.
    assert(meter.insideMax > bound / 3, `Only ${meter.insideMax} rows were inside`);
  });

  it("keeps order within each key", async () => {
    const ROWS = 20_000;
    const meter = new Meter();
    const written: number[] = [];
    const job = defineJob({
      name: "slow sink in order",
      sources: { numbers: countedSource(ROWS, 2, meter) },
      sinks: { slow: slowSink(1000, meter, written) },
      build({ numbers }, { slow }) {
        numbers.keyBy((n) => n % 100)
          .process("pass", { state: {}, onEvent: (n) => [n] })
          .to(slow);
      },
    });
    await hostedRun(job, { workers: 2, seed: 5 });
    const last = new Map<number, number>();
    for (const n of written) {
      assert((last.get(n % 100) ?? -1) < n, `${n} came after ${last.get(n % 100)}`);
      last.set(n % 100, n);
    }
    assertEquals(written.length, ROWS);
  });
});

describe("a job with a slow stage", () => {
  it("holds no more than its bounds before a slow sink three stages on", async () => {
    const ROWS = 100_000;
    const meter = new Meter();
    const written: number[] = [];
    const job = defineJob({
      name: "slow third stage",
      sources: { numbers: countedSource(ROWS, 2, meter) },
      sinks: { slow: slowSink(5000, meter, written) },
      build({ numbers }, { slow }) {
        numbers.keyBy((n) => n % 50)
          .process("first", { state: {}, onEvent: (n) => [n] })
          .keyBy((n) => n % 70)
          .process("second", {
            state: { seen: store.value(0) },
            onEvent: (n, { state }) => (state.seen.value++, [n]),
          })
          .to(slow);
      },
    });
    const { outcome } = await hostedRun(job, {
      workers: 2,
      seed: 3,
      alongside: (clock) => meter.watch(clock, ROWS),
    });
    assertEquals(outcome.kind, "finished");
    assertEquals(written.sort(ascending), numbersBelow(ROWS));
    const secondEdge = 4 * (CHANNEL_ROWS_MAX + 2 * BATCH_ROWS_MAX);
    const bound = insideBound(2, 2) + secondEdge;
    assert(meter.insideMax <= bound, `${meter.insideMax} rows were inside, at most ${bound} may`);
  });

  it("holds no more than its bounds of a broadcast, which goes to all workers", async () => {
    const ROWS = 60_000;
    const WORKERS = 2;
    const meter = new Meter();
    meter.copies = WORKERS;
    const written: number[] = [];
    const job = defineJob({
      name: "slow broadcast",
      sources: { rules: countedSource(ROWS, 2, meter), none: memory.source<number>([]) },
      sinks: { slow: slowSink(2000, meter, written) },
      build({ rules, none }, { slow }) {
        none.keyBy((n) => n).connectBroadcast(rules).process("pass", {
          state: {},
          broadcast: { seen: store.value(0) },
          onEvent() {},
          onBroadcast: (n, { broadcast }) => (broadcast.seen.value++, [n]),
        }).to(slow);
      },
    });
    const { outcome } = await hostedRun(job, {
      workers: WORKERS,
      seed: 4,
      alongside: (clock) => meter.watch(clock, WORKERS * ROWS),
    });
    assertEquals(outcome.kind, "finished");
    assertEquals(written.sort(ascending), numbersBelow(ROWS).flatMap((n) => [n, n]));
    const bound = insideBound(WORKERS, 2);
    assert(bound < ROWS, "The bound says nothing about an input of this size");
    assert(meter.insideMax <= bound, `${meter.insideMax} rows were inside, at most ${bound} may`);
    assert(meter.insideMax > BATCH_ROWS_MAX, `Only ${meter.insideMax} rows were inside`);
  });

  it("holds no more than a mapAsync's capacity beyond its bounds", async () => {
    const ROWS = 10_000;
    const CAPACITY = 8;
    const meter = new Meter();
    const job = defineJob({
      name: "slow calls",
      sources: { numbers: countedSource(ROWS, 2, meter) },
      sinks: { out: memory.sink<number>() },
      build({ numbers }, { out }) {
        numbers.mapAsync("call", async (n, context) => {
          await context.delay(10);
          meter.written++;
          return n;
        }, { capacity: CAPACITY }).to(out);
      },
    });
    const { outcome, endedAt } = await hostedRun(job, {
      alongside: (clock) => meter.watch(clock, ROWS),
    });
    assertEquals(outcome.kind, "finished");
    assertEquals(job.sinks.out.rows.toSorted(ascending), numbersBelow(ROWS));
    assertEquals(endedAt, ROWS / CAPACITY * 10);
    const bound = 2 * MAILBOX_ROWS_MAX + CAPACITY;
    assert(meter.insideMax <= bound, `${meter.insideMax} rows were inside, at most ${bound} may`);
  });
});
