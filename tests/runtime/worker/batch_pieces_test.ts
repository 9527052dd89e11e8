import { assertAlmostEquals, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { RawBatch } from "../../../connectors/raw_record.ts";
import type { ShardBatch } from "../../../connectors/source.ts";
import {
  type BatchPiece,
  JoinedPieces,
  recordRanges,
} from "../../../runtime/worker/batch_pieces.ts";

/** Rows at positions `<name>0`, `<name>1`, ...; the time of a row is `at` and its number. */
function piece(
  name: string,
  at: number,
  [from, to, length]: readonly [number, number, number],
  bytes = length,
): BatchPiece {
  const batch: ShardBatch<number> = {
    length,
    bytes,
    position: "",
    valueAt: (row) => row,
    positionAt: (row) => `${name}${row}`,
    timestampAt: (row) => at + row,
  };
  return { batch, origin: { shard: "in/s0", positionAt: batch.positionAt }, from, to };
}

describe("JoinedPieces", () => {
  const joined = new JoinedPieces([
    piece("a", 100, [2, 4, 4], 40),
    piece("b", 200, [0, 1, 1], 100),
    piece("c", 300, [0, 2, 9], 9),
  ]);

  it("numbers rows through, and knows where each came from and its time", () => {
    assertEquals([joined.length, joined.origin.shard], [5, "in/s0"]);
    // In order, and in any other.
    for (const rows of [[0, 1, 2, 3, 4], [4, 0, 3, 1, 2, 2]]) {
      assertEquals(
        rows.map((row) => [joined.origin.positionAt(row), joined.timestampAt(row)]),
        rows.map((row) => [["a2", 102], ["a3", 103], ["b0", 200], ["c0", 300], ["c1", 301]][row]),
      );
    }
  });

  it("counts the payload of its own rows", () => {
    assertAlmostEquals(joined.rowBytes * joined.length, 2 * 10 + 100 + 2);
  });
});

describe("recordRanges()", () => {
  const columns = {
    shardId: "s0",
    arena: new Uint8Array([1, 2]),
    ...{ starts: [0, 1], ends: [1, 2], arrivals: [0, 0] },
    partitionKeys: ["", ""],
    sequenceNumbers: ["0", "1"],
    position: "",
  };
  const origin = { shard: "in/s0", positionAt: String };
  const raw = { batch: new RawBatch(columns), origin, from: 1, to: 2 };

  it("gives the records of batches that are made of them, and nothing if one is not", () => {
    assertEquals(recordRanges([raw]), [{ records: columns, from: 1, to: 2 }]);
    assertEquals(recordRanges([raw, piece("a", 0, [0, 1, 1])]), undefined);
  });
});
