/**
 * Schemas of three libraries where jobs take them: what they accept is the type of the stream, without a word.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  defineJob,
  file,
  flatMapJson,
  is,
  kinesis,
  memory,
  type RawRecord,
  runJob,
  simulatedStream,
  type Source,
  type StandardSchema,
  type Stream,
} from "../../mod.ts";
import { arktype, v, z } from "../deps.ts";
import { filter, map } from "./deps.ts";
import { expectType } from "./expect_type.ts";

const ZodEvent = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("PAID"), id: z.string(), amount: z.number() }),
  z.object({ kind: z.literal("CANCELLED"), id: z.string() }),
]);
const ValibotEvent = v.variant("kind", [
  v.object({ kind: v.literal("PAID"), id: v.string(), amount: v.number() }),
  v.object({ kind: v.literal("CANCELLED"), id: v.string() }),
]);
const ArktypeEvent = arktype({ kind: "'PAID'", id: "string", amount: "number" })
  .or({ kind: "'CANCELLED'", id: "string" });

type Paid = { kind: "PAID"; id: string; amount: number };
type Event = Paid | { kind: "CANCELLED"; id: string };

const records = [{ kind: "PAID", id: "a", amount: 3 }, { kind: "CANCELLED", id: "b" }, {
  kind: "?",
}]
  .map((data, index) => ({ partitionKey: String(index), data }));

/** A job that adds nothing to the schema: its stream narrows as the schema's type does. */
function paidIds<T extends Event>(schema: StandardSchema<T>) {
  return defineJob({
    name: "paid",
    sources: { events: kinesis.source("events") },
    sinks: { ids: memory.sink<string>() },
    build({ events }, { ids }) {
      events.pipe(flatMapJson("$", schema), filter(is("kind", "PAID")), map((paid) => paid.id))
        .to(ids);
    },
  });
}

describe("StandardSchema", () => {
  it("is what zod, valibot and arktype give, with their types", async () => {
    defineJob({
      name: "three libraries",
      sources: { events: kinesis.source("events") },
      sinks: {},
      build({ events }) {
        expectType<Stream<Event>>()(events.pipe(flatMapJson("$", ZodEvent)), true);
        expectType<Stream<Event>>()(events.pipe(flatMapJson("$", ValibotEvent)), true);
        expectType<Stream<Event>>()(events.pipe(flatMapJson("$", ArktypeEvent)), true);
        const paid = events.pipe(flatMapJson("$", ArktypeEvent), filter(is("kind", "PAID")));
        expectType<Stream<Paid>>()(paid, true);
      },
    });
    for (const job of [paidIds(ZodEvent), paidIds(ValibotEvent), paidIds(ArktypeEvent)]) {
      const run = await runJob(job, { events: simulatedStream({ shards: 1, records }) });
      assertEquals(run.output("ids"), ["a"]);
      assertEquals(run.deadLetters.length, 1);
    }
  });

  it("gives the type behind transforms and defaults", async () => {
    const When = z.object({
      at: z.string().transform((text) => text.length),
      n: z.number().default(1),
    });
    const job = defineJob({
      name: "transforms",
      sources: { whens: kinesis.source("whens", { schema: When }) },
      sinks: { sums: memory.sink<number>() },
      build({ whens }, { sums }) {
        expectType<Stream<{ at: number; n: number }>>()(whens, true);
        whens.pipe(map(({ at, n }) => at + n)).to(sums);
      },
    });
    const run = await runJob(job, { whens: [{ at: 2, n: 3 }] });
    assertEquals(run.output("sums"), [5]);
  });

  it("is not just anything", () => {
    // @ts-expect-error a type guard is no schema
    const guard = () => flatMapJson("$", (value: unknown): value is Event => value !== null);
    // @ts-expect-error nor is an example of a value
    const example = () => flatMapJson("$", { kind: "PAID" });
    assertThrows(guard, TypeError, "expected a schema");
    assertThrows(example, TypeError, "expected a schema");
  });
});

describe("sources with a schema", () => {
  it("carry its type, and raw records without one", () => {
    expectType<Source<Event>>()(kinesis.source("events", { schema: ZodEvent }), true);
    expectType<Source<Event>>()(file.source("events.ndjson", { schema: ValibotEvent }), true);
    expectType<Source<Event>>()(
      file.source(["a.ndjson", "b.ndjson"], { schema: ArktypeEvent, follow: true }),
      true,
    );
    expectType<Source<RawRecord>>()(kinesis.source("events", { start: "trimHorizon" }), true);
    expectType<Source<RawRecord>>()(file.source("events.ndjson"), true);
    expectType<Source<number>>()(memory.source([1, 2]), true);
    expectType<Source<Event>>()(memory.source<Event>({ shards: [[], []] }), true);
    // @ts-expect-error no such start
    assertEquals(typeof (() => kinesis.source("events", { start: "yesterday" })), "function");
  });
});
