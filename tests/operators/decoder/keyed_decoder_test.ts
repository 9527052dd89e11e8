/**
 * Rows dealt out by key: groups as Flink has them, each worker's rows and no others, in order, in memory of their own.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ColumnDecoder } from "../../../operators/decoder/column_decoder.ts";
import type { KeyedDecoder } from "../../../operators/decoder/keyed_decoder.ts";
import type { PickedRows } from "../../../operators/decoder/picked_rows.ts";
import {
  DECODER_MEMORY_BYTES_MAX,
  type RecordBounds,
} from "../../../operators/decoder/program_run.ts";
import { fields } from "../../../operators/fields.ts";
import { keyGroupOf } from "../../../runtime/state/key_group.ts";
import { fc } from "../../deps.ts";
import { batchOf } from "./batch_of.ts";

const GROUPS = 128;
const Row = fields({
  id: "string",
  n: "number",
  note: "string|null?",
  flag: "boolean?",
  in: { at: "number", name: "string" },
  kind: "=row",
});

function keyedBy(...path: string[]): KeyedDecoder {
  const decoder = ColumnDecoder.of(["$"], Row)?.keyedBy(path);
  assert(decoder !== undefined, `no decoder for ${path}`);
  return decoder;
}

/** All rows of a batch. */
const allOf = (records: RecordBounds) => [{ records, from: 0, to: records.starts.length }];

/** Group `g` is on worker `g % workers`. */
const routingTo = (workers: number) =>
  Uint16Array.from({ length: GROUPS }, (_, group) => group % workers);

const rowsOf = (
  decoder: KeyedDecoder,
  picked: PickedRows | undefined,
  keyOf: (row: number) => unknown,
) =>
  Array.from(picked?.sourceRows ?? [], (source, row) => ({
    source,
    group: picked?.groups[row],
    value: picked && decoder.construct(picked.columns, row, keyOf(source)),
  }));

const text = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: "binary", maxLength: 8 }),
  fc.integer({ min: 900, max: 3000 }).map((length) => "long ".repeat(length / 5)),
).filter((text) => text.isWellFormed());
const number = fc.oneof(
  fc.integer(),
  fc.constantFrom(0, -0, 1.5, -1e-7, 2 ** 53 - 1, -(2 ** 53 - 1), 2 ** 53, 123456.75, 1e15),
);
const row = fc.record({
  id: text,
  n: number,
  note: fc.option(text, { nil: null }),
  flag: fc.boolean(),
  in: fc.record({ at: fc.integer(), name: text }),
  kind: fc.constant("row"),
}, { requiredKeys: ["id", "n", "in", "kind"] });

