import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { hotGroups } from "../../../runtime/scaling/hot_keys.ts";
import { group, loadOf } from "./loads.ts";

/** A key group of so many cores on worker 0, and others of so many each on three more. */
const beside = (hot: number, others: number) =>
  hotGroups(loadOf(4, [
    group(0, 0, hot),
    ...Array.from({ length: 60 }, (_, index) => group(index + 1, 1 + index % 3, others / 20)),
  ])).map(({ group, limits }) => [group.group, limits]);

describe("hotGroups()", () => {
  it("are those that take a worker's time, wherever they are", () => {
    assertEquals(beside(0.9, 0.9), [[0, "throughput"]]);
    assertEquals(beside(0.89, 0.9), []);
    assertEquals(hotGroups(loadOf(1, [group(0, 0, 1.5)])).length, 1);
  });

  it("are those that are more than a tenth, and 0.05 cores, above what other workers have", () => {
    assertEquals(beside(0.68, 0.6), [[0, "balance"]]);
    assertEquals(beside(0.65, 0.6), []);
    assertEquals(beside(0.14, 0.1), []);
  });

  it("are the hottest first", () => {
    const groups = [group(0, 0, 1), group(1, 1, 2), group(2, 2, 0.1)];
    assertEquals(hotGroups(loadOf(3, groups)).map(({ group }) => group.group), [1, 0]);
  });
});
