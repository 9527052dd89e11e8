/**
 * The index finds each record where it is, whatever pieces the file is walked in.
 *
 * @module
 */

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { BLOCK_ROWS, type FileIndex, indexFile, sharedIndex } from "./file_index.ts";

const PIECE_BYTES = 1 << 20;

/** The records of an index, read from the file's bytes. */
function recordsOf(bytes: Uint8Array, index: FileIndex): string[] {
  const decoder = new TextDecoder();
  const records: string[] = [];
  for (let block = 0; block < index.blocks; block++) {
    const offset = index.offsets[block] ?? NaN;
    for (let row = index.rows[block] ?? NaN; row < (index.rows[block + 1] ?? NaN); row++) {
      const start = offset + (index.starts[row] ?? NaN);
      records.push(decoder.decode(bytes.subarray(start, offset + (index.ends[row] ?? NaN))));
    }
  }
  return records;
}

describe("indexFile()", () => {
  let dir = "";
  const write = (text: string) => {
    const path = Deno.makeTempFileSync({ dir });
    Deno.writeTextFileSync(path, text);
    return path;
  };

  beforeAll(() => {
    dir = Deno.makeTempDirSync();
  });
  afterAll(() => Deno.removeSync(dir, { recursive: true }));

  it("finds all records of a file of several blocks and pieces", () => {
    const lines = Array.from({ length: 2 * BLOCK_ROWS + 1 }, (_, n) => `${n} ${"é".repeat(n)}`);
    const path = write(lines.join("\n") + "\n");
    const bytes = Deno.readFileSync(path);
    const index = indexFile(path);
    assertEquals(bytes.length > 2 * PIECE_BYTES, true);
    assertEquals([index.blocks, [...index.rows]], [3, [0, 1000, 2000, 2001]]);
    assertEquals(index.offsets[3], bytes.length);
    const records = recordsOf(bytes, index);
    // The first that differs: the texts are too long to be shown.
    assertEquals([records.length, records.findIndex((record, n) => record !== lines[n])], [
      lines.length,
      -1,
    ]);
  });

  it("takes only records that hold the text, at either end too, and counts the others", () => {
    const lines = Array.from({ length: 2 * BLOCK_ROWS }, () => "no");
    lines[0] = "that";
    lines[1] = "tha t";
    lines[BLOCK_ROWS - 1] = "not that";
    lines[BLOCK_ROWS] = "";
    lines[2 * BLOCK_ROWS - 1] = "thththat is it";
    const path = write(lines.join("\n") + "\n");
    const index = indexFile(path, "that");
    assertEquals([...index.rows], [0, 2, 3]);
    assertEquals(recordsOf(Deno.readFileSync(path), index), ["that", "not that", "thththat is it"]);
  });

  it("has no blocks of an empty file", () => {
    assertEquals(indexFile(write("")).blocks, 0);
  });

  it("refuses a file that ends in the middle of a line, and a line too long", () => {
    assertThrows(() => indexFile(write("one\ntw")), TypeError, "the line at byte 4");
    const long = write("one\n" + "x".repeat(PIECE_BYTES) + "\n");
    assertThrows(() => indexFile(long), TypeError, "the line at byte 4 has more than");
  });

  it("sharedIndex() walks once for what is asked of a file", () => {
    const path = write("one\ntwo\n");
    const index = sharedIndex(path, undefined);
    assertStrictEquals(sharedIndex(path, undefined), index);
    assertEquals(sharedIndex(path, "tw").starts.length, 1);
  });
});
