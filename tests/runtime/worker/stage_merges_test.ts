import { assertEquals, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { MergeTime } from "../../../runtime/checkpoint/worker_snapshot.ts";
import { StageMerges } from "../../../runtime/worker/stage_merges.ts";

/** Merges of two branches at these nodes, built in this order. */
function built(nodes: readonly number[], restored?: readonly MergeTime[]) {
  const merges = new StageMerges(restored);
  for (const node of nodes) {
    for (const branch of [0, 1]) merges.at(node).join(branch);
  }
  return merges;
}

describe("StageMerges", () => {
  it("has one of each node", () => {
    const merges = built([7, 4]);
    assertStrictEquals(merges.at(7), merges.at(7));
    assertNotStrictEquals(merges.at(7), merges.at(4));
  });

  it("goes on from a checkpoint by order of building: nodes may have other numbers then", () => {
    const before = built([7, 4, 9]);
    before.at(7).apply(0, "a", { kind: "advance", at: 5 });
    before.at(9).apply(1, "a", { kind: "advance", at: 30 });
    before.at(9).apply(0, "b", { kind: "advance", at: 40 });
    const kept = structuredClone(before.snapshot());
    assertEquals(kept.map(({ index, origin }) => [index, origin]), [[0, "a"], [2, "a"], [2, "b"]]);
    const after = built([2, 3, 1], kept);
    assertEquals(after.snapshot(), kept);
    assertEquals(after.at(2).apply(1, "a", { kind: "advance", at: 9 }), [
      { kind: "advance", at: 5 },
    ]);
    assertEquals(after.at(3).apply(1, "a", { kind: "advance", at: 9 }), []);
    assertEquals(after.at(1).apply(0, "a", { kind: "advance", at: 99 }), [
      { kind: "advance", at: 30 },
    ]);
  });

  it("hands an origin on to another worker, which may have known it before", () => {
    const [here, there] = [built([7, 4]), built([7, 4])];
    for (const node of [7, 4]) there.at(node).apply(0, "a", { kind: "advance", at: 1 });
    here.at(4).apply(0, "a", { kind: "advance", at: 5 });
    here.at(4).apply(0, "b", { kind: "advance", at: 6 });
    there.adopt("a", here.snapshot().filter(({ origin }) => origin === "a"));
    here.forget("a");
    assertEquals(here.snapshot().map(({ index, origin }) => [index, origin]), [[1, "b"]]);
    assertEquals(there.snapshot().map(({ index, origin }) => [index, origin]), [[1, "a"]]);
    assertEquals(there.at(4).apply(1, "a", { kind: "advance", at: 9 }), [{
      ...{ kind: "advance", at: 5 },
    }]);
  });
});
