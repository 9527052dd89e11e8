import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ColumnDecoder } from "../../../operators/decoder/column_decoder.ts";
import { fields } from "../../../operators/fields.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { KeyTable } from "../../../runtime/state/key_table.ts";
import { DecodedRows } from "../../../runtime/transport/decoded_rows.ts";
import { originText } from "../../../runtime/transport/origin.ts";
import { batchOf } from "../../operators/decoder/batch_of.ts";

const values = ["a", "é", "a", "x".repeat(2000)].map((id, n) => ({
  id,
  at: n + 0.5,
  note: `n${n}`,
}));

function decodedRows(key: string, isShared = false) {
  const decoder = ColumnDecoder.of(["$"], fields({ id: "string", at: "number", note: "string" }))
    ?.keyedBy([key]);
  const batch = batchOf(["no JSON", ...values.map((value) => JSON.stringify(value))]);
  const [picked] = decoder?.decode([{ records: batch, from: 1, to: 5 }], new Uint16Array(1)) ?? [];
  assert(decoder !== undefined && picked !== undefined);
  picked.timestamps.set([1, 2, -Infinity, 4]);
  const rows = DecodedRows.of(decoder, picked, {
    origin: { shard: "in/s0", positionAt: (row) => `${row + 1}`.repeat(row + 1) },
    bytes: 77,
    isShared,
  });
  return { decoder, rows };
}

/** Everything of rows, one by one. */
function seen(rows: DecodedRows) {
  const keys = new KeyTable(seededRandom(1));
  const slots = new Uint32Array(rows.length);
  rows.slotsIn(keys, slots);
  return Array.from(slots, (slot, row) => ({
    key: keys.keyAt(slot),
    value: rows.valueAt(row, keys, slot),
    timestamp: rows.timestampAt(row),
    origin: originText(rows.originAt(row), rows.originRowAt(row)),
  }));
}

describe("DecodedRows", () => {
  it("gives keys, values, times and origins of rows, here and on another worker", () => {
    for (const key of ["id", "at"] as const) {
      const { decoder, rows } = decodedRows(key);
      const expected = values.map((value, row) => ({
        key: value[key],
        value,
        timestamp: [1, 2, -Infinity, 4][row] ?? NaN,
        origin: `in/s0@${`${row + 1}`.repeat(row + 1)}`,
      }));
      assertEquals(seen(rows), expected);
      const encoded = rows.encode();
      const sent = structuredClone(encoded, { transfer: [encoded.buffer] });
      assertEquals(rows.groups.length, 0, "nothing is copied");
      const received = DecodedRows.decode(sent, decoder);
      assertEquals([seen(received), received.bytes], [expected, 77]);
    }
  });

  it("frees its memory, and still knows where rows came from", () => {
    const { decoder, rows } = decodedRows("id");
    const sent = rows.encode();
    const received = DecodedRows.decode(structuredClone(sent), decoder);
    for (const held of [received, decodedRows("id").rows]) {
      const kept = Array.from(
        { length: 4 },
        (_, row) => [held.originAt(row), held.originRowAt(row)] as const,
      );
      held.free();
      assertEquals(held.groups.length, 0);
      const origins = kept.map(([origin, row]) => originText(origin, row));
      assertEquals(origins, ["in/s0@1", "in/s0@22", "in/s0@333", "in/s0@4444"]);
    }
  });

  it("stays as it is where several stages get the same rows", () => {
    const { decoder, rows } = decodedRows("id", true);
    const before = seen(rows);
    for (let stage = 0; stage < 2; stage++) {
      const encoded = rows.encode();
      const sent = structuredClone(encoded, { transfer: [encoded.buffer] });
      assertEquals(seen(DecodedRows.decode(sent, decoder)), before);
      rows.free();
    }
    assertEquals(seen(rows), before);
  });
});
