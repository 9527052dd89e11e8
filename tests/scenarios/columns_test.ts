/**
 * Columns from bytes to handlers: a job whose key and times are plain fields must do what it does when the engine can't
 * see that, whatever the records are, on any number of workers; and what users keep of a row stays as it was.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { defineJob, fields, flatMapJson, kinesis, memory, store } from "../../mod.ts";
import { jsonBatches } from "../../connectors/kinesis/json_batch.ts";
import type { RawBatch } from "../../connectors/raw_record.ts";
import type { Observable } from "../../deps.ts";
import { decoding } from "../../operators/decoder/column_decoder.ts";
import { validator } from "../../operators/standard_schema.ts";
import { columnarCut } from "../../runtime/columnar_cut.ts";
import { silentLogger } from "../../runtime/logger.ts";
import type { Job } from "../../runtime/job.ts";
import { buildTopology } from "../../runtime/stream_builder.ts";
import { runJob } from "../../runtime/testing/run_job.ts";
import { simulatedStream } from "../../runtime/testing/simulated_stream.ts";
import { bufferCount, map } from "../runtime/deps.ts";
import { fc } from "../deps.ts";

const Event = fields({
  id: "string",
  at: "number",
  note: "string|null?",
  place: { zip: "number" },
});
type Event = Exclude<ReturnType<(typeof Event)["~standard"]["validate"]>, Promise<unknown>> extends
  infer V ? V extends { readonly value: infer T } ? T : never : never;

interface Keys {
  readonly key: (event: Event) => string | number;
  readonly timestamp: (event: Event) => number;
}

/** What the engine can see, */
const SEEN: readonly Keys[] = [
  { key: (event) => event.id, timestamp: (event) => event.at },
  { key: ({ id }) => id, timestamp: ({ at }) => at },
  { key: (event) => event.place.zip, timestamp: (event) => event.at },
];
/** and the same in a way that it can't. */
const UNSEEN: readonly Keys[] = SEEN.map(({ key, timestamp }) => ({
  key: (event) => key(event),
  timestamp: (event) => timestamp(event),
}));

/** Tells of each key what it sees, and sets a timer after each row. */
function job({ key, timestamp }: Keys) {
  return defineJob({
    name: "columns",
    sources: { events: kinesis.source("events") },
    sinks: { out: memory.sink<string>() },
    build({ events }, { out }) {
      events.flatMapJson(["$.detail", "$.event"], Event)
        .eventTime({ timestamp, outOfOrderness: 50 })
        .keyBy(key)
        .process("see", {
          state: { count: store.value(0), last: store.value<Event>() },
          onEvent(event, { key, timestamp, state, setTimer }) {
            const { last } = state;
            const before = last.value;
            state.count.value++;
            last.value = event;
            if (event.note === "forget") {
              last.clear();
              state.count.clear();
            }
            if (event.note === "throw") throw new Error("thrown");
            setTimer("later", timestamp + 100);
            return [
              `${typeof key} ${key} ${
                JSON.stringify([timestamp, state.count.value, event, before])
              }`,
            ];
          },
          onTimer(_name, { key, timestamp, state }) {
            const { last } = state;
            return [`${typeof key} ${key} timer ${timestamp} ${JSON.stringify(last.value)}`];
          },
        })
        .to(out);
    },
  });
}

function cutOf(job: Job) {
  const topology = buildTopology(job, { params: undefined, logger: silentLogger });
  const keyBy = topology.nodes.find((node) => node.kind === "keyBy");
  return keyBy && columnarCut(topology, keyBy.id);
}

async function outcome(keys: Keys, records: readonly string[], workers: number) {
  const events = simulatedStream({
    // Of one shard: between shards nothing is promised about order.
    shards: 1,
    records: records.map((data) => ({ partitionKey: "p", data })),
    batchRecordsMax: 7,
  });
  const run = await runJob(job(keys), { events }, { workers });
  return {
    // Order holds within a key, and so does that of its timers.
    lines: Map.groupBy(run.output("out"), (line) => line.split(" ", 2).join(" ")),
    letters: run.deadLetters.map(({ reason, key, origin }) => `${origin} ${key} ${reason}`).sort(),
    keys: run.status.stages["see"]?.keys,
  };
}

