import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { placeKeyGroups, placeShard } from "../../../runtime/supervisor/placement.ts";

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
