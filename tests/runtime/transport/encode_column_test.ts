/**
 * Columns take the narrowest form that fits their cells, and give back the same cells.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ColumnBlock } from "../../../runtime/transport/column_block.ts";
import { decodeColumn } from "../../../runtime/transport/decode_column.ts";
import { encodeColumn, WholeRow } from "../../../runtime/transport/encode_column.ts";
import {
  BYTES_CHUNK_BYTES,
  type EncodedColumn,
  TEXT_CHUNK_UNITS,
} from "../../../runtime/transport/encoded_column.ts";

function encoded(cells: readonly unknown[]): { column: EncodedColumn; cells: unknown[] } {
  const target = { block: new ColumnBlock(), otherBytes: 0 };
  // What earlier batches left in the block must not show.
  target.block.bytes.fill(0xff);
  const column = encodeColumn(cells, cells.length, target);
  assert(column !== undefined);
  const none = () => {
    throw new Error("Cannot decode nested columns here: none were encoded");
  };
  const decoded = decodeColumn(column, cells.length, target.block.copy(), none);
  return { column, cells: Array.from(decoded) };
}

describe("encodeColumn()", () => {
  it("takes the narrowest form that fits", () => {
    const bytes = (...values: number[]) => new Uint8Array(values);
    const resizable = new Uint8Array(new ArrayBuffer(1, { maxByteLength: 2 }));
    const cases: readonly (readonly [readonly unknown[], string])[] = [
      [[1, -0, NaN], "number"],
      [["a", "b"], "text"],
      [["a", "a"], "constant"],
      [[true, true], "boolean"],
      [[null, null], "constant"],
      [[undefined], "constant"],
      [[], "constant"],
      [[bytes(1), bytes()], "bytes"],
      [[Buffer.from("ab"), bytes(1)], "bytes"],
      [[1, null], "optional number"],
      [["a", undefined, "b"], "optional text"],
      [["a", null, "a"], "optional constant"],
      [[undefined, true], "optional boolean"],
      [[null, bytes(2)], "optional bytes"],
      [[null, undefined], "optional constant"],
      [[1, "a"], "any"],
      [[1n, 2n], "any"],
      [[new Date(0)], "any"],
      [[{ a: 1 }], "any"],
      [[resizable], "any"],
      [[new Uint8ClampedArray(1)], "any"],
    ];
    for (const [cells, kind] of cases) {
      const result = encoded(cells);
      const { column } = result;
      assertEquals(
        column.kind === "optional" ? `optional ${column.column.kind}` : column.kind,
        kind,
      );
      const plain = cells.map((cell) => cell instanceof Buffer ? new Uint8Array(cell) : cell);
      assertEquals(result.cells, plain);
    }
  });

  it("cuts joined text into chunks between values", () => {
    const cells = Array.from({ length: 400 }, (_, row) => "x".repeat(row % 37) + row);
    cells.splice(
      100,
      0,
      "",
      "y".repeat(3 * TEXT_CHUNK_UNITS),
      "",
      "z".repeat(TEXT_CHUNK_UNITS),
      "",
    );
    for (const batch of [cells, cells.slice(101), cells.slice(101, 103), cells.toReversed()]) {
      const result = encoded(batch);
      assertEquals(result.cells, batch);
      assert(result.column.kind === "text");
      const chunks = result.column.chunks;
      assertEquals(chunks.join(""), batch.join(""));
      assert(chunks.every((chunk) => chunk.length <= TEXT_CHUNK_UNITS || /^(y+|z+)$/.test(chunk)));
    }
  });

  it("does not let one value keep the bytes of a batch", () => {
    const cells = Array.from({ length: 300 }, (_, row) => new Uint8Array(row).fill(row));
    cells.splice(50, 0, new Uint8Array(3 * BYTES_CHUNK_BYTES).fill(1), new Uint8Array(0));
    const result = encoded(cells);
    assertEquals(result.cells, cells);
    for (const cell of result.cells) {
      assert(cell instanceof Uint8Array);
      assert(cell.buffer.byteLength <= Math.max(cell.length, BYTES_CHUNK_BYTES));
    }
  });

  it("copies bytes on either side", () => {
    const cells = [new Uint8Array([1, 2])];
    const result = encoded(cells);
    cells[0]?.fill(9);
    assertEquals(result.cells, [new Uint8Array([1, 2])]);
  });

  it("gives up where a cell can't be cloned or has no end", () => {
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    for (const cell of [() => 1, Symbol("s"), new WeakMap(), cyclic]) {
      const target = { block: new ColumnBlock(), otherBytes: 0 };
      assertEquals(encodeColumn([1, cell], 2, target), undefined);
      assertEquals(encodeColumn([1, [cell]], 2, target), undefined);
    }
  });

  it("passes on what was inspected before", () => {
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    const result = encoded([new WholeRow(cyclic, 100), "a"]);
    assertEquals(result.column.kind, "any");
    assert(result.cells[0] === cyclic);
  });
});