describe("KeyedDecoder", () => {
  it("gives each worker the rows of its key groups, in order and as they were", () => {
    const paths = [["id"], ["n"], ["in", "name"], ["in", "at"]] as const;
    fc.assert(
      fc.property(
        fc.array(fc.option(row, { freq: 9 }), { maxLength: 40 }),
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom(...paths),
        (rows, workers, path) => {
          const decoder = keyedBy(...path);
          // A number is no object, and thus nothing to a path: that row is for nobody.
          const batch = batchOf(rows.map((row) => JSON.stringify(row === null ? { no: 1 } : row)));
          const decided = rows.every((row) => row !== null);
          const keyOf = (source: number) => {
            const { id, n, in: { at, name } } = Object(rows[source]);
            return { id, n, "in,name": name, "in,at": at }[path.join()];
          };
          const picked = decoder.decode(allOf(batch), routingTo(workers));
          if (!decided) return assertEquals(picked, undefined);
          for (let worker = 0; worker < workers; worker++) {
            const expected = rows.flatMap((row, source) => {
              // What JSON.stringify makes of -0.
              const key = keyOf(source) === 0 ? 0 : keyOf(source);
              const group = keyGroupOf(key as string | number, GROUPS);
              const { note, flag } = Object(row);
              const { id, n, in: inner, kind } = JSON.parse(JSON.stringify(row));
              return group % workers === worker
                ? [{ source, group, value: { id, n, note, flag, in: inner, kind } }]
                : [];
            });
            const found = rowsOf(
              decoder,
              picked?.[worker],
              (source) => keyOf(source) === 0 ? 0 : keyOf(source),
            );
            assertEquals(found, expected);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it("leaves out rows in which the paths select nothing", () => {
    const decoder = ColumnDecoder.of(["$.row"], fields({ id: "string" }))?.keyedBy(["id"]);
    const batch = batchOf(['{"other":1}', '{"row":{"id":"a"}}', "5", '{"row":{"id":"b"}}']);
    const [picked] = decoder?.decode(allOf(batch), routingTo(1)) ?? [];
    assertEquals(picked?.sourceRows, new Uint32Array([1, 3]));
    const none = decoder?.decode(allOf(batchOf(["5"])), routingTo(1));
    assertEquals(none, [undefined]);
  });

  it("decodes ranges of batches as one, and numbers their rows through", () => {
    const decoder = keyedBy("id");
    fc.assert(fc.property(
      fc.array(
        fc.record({ before: fc.nat(2), rows: fc.array(row, { maxLength: 8 }), behind: fc.nat(2) }),
        { maxLength: 5 },
      ),
      fc.integer({ min: 1, max: 3 }),
      (batches, workers) => {
        const broken = (count: number) => new Array<string>(count).fill("no JSON");
        const ranges = batches.map(({ before, rows, behind }) => ({
          records: batchOf([
            ...broken(before),
            ...rows.map((row) => JSON.stringify(row)),
            ...broken(behind),
          ]),
          from: before,
          to: before + rows.length,
        }));
        const rows = batches.flatMap(({ rows }) => rows);
        const joined = allOf(batchOf(rows.map((row) => JSON.stringify(row))));
        const of = (picked: readonly (PickedRows | undefined)[] | undefined) =>
          picked?.map((rows) => rowsOf(decoder, rows, (source) => source));
        const routing = routingTo(workers);
        assertEquals(of(decoder.decode(ranges, routing)), of(decoder.decode(joined, routing)));
      },
    ));
  });

  it("decides nothing of a batch with an undecided row, or that needs too much memory", () => {
    const decoder = ColumnDecoder.of(["$"], fields({ id: "string" }))?.keyedBy(["id"]);
    const broken = batchOf(['{"id":"a"}', '{"id":"b"']);
    assertEquals(decoder?.decode(allOf(broken), routingTo(1)), undefined);
    // One payload, which so many rows share.
    const { arena } = batchOf([JSON.stringify({ id: "x".repeat(1 << 20) })]);
    const rows = DECODER_MEMORY_BYTES_MAX / (1 << 20) + 1;
    const [starts, ends] = [new Array(rows).fill(0), new Array(rows).fill(arena.length)];
    assertEquals(decoder?.decode(allOf({ arena, starts, ends }), routingTo(1)), undefined);
  });

  it("hands out memory that later batches leave alone", () => {
    const decoder = ColumnDecoder.of(["$"], fields({ id: "string", name: "string" }))?.keyedBy([
      "id",
    ]);
    const batches = Array.from(
      { length: 3 },
      (_, n) =>
        batchOf(
          Array.from({ length: 50 }, (_, m) => JSON.stringify({ id: `${m}`, name: `${n} ${m}` })),
        ),
    );
    const picked = batches.map((batch) => decoder?.decode(allOf(batch), routingTo(2)));
    for (const [n, workers] of picked.entries()) {
      for (const rows of workers ?? []) {
        for (const [index, m] of [...rows?.sourceRows ?? []].entries()) {
          const value = rows && decoder?.construct(rows.columns, index, `${m}`);
          assertEquals(value, { id: `${m}`, name: `${n} ${m}` });
        }
      }
    }
  });

  it("is there for a string or a number that every row has, and for no other field", () => {
    const decoder = ColumnDecoder.of(["$"], Row);
    const keys = [["id"], ["in", "at"], ["note"], ["flag"], ["in"], ["kind"], ["nothing"], []];
    assertEquals(keys.map((path) => decoder?.keyedBy(path)?.key.kind), [
      "string",
      "number",
      ...new Array(6).fill(undefined),
    ]);
    const keyed = keyedBy("id");
    assertEquals([keyed.numbersAt(["n"]), keyed.numbersAt(["in", "at"])], [0, 1]);
    assertEquals([keyed.numbersAt(["id"]), keyed.numbersAt(["x"])], [undefined, undefined]);
  });
});
