/**
 * Strings cut from chunks.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { TEXT_CHUNK_BYTES, TextColumn } from "../../../operators/decoder/text_column.ts";

const encode = (text: string) => new TextEncoder().encode(text);

describe("TextColumn", () => {
  it("cuts strings where their bytes are, in any order", () => {
    const texts = ["abc", "", "é€😀", "\ufeffx", "plain"];
    const bytes = encode(texts.join(""));
    const column = new TextColumn(bytes, new Uint32Array([0, bytes.length]));
    let end = 0;
    const spans = texts.map((text) => [end, end += encode(text).length] as const);
    for (const [index, [from, to]] of [...spans.entries(), ...[...spans.entries()].reverse()]) {
      assertEquals(column.textAt(from, to), texts[index]);
    }
  });

  it("finds the chunk in which a string starts", () => {
    const bytes = encode(
      `${"a".repeat(TEXT_CHUNK_BYTES - 2)}bcdef${"g".repeat(TEXT_CHUNK_BYTES + 1)}`,
    );
    const first = TEXT_CHUNK_BYTES - 2;
    // The first chunk's last string goes on beyond it, to "bcd"; the long one is of no chunk.
    const chunks = new Uint32Array([0, first + 3, first + 3, first + 5]);
    const column = new TextColumn(bytes, chunks);
    assertEquals(column.textAt(first, first + 3), "bcd");
    assertEquals(column.textAt(first + 3, first + 5), "ef");
    assertEquals(column.textAt(first + 5, bytes.length), "g".repeat(TEXT_CHUNK_BYTES + 1));
    assertEquals(column.textAt(0, 2), "aa");
  });
});
