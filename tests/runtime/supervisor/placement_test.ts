import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { seededRandom } from "../../../runtime/random.ts";
import { placeKeyGroups, placeShard, spreadShards } from "../../../runtime/supervisor/placement.ts";

/** First and last key group of each worker. */
function ranges(maxParallelism: number, workers: number): readonly string[] {
  const placed = placeKeyGroups(maxParallelism, workers);
  return Array.from(
    { length: workers },
    (_, worker) => `${placed.indexOf(worker)}-${placed.lastIndexOf(worker)}`,
  );
}

describe("placeKeyGroups()", () => {
  it("deals key groups out in Flink's ranges", () => {
    assertEquals(ranges(128, 1), ["0-127"]);
    assertEquals(ranges(128, 3), ["0-42", "43-85", "86-127"]);
    assertEquals(ranges(128, 5), ["0-25", "26-51", "52-76", "77-102", "103-127"]);
  });

  it("leaves workers without any where there are more of them", () => {
    assertEquals(placeKeyGroups(2, 4), [0, 2]);
  });
});

describe("placeShard()", () => {
  it("takes the worker with the fewest shards, the first among equals", () => {
    assertEquals([
      placeShard([0]),
      placeShard([2, 1, 1]),
      placeShard([1, 1, 0]),
      placeShard([3, 3]),
    ], [0, 1, 2, 0]);
  });
});

/** Workers with so many shards each. */
function having(...counts: readonly number[]) {
  return counts.map((count, worker) =>
    Array.from({ length: count }, (_, n) => ({ source: "in", shard: `${worker}.${n}` }))
  );
}

const inShort = (moves: ReturnType<typeof spreadShards>) =>
  moves.map(({ shard, from, to }) => `${shard} ${from}>${to}`);

describe("spreadShards()", () => {
  it("moves nothing that need not: one more or less is even", () => {
    assertEquals(spreadShards(having(2, 1, 2), 3), []);
    assertEquals(spreadShards(having(0, 1, 0), 3), []);
    assertEquals(spreadShards([], 2), []);
  });

  it("takes from those that have too many, and gives to those that have the fewest", () => {
    assertEquals(inShort(spreadShards(having(4, 0, 1), 3)), ["0.2 0>1", "0.3 0>1"]);
    assertEquals(inShort(spreadShards(having(3, 3), 3)), ["0.2 0>2", "1.2 1>2"]);
  });

  it("empties workers that are to go", () => {
    assertEquals(inShort(spreadShards(having(1, 1, 2), 2)), ["2.0 2>0", "2.1 2>1"]);
    assertEquals(inShort(spreadShards(having(0, 2), 1)), ["1.0 1>0", "1.1 1>0"]);
  });

  it("comes to an even spread with the fewest moves, whatever there is", () => {
    const random = seededRandom(1);
    for (let round = 0; round < 500; round++) {
      const counts = Array.from(
        { length: 1 + Math.floor(random() * 6) },
        () => Math.floor(random() * 6),
      );
      const workers = 1 + Math.floor(random() * 6);
      const moves = spreadShards(having(...counts), workers);
      const after = Array.from(
        { length: Math.max(workers, counts.length) },
        (_, n) => counts[n] ?? 0,
      );
      for (const { from, to } of moves) {
        after[from] = (after[from] ?? 0) - 1;
        after[to] = (after[to] ?? 0) + 1;
      }
      const used = after.slice(0, workers);
      assert(Math.max(...used) - Math.min(...used) <= 1, `${counts} on ${workers}: ${after}`);
      assert(after.slice(workers).every((count) => count === 0));
      assertEquals(new Set(moves.map(({ shard }) => shard)).size, moves.length);
      // Whatever is above what all may have must go, and so much of what is at it that the sum fits.
      const all = counts.reduce((sum, count) => sum + count, 0);
      const [least, more] = [Math.floor(all / workers), all % workers];
      const kept = counts.slice(0, workers).reduce((sum, count) => sum + Math.min(count, least), 0);
      const over = counts.slice(0, workers).filter((count) => count > least).length;
      assertEquals(moves.length, all - kept - Math.min(over, more));
    }
  });

  it("refuses to spread over no workers", () => {
    assertThrows(() => spreadShards(having(1), 0), RangeError, "over 0 workers");
  });
});
