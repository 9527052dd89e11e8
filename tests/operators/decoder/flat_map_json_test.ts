/**
 * `flatMapJson` with fields over batches: whatever the decoder makes of a record, what is emitted and refused is the same
 * as by `JSON.parse`.
 *
 * @module
 */

import { assert, assertEquals, assertNotStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { batchOf as rawBatchOf, RawBatch, rowOf } from "../../../connectors/raw_record.ts";
import { RowStatus } from "../../../operators/decoder/decoded_batch.ts";
import { ColumnDecoder } from "../../../operators/decoder/column_decoder.ts";
import { fields } from "../../../operators/fields.ts";
import { flatMapJson, type FlatMapJsonOptions } from "../../../operators/flat_map_json.ts";
import { stepOf } from "../../../operators/fused.ts";
import type { StandardSchema } from "../../../operators/standard_schema.ts";
import { batchOf } from "./batch_of.ts";

const Event = fields({ id: "string", at: "number", note: "string?" });
const PATHS = ["$.detail", "$.event"] as const;
const detail = (event: unknown) => JSON.stringify({ detail: JSON.stringify({ event }) });

const RECORDS = [
  detail({ at: 1, id: "a" }),
  detail({ at: 1.5, id: "é", note: "x".repeat(2000) }),
  detail(undefined),
  "{}",
  detail({ at: 12345678901234567890, id: "long" }),
  detail({ at: 1, id: "\ud800" }),
  detail({ at: 1, id: 5 }),
  detail({ at: 1 }),
  detail(null),
  '{"detail":5}',
  '{"detail":"{"}',
  '{"detail":"{}"',
  "",
  new Uint8Array([0x22, 0xff, 0x22]),
  `{"detail":"{}",${detail({ at: 2, id: "last wins" }).slice(1)}`,
  `{"\\u0064etail"${detail({ at: 3, id: "escaped name" }).slice(9)}`,
  detail({ at: 9, id: "z", note: "" }),
];

function batch(): RawBatch {
  return new RawBatch({
    ...batchOf(RECORDS),
    shardId: "s",
    partitionKeys: RECORDS.map(() => "p"),
    sequenceNumbers: RECORDS.map((_, row) => `${row}`),
    arrivals: RECORDS.map(() => 0),
    position: "",
  });
}

/** A batch that tells which rows were asked for as text, which is for `JSON.parse`. */
class ObservedBatch extends RawBatch {
  readonly asked: number[] = [];

  override textAt(row: number): string {
    this.asked.push(row);
    return super.textAt(row);
  }
}

/** What a record came to, in words that can be compared. */
function run(schema: StandardSchema<unknown>, options?: FlatMapJsonOptions): unknown[] {
  const step = stepOf(flatMapJson(PATHS, schema, options));
  assert(step !== undefined);
  const raw = batch();
  return RECORDS.map((_, row) => {
    const record = raw.valueAt(row);
    const came: unknown[] = [];
    const refuse = (value: unknown, reason: string) => {
      came.push(["refused", value === record ? "the record" : value, reason]);
    };
    try {
      step(record, (value) => came.push(["emitted", Object.entries(Object(value))]), { refuse });
    } catch (error) {
      came.push(["thrown", String(error)]);
    }
    return came;
  });
}

describe("flatMapJson() with fields", () => {
  it("emits and refuses the same over batches as by JSON.parse, whatever is wrong", () => {
    const opaque: StandardSchema<unknown> = { "~standard": Event["~standard"] };
    for (const onInvalid of ["deadLetter", "drop", "throw"] as const) {
      assertEquals(run(Event, { onInvalid }), run(opaque, { onInvalid }));
    }
    const emitted = run(Event).filter((came) => JSON.stringify(came).startsWith('[["emitted"'));
    assertEquals(emitted.length, 7);
  });

  it("takes the decoder's word where it has decided", () => {
    const decoded = ColumnDecoder.of(PATHS, Event)?.decode(batchOf(RECORDS));
    const decided = RECORDS.keys()
      .filter((row) => decoded?.statusAt(row) !== RowStatus.FALLBACK).toArray();
    assertEquals(decided, [0, 1, 2, 3, 16]);
    const step = stepOf(flatMapJson(PATHS, Event));
    const observed = new ObservedBatch(batch().columns);
    for (const row of RECORDS.keys()) step?.(observed.valueAt(row), () => {}, { refuse() {} });
    assertEquals(observed.asked, RECORDS.keys().filter((row) => !decided.includes(row)).toArray());
  });

  it("takes records of another copy of the library, as jobs from a URL bring one", async () => {
    const copy: typeof import("../../../connectors/raw_record.ts") = await import(
      new URL("../../../connectors/raw_record.ts?copy", import.meta.url).href
    );
    const { columns } = batch();
    const foreign = new copy.RawBatch(columns);
    assertNotStrictEquals(copy.RawBatch, RawBatch);
    const step = stepOf(flatMapJson(PATHS, Event));
    const emitted: unknown[] = [];
    for (const row of [0, 16]) {
      const record = foreign.valueAt(row);
      assert(rawBatchOf(record) === foreign && rowOf(record) === row);
      step?.(record, (value) => emitted.push(value), { refuse() {} });
    }
    assertEquals(emitted, [{ id: "a", at: 1, note: undefined }, { id: "z", at: 9, note: "" }]);
  });

  it("does without the decoder where a path may select several nodes", () => {
    const step = stepOf(flatMapJson("$[*]", fields({ id: "string" })));
    const raw = new RawBatch({
      ...batchOf(['[{"id":"a"},{"id":"b"}]']),
      shardId: "s",
      partitionKeys: [],
      sequenceNumbers: [],
      arrivals: [],
      position: "",
    });
    const emitted: unknown[] = [];
    step?.(raw.valueAt(0), (value) => emitted.push(value), { refuse() {} });
    assertEquals(emitted, [{ id: "a" }, { id: "b" }]);
  });

  it("decodes in a worker", async () => {
    const worker = new Worker(new URL("./jobs/decoding_worker.ts", import.meta.url), {
      type: "module",
    });
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
    assertEquals(await promise, { id: "a" });
    worker.terminate();
  });
});
