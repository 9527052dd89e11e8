import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { Key } from "../../../runtime/key.ts";
import { ColumnEncoder, UncloneableRow } from "../../../runtime/transport/column_codec.ts";
import { NO_ORIGIN, type Origin, originText } from "../../../runtime/transport/origin.ts";
import {
  decodeRows,
  encodeRows,
  RowBatch,
  transferables,
} from "../../../runtime/transport/row_batch.ts";

const origins: readonly Origin[] = [
  { shard: "orders/shard-0", positionAt: (row) => `4959${row}` },
  { shard: "orders/shard-1", positionAt: (row) => "x".repeat(row) },
  NO_ORIGIN,
];

function batchOf(
  rows: readonly {
    value: unknown;
    key: Key;
    group?: number;
    timestamp?: number;
    origin?: number;
    row?: number;
  }[],
) {
  const batch = new RowBatch();
  for (const { value, key, group = 0, timestamp = -Infinity, origin = 2, row = 0 } of rows) {
    batch.values.push(value);
    batch.keys.push(key);
    batch.groups.push(group);
    batch.timestamps.push(timestamp);
    batch.origins.push(origins[origin] ?? NO_ORIGIN);
    batch.originRows.push(row);
    batch.subs.push(batch.subs.length * 2 ** 40);
    batch.bytes += 10;
  }
  return batch;
}

/** Everything of a batch, row by row. */
const rowsOf = (batch: RowBatch) =>
  batch.values.map((value, row) => ({
    value,
    key: batch.keys[row],
    group: batch.groups[row],
    timestamp: batch.timestamps[row],
    sub: batch.subAt(row),
    origin: originText(batch.origins[row] ?? NO_ORIGIN, batch.originRows[row] ?? 0),
  }));

const sent = (batch: RowBatch) => {
  const encoded = encodeRows(batch, new ColumnEncoder());
  return decodeRows(structuredClone(encoded, { transfer: transferables(encoded) }));
};

describe("encodeRows()", () => {
  it("carries all of each row to another worker", () => {
    const batch = batchOf([
      {
        value: { id: "a", total: 5 },
        key: "a",
        group: 32767,
        timestamp: 1.7e12,
        origin: 0,
        row: 7,
      },
      { value: { id: "b", total: 6 }, key: "b", group: 1, timestamp: -5, origin: 1, row: 3 },
      { value: undefined, key: "", origin: 2, row: 9 },
      { value: { id: "c", total: 7 }, key: 42, origin: 1, row: 0 },
      { value: "text", key: -0.5, origin: 0, row: 0 },
    ]);
    const received = sent(batch);
    assertEquals(rowsOf(received), rowsOf(batch));
    assertEquals([received.length, received.bytes], [5, 50]);
  });

  it("keeps numbers and texts apart in keys", () => {
    const batch = batchOf([{ value: 1, key: "1" }, { value: 2, key: 1 }]);
    assertEquals(sent(batch).keys, ["1", 1]);
  });

  it("carries no rows as well", () => {
    assertEquals(rowsOf(sent(new RowBatch())), []);
  });

  it("names the first row that can't be sent", () => {
    const batch = batchOf([{ value: 1, key: "a" }, { value: { call: () => {} }, key: "b" }]);
    const error = assertThrows(() => encodeRows(batch, new ColumnEncoder()), UncloneableRow);
    assertEquals(error.row, 1);
  });
});

describe("RowBatch", () => {
  it("goes without some of its rows, and keeps its size for the credits that were counted", () => {
    const batch = batchOf([
      { value: 1, key: "a", group: 1, timestamp: 10, origin: 0, row: 1 },
      { value: 2, key: "b", group: 2, timestamp: 20, origin: 1, row: 2 },
      { value: 3, key: "c", group: 3, timestamp: 30, origin: 0, row: 3 },
    ]);
    const rest = batch.without(new Set([0, 2]));
    assertEquals(rowsOf(rest), rowsOf(batch).slice(1, 2));
    assertEquals([rest.bytes, batch.length], [30, 3]);
  });
});