const texts = fc.constantFrom("a", "b", "é", "\u{1f600}", "", "a\u0000b", "x".repeat(40));
const events = fc.record({
  id: texts,
  at: fc.integer({ min: 0, max: 300 }),
  note: fc.constantFrom(null, undefined, "n", "forget", "throw"),
  place: fc.record({ zip: fc.constantFrom(0, -1, 5, 1.5, 123456789012, 1e-7) }),
});
const detail = (event: unknown) => JSON.stringify({ detail: JSON.stringify({ event }) });
const records = fc.oneof(
  { weight: 12, arbitrary: events.map(detail) },
  // Nothing is selected.
  { weight: 1, arbitrary: fc.constant(JSON.stringify({ other: 1 })) },
  // Not what the schema wants, no JSON, and what only JSON.parse can decide.
  { weight: 1, arbitrary: events.map(({ id }) => detail({ id })) },
  { weight: 1, arbitrary: fc.constant('{"detail":') },
  {
    weight: 1,
    arbitrary: events.map((event) => detail({ ...event, id: "\ud800" })),
  },
);

describe("columns", () => {
  it("give what rows give, for any records on any number of workers", async () => {
    for (const [index, keys] of SEEN.entries()) {
      const unseen = UNSEEN[index];
      assert(cutOf(job(keys)) !== undefined && unseen !== undefined);
      assert(cutOf(job(unseen)) === undefined);
      await fc.assert(
        fc.asyncProperty(
          fc.array(records, { maxLength: 60 }),
          fc.integer({ min: 1, max: 3 }),
          async (records, workers) => {
            assertEquals(
              await outcome(keys, records, workers),
              await outcome(unseen, records, 1),
            );
          },
        ),
        { numRuns: 40 },
      );
    }
  });

  it("leave rows alone that are kept in state while thousands of others pass", async () => {
    const place = { zip: 1 };
    const of = (id: string, at: number) =>
      detail({ id, at, note: `note of ${id} at ${at}`, place });
    const kept = Array.from({ length: 50 }, (_, n) => of(`kept-${n}`, n));
    const passing = Array.from({ length: 5000 }, (_, n) => of(`pass-${n % 700}`, 50 + n));
    const again = Array.from({ length: 50 }, (_, n) => of(`kept-${n}`, 9000 + n));
    const { lines } = await outcome(SEEN[0] as Keys, [...kept, ...passing, ...again], 1);
    for (let n = 0; n < 50; n++) {
      const second = lines.get(`string kept-${n}`)?.find((line) => line.includes(`[${9000 + n},`));
      assert(second?.includes(`"note":"note of kept-${n} at ${n}"`), second);
    }
  });

  it("leave rows alone that a user's operator keeps", async () => {
    const job = defineJob({
      name: "kept",
      sources: { events: kinesis.source("events") },
      sinks: { out: memory.sink<string>() },
      build({ events }, { out }) {
        events.pipe(
          flatMapJson("$", fields({ id: "string", at: "number" })),
          bufferCount(1000),
          map((rows) => rows.map(({ id, at }) => `${id}=${at}`).join()),
        ).to(out);
      },
    });
    const data = (n: number) => ({ id: `id ${n} ${"é".repeat(n % 5)}`, at: n });
    const records = Array.from({ length: 3000 }, (_, n) => ({ partitionKey: "p", data: data(n) }));
    const events = simulatedStream({ shards: 1, records, batchRecordsMax: 300 });
    const run = await runJob(job, { events });
    const expected = records.map(({ data: { id, at } }) => `${id}=${at}`);
    assertEquals(run.output("out").join(), expected.join());
  });

  it("go through a source's own schema as well", async () => {
    const Order = fields({ id: "string", total: "number" });
    const records = Array.from({ length: 500 }, (_, n) => ({ id: `o${n % 9}`, total: n }));
    const raw = simulatedStream({
      shards: 2,
      records: [...records, { id: "not an order" }].map((data) => ({
        partitionKey: data.id,
        data,
      })),
    });
    const summed = (key: (order: { readonly id: string }) => string) =>
      defineJob({
        name: "orders",
        sources: {
          orders: decoding(
            {
              ...raw,
              read: (...of: Parameters<typeof raw.read>) =>
                jsonBatches(raw.read(...of) as Observable<RawBatch>, validator(Order)),
            },
            ["$"],
            Order,
          ),
        },
        sinks: { out: memory.sink<string>() },
        build({ orders }, { out }) {
          orders.keyBy(key).process("sum", {
            state: { sum: store.value(0) },
            onEvent: ({ total }, { key, state }) => [`${key} ${state.sum.value += total}`],
          }).to(out);
        },
      });
    const [seen, unseen] = [summed((order) => order.id), summed((order) => String(order.id))];
    assertEquals([cutOf(seen)?.decoder.key.kind, cutOf(unseen)], ["string", undefined]);
    const runs = [seen, unseen].map((job) => runJob(job, { orders: job.sources.orders }));
    const [one, other] = await Promise.all(runs);
    assert(one !== undefined && other !== undefined);
    assertEquals(one.output("out").toSorted(), other.output("out").toSorted());
    assertEquals([one.output("out").length, one.deadLetters.length], [500, 1]);
    assertEquals(one.deadLetters, other.deadLetters);
  });
});
