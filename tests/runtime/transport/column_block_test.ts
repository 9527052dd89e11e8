/**
 * The block: columns stay apart and aligned while it grows, and it does not stay large.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { BLOCK_KEPT_BYTES_MAX, ColumnBlock } from "../../../runtime/transport/column_block.ts";

describe("ColumnBlock", () => {
  it("keeps what was written when it grows", () => {
    const block = new ColumnBlock();
    const first = block.reserve(3);
    block.bytes.set([1, 2, 3], first);
    const second = block.reserve(1 << 17);
    block.numbers[second / 8] = 0.5;
    block.ends[second / 4 + 2] = 9;
    const copy = block.copy();
    assertEquals(copy.byteLength, 8 + (1 << 17));
    assertEquals(new Uint8Array(copy, first, 3), new Uint8Array([1, 2, 3]));
    assertEquals(new Float64Array(copy, second, 1)[0], 0.5);
    assertEquals(new Uint32Array(copy, second + 8, 1)[0], 9);
  });

  it("aligns every column", () => {
    const block = new ColumnBlock();
    const offsets = [1, 0, 9, 4, 8].map((bytes) => block.reserve(bytes));
    assertEquals(offsets, [0, 8, 8, 24, 32]);
    assertEquals(block.used, 40);
  });

  it("copies, so that the next batch does not change this one", () => {
    const block = new ColumnBlock();
    block.bytes[block.reserve(1)] = 1;
    const copy = block.copy();
    block.clear();
    block.bytes[block.reserve(1)] = 2;
    assertEquals(new Uint8Array(copy)[0], 1);
  });

  it("lets go of memory that one huge batch needed", () => {
    const block = new ColumnBlock();
    block.reserve(4 * BLOCK_KEPT_BYTES_MAX);
    block.clear();
    assert(block.bytes.length <= BLOCK_KEPT_BYTES_MAX);
    assertEquals(block.reserve(8), 0);
    assertEquals(block.copy().byteLength, 8);
  });
});
