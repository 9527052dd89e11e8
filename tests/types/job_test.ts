/**
 * What the compiler infers of a whole job: sources, sinks and parameters, and of its run in a test.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  type BuildContext,
  type DeadLetter,
  defineJob,
  type Job,
  kinesis,
  memory,
  runJob,
  simulatedStream,
  type Sink,
  type Stream,
  type TestRun,
} from "../../mod.ts";
import { z } from "../deps.ts";
import { map } from "./deps.ts";
import { expectType } from "./expect_type.ts";

const Order = z.object({ id: z.string(), total: z.number(), kind: z.enum(["new", "again"]) });
type Order = z.infer<typeof Order>;

const totals = defineJob({
  name: "totals",
  params: z.object({ factor: z.number().default(1), note: z.string().optional() }),
  sources: { orders: kinesis.source("orders", { schema: Order }), raw: kinesis.source("raw") },
  sinks: {
    totals: kinesis.sink<number>("totals", { partitionKey: String }),
    texts: kinesis.sink<{ text: string }>("texts", {
      partitionKey: (row) => row.text,
      explicitHashKey: () => "0",
    }),
  },
  build({ orders, raw }, sinks, { params, logger }) {
    expectType<{ factor: number; note?: string | undefined }>()(params, true);
    expectType<Sink<number>>()(sinks.totals, true);
    logger.debug("Building", { factor: params.factor });
    orders.pipe(map((order) => order.total * params.factor)).to(sinks.totals);
    raw.pipe(map((record) => ({ text: record.partitionKey }))).to(sinks.texts);
  },
});

const ORDER: Order = { id: "a", total: 2, kind: "new" };

describe("defineJob()", () => {
  it("gives build the streams, the sinks and the parameters", async () => {
    const run = await runJob(totals, { orders: [ORDER] }, { params: { factor: "3" } });
    assertEquals(run.output("totals"), [6]);
  });

  it("keeps a job usable as any job", () => {
    const jobs: readonly Job[] = [totals as Job];
    assertEquals(jobs[0]?.name, "totals");
    defineJob({
      name: "letters",
      sources: {},
      sinks: {},
      deadLetters: memory.sink<DeadLetter>(),
      build(streams, sinks, context) {
        expectType<BuildContext<unknown>>()(context, true);
        // @ts-expect-error no source was declared
        streams.orders;
        // @ts-expect-error no sink was declared
        sinks.totals;
      },
    });
  });

  it("refuses what a job is not", () => {
    // @ts-expect-error a job has a name
    const nameless = () => defineJob({ sources: {}, sinks: {}, build() {} });
    // @ts-expect-error an array of values is no source yet
    const bare = () => defineJob({ name: "a", sources: { a: [1] }, sinks: {}, build() {} });
    const policy = () =>
      // @ts-expect-error no such policy
      defineJob({ name: "a", sources: {}, sinks: {}, onError: "ignore", build() {} });
    const letters = () =>
      defineJob({
        name: "a",
        sources: {},
        sinks: {},
        // @ts-expect-error dead letters are objects
        deadLetters: memory.sink<string>(),
        build() {},
      });
    const params = () =>
      defineJob({
        name: "a",
        params: z.object({ limit: z.number() }),
        sources: {},
        sinks: {},
        build(_streams, _sinks, context) {
          // @ts-expect-error no such parameter
          context.params.limits;
        },
      });
    assertEquals([nameless, bare, policy, letters, params].length, 5);
  });

  it("refuses a partition key of something else than the row", () => {
    // @ts-expect-error there is no such property
    kinesis.sink<Order>("orders", { partitionKey: (order) => order.customer });
    // @ts-expect-error a partition key is a text
    kinesis.sink<Order>("orders", { partitionKey: (order) => order.total });
  });
});

describe("runJob()", () => {
  it("gives each sink's rows with their type", async () => {
    const run = await runJob(totals, {
      orders: [ORDER],
      raw: simulatedStream({ shards: 1, records: [{ partitionKey: "p", data: "x" }] }),
    });
    expectType<readonly number[]>()(run.output("totals"), true);
    expectType<readonly { text: string }[]>()(run.output("texts"), true);
    expectType<readonly DeadLetter[]>()(run.deadLetters, true);
    expectType<number | undefined>()(run.status.sources["orders"]?.records, true);
    assertEquals(run.output("texts"), [{ text: "p" }]);
  });

  it("refuses sinks and sources that the job has not", async () => {
    const run = await runJob(totals);
    // @ts-expect-error no such sink
    const unknownSink = (): unknown => run.output("zzz");
    // @ts-expect-error no such source
    const unknownSource = () => runJob(totals, { nope: [] });
    await assertRejects(async () => await unknownSink(), RangeError, '"zzz"');
    await assertRejects(unknownSource, RangeError, '"nope"');
  });

  it("refuses records of another type than the source's", () => {
    const inputs = [
      // @ts-expect-error an id is a text
      () => runJob(totals, { orders: [{ id: 1, total: 2, kind: "new" }] }),
      // @ts-expect-error a property is missing
      () => runJob(totals, { orders: [{ id: "a", total: 2 }] }),
      // @ts-expect-error not one of the kinds
      () => runJob(totals, { orders: [{ id: "a", total: 2, kind: "old" }] }),
      // @ts-expect-error a stand-in for a parsed source delivers values, not bytes
      () => runJob(totals, { orders: simulatedStream({ shards: 1, records: [] }) }),
      // @ts-expect-error parameters are texts, as from flags
      () => runJob(totals, {}, { params: { factor: 3 } }),
    ];
    assertEquals(inputs.length, 5);
  });

  it("takes jobs whose types are not known", async () => {
    const run: TestRun<Record<string, Sink<never>>> = await runJob(totals as Job);
    assertEquals(run.output("totals"), []);
    const anyStream = (stream: Stream<unknown>) => stream;
    assertEquals(typeof anyStream, "function");
  });
});
