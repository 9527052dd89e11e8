/**
 * Shards share out all records of a file, in order and each once, and hold no more bytes than theirs.
 *
 * @module
 */

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { RawBatch } from "../../../connectors/raw_record.ts";
import { REPLAY_INPUTS } from "../bench_job.ts";
import { BLOCK_ROWS } from "./file_index.ts";
import { openShardBlocks, type ShardBlocks, SHARDS } from "./shard_blocks.ts";

const ROWS = 5 * BLOCK_ROWS + 10;
const lines = Array.from({ length: ROWS }, (_, n) => `${n % 3 === 0 ? "third" : "other"} ${n}`);

function textsOf(blocks: ShardBlocks, at: number): string[] {
  const batch = new RawBatch(blocks.columns(at));
  return Array.from({ length: batch.length }, (_, row) => batch.textAt(row));
}

/** The lines of one block of the file. */
function block(number: number): string[] {
  return lines.slice(number * BLOCK_ROWS, (number + 1) * BLOCK_ROWS);
}

describe("openShardBlocks()", () => {
  let path = "";
  const open = (input: "memory" | "file", shard: number, containing?: string) =>
    openShardBlocks({ path, input, shard, shardId: `shard-${shard}`, containing });

  beforeAll(() => {
    path = Deno.makeTempFileSync();
    Deno.writeTextFileSync(path, lines.join("\n") + "\n");
  });
  afterAll(() => Deno.removeSync(path));

  for (const input of REPLAY_INPUTS) {
    it(`deals blocks out to shards, ${input}`, () => {
      const shards = Array.from({ length: SHARDS }, (_, shard) => open(input, shard));
      assertEquals(shards.map(({ length }) => length), [2, 2, 1, 1]);
      const [first, second] = shards;
      if (first === undefined || second === undefined) throw new TypeError("There are no shards");
      assertEquals([textsOf(first, 0), textsOf(first, 1)], [block(0), block(4)]);
      // As often as asked for, in any order.
      assertEquals([textsOf(second, 1), textsOf(second, 0)], [block(5), block(1)]);
      assertEquals(textsOf(second, 1), block(5));
      assertEquals(new RawBatch(first.columns(0)).columns.shardId, "shard-0");
      for (const shard of shards) shard.close();
    });

    it(`takes only rows that hold the text, ${input}`, () => {
      const blocks = open(input, 1, "third");
      assertEquals(textsOf(blocks, 0), block(1).filter((line) => line.startsWith("third")));
      blocks.close();
    });

    it(`has no batch of a block without rows, ${input}`, () => {
      const blocks = open(input, 0, "other 4001");
      assertEquals([blocks.length, textsOf(blocks, 0)], [1, ["other 4001"]]);
      assertThrows(() => blocks.columns(1), RangeError, "batch 1");
      blocks.close();
    });
  }

  it("holds in memory each block once, and of a block only its own rows", () => {
    const all = open("memory", 0);
    assertStrictEquals(all.columns(0).arena, all.columns(0).arena);
    assertEquals(all.columns(0).arena.buffer.byteLength, block(0).join("\n").length + 1);
    const third = block(0).filter((line) => line.startsWith("third"));
    assertEquals(open("memory", 0, "third").columns(0).arena.length, third.join("").length);
  });

  it("reads from the file into another arena each time, and says when the file has changed", () => {
    const blocks = open("file", 1);
    const { arena } = blocks.columns(0);
    assertEquals(blocks.columns(0).arena === arena, false);
    Deno.truncateSync(path, 100);
    assertThrows(() => blocks.columns(0), TypeError, "it was changed while it was read");
    blocks.close();
    Deno.writeTextFileSync(path, lines.join("\n") + "\n");
  });
});
