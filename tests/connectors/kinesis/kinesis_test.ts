import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { kinesis } from "../../../connectors/kinesis/kinesis.ts";
import type { RawRecord } from "../../../connectors/raw_record.ts";
import type { Sink } from "../../../connectors/sink.ts";
import type { Source } from "../../../connectors/source.ts";
import { arktype, v, z } from "../../deps.ts";

type Equal<A, B> = (<X>() => X extends A ? 1 : 2) extends (<X>() => X extends B ? 1 : 2) ? true
  : false;
function expectType<Expected>() {
  return <Actual>(_: Actual, same: Equal<Expected, Actual>): void => void same;
}

describe("kinesis.source()", () => {
  it("gives raw records, or what the schema gives", () => {
    const raw = kinesis.source("s");
    expectType<Source<RawRecord>>()(raw, true);
    expectType<Source<RawRecord>>()(kinesis.source("s", { start: { at: 1 } }), true);
    const Order = z.object({ id: z.string(), kind: z.enum(["a", "b"]) });
    const options = { schema: Order, start: "trimHorizon" } as const;
    const orders = kinesis.source("s", options);
    expectType<Source<{ id: string; kind: "a" | "b" }>>()(orders, true);
    const valibot = kinesis.source("s", { schema: v.object({ n: v.number() }) });
    expectType<Source<{ n: number }>>()(valibot, true);
    const ark = kinesis.source("s", { schema: arktype({ a: "string" }) });
    expectType<Source<{ a: string }>>()(ark, true);
    assertEquals([raw.kind, raw.name, raw.bounded], ["kinesis", "s", false]);
  });

  it("refuses names, starts and schemas that can't be", () => {
    for (const name of ["", "a b", "arn:aws:kinesis:eu-west-1:1:stream/a", "a".repeat(129)]) {
      assertThrows(() => kinesis.source(name), RangeError, "Cannot use stream");
      assertThrows(() => kinesis.sink(name, { partitionKey: String }), RangeError);
    }
    assertThrows(() => kinesis.source("s", { start: { at: -1 } }), RangeError);
    assertThrows(() => kinesis.source("s", { start: { after: { a: "x" } } }), TypeError);
    for (const recordsPerCall of [0, 1.5, 10_001]) {
      assertThrows(() => kinesis.source("s", { recordsPerCall }), RangeError, "records per call");
    }
    // @ts-expect-error A schema speaks Standard Schema.
    assertThrows(() => kinesis.source("s", { schema: {} }), TypeError);
  });
});

describe("kinesis.sink()", () => {
  it("takes what its key function takes", () => {
    const sink = kinesis.sink<number>("s", { partitionKey: String });
    expectType<Sink<number>>()(sink, true);
    const inferred = kinesis.sink("s", { partitionKey: ({ id }: { id: string }) => id });
    expectType<Sink<{ id: string }>>()(inferred, true);
    assertEquals([sink.kind, sink.name], ["kinesis", "s"]);
  });

  it("refuses an idField where encode makes the record", () => {
    const encode = () => new Uint8Array(1);
    const options = { partitionKey: String, encode, idField: "id" };
    assertThrows(() => kinesis.sink("s", options), TypeError, "idField");
  });

  it("refuses record sizes that no stream can be set to", () => {
    for (const maxRecordBytes of [0, NaN, 10 * 1024 * 1024 + 1]) {
      assertThrows(() => kinesis.sink("s", { partitionKey: String, maxRecordBytes }), RangeError);
    }
  });
});
