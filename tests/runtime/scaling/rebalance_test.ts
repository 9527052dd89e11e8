import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { LoadView } from "../../../runtime/scaling/demand.ts";
import {
  GROUP_REST_MS,
  rebalance,
  UNEVEN_LOOKS,
  unevenness,
} from "../../../runtime/scaling/rebalance.ts";
import { group, loadOf } from "./loads.ts";

/** Two workers: one with so many key groups of 0.01 cores, the other with the rest of a hundred. */
const split = (first: number, more: Parameters<typeof loadOf>[2] = {}) =>
  loadOf(
    2,
    Array.from({ length: 100 }, (_, index) => group(index, index < first ? 0 : 1, 0.01)),
    more,
  );

const long = { unevenLooks: UNEVEN_LOOKS, movedAt: new Map<number, number>() };

describe("unevenness()", () => {
  it("begins beyond 8 % of the share and 0.03 cores", () => {
    const isUneven = (load: LoadView) => unevenness(load).isUneven;
    assertEquals([50, 53, 55].map((first) => isUneven(split(first))), [false, false, true]);
    const little = [0, 1, 2].map((index) => group(index, index < 2 ? 0 : 1, 0.03));
    assertEquals(isUneven(loadOf(2, little)), false);
  });

  it("does not count a heavy key group that is alone, only what is beside it", () => {
    const others = Array.from({ length: 10 }, (_, index) => group(index + 1, 1, 0.02));
    const alone = loadOf(2, [group(0, 0, 0.9), ...others]);
    assertEquals(unevenness(alone).isUneven, false);
    assertEquals(unevenness(alone).heavy.map(({ group }) => group), [0]);
    const beside = loadOf(2, [group(0, 0, 0.9), ...others.map((each) => ({ ...each, worker: 0 }))]);
    assertEquals(unevenness(beside).isUneven, true);
  });
});

describe("rebalance()", () => {
  it("moves what it takes when loads have been uneven for three looks", () => {
    const looks = [1, 2, 3].map((unevenLooks) =>
      rebalance(split(70), { ...long, unevenLooks }).kind
    );
    assertEquals(looks, ["waiting", "waiting", "move"]);
    const verdict = rebalance(split(70), long);
    assert(verdict.kind === "move");
    assert(Math.abs(verdict.plan.maxAfter - 0.5) < 0.03, `${verdict.plan.maxAfter}`);
    assert(verdict.plan.moves.length <= 20);
  });

  it("leaves loads alone that are even, and a single worker", () => {
    assertEquals(rebalance(split(53), long), { kind: "even" });
    assertEquals(rebalance(loadOf(1, [group(0, 0, 5)]), long), { kind: "even" });
  });

  it("lets key groups rest after a move, unless their worker has no time left", () => {
    const moved = (ago: number) =>
      new Map(Array.from({ length: 100 }, (_, index) => [index, 100_000 - ago]));
    const kind = (load: LoadView, ago: number) =>
      rebalance(load, { ...long, movedAt: moved(ago) }).kind;
    assertEquals(kind(split(70), GROUP_REST_MS - 1), "not worth it");
    assertEquals(kind(split(70), GROUP_REST_MS), "move");
    assertEquals(kind(split(91), GROUP_REST_MS - 1), "move");
  });

  it("does not go by figures of a worker that collects garbage", () => {
    const gc = (share: number) => rebalance(split(70, { worker: { gc: share } }), long);
    assertEquals(gc(0.2).kind, "move");
    const verdict = gc(0.21);
    assert(verdict.kind === "not now");
    assertStringIncludes(verdict.because, "21 % of its time in garbage collection");
  });

  it("does not move state for less than it costs", () => {
    const heavyState = (bytes: number) => {
      const load = split(70);
      const groups = load.groups.map((each) => ({ ...each, bytes }));
      return rebalance({ ...load, groups }, long);
    };
    // 0.18 cores for 60 s are 10,800 core-ms, which may cost a tenth: 18 moves of 0.01 cores may pause for 6 s each.
    assertEquals(heavyState(5.5e8).kind, "move");
    const verdict = heavyState(6.5e8);
    assert(verdict.kind === "not worth it");
    assertStringIncludes(verdict.because, "the pauses would cost 1170 core-ms");
  });

  it("does not move for a gain of less than 5 %", () => {
    const groups = [group(0, 0, 0.5), group(1, 0, 0.3), group(2, 1, 0.47)];
    const verdict = rebalance(loadOf(2, groups), long);
    assertEquals(verdict.kind, "not worth it");
  });

  it("relieves others though the largest load is that of a heavy key group", () => {
    const groups = [
      group(0, 0, 2),
      ...Array.from({ length: 10 }, (_, index) => group(index + 1, index < 9 ? 1 : 2, 0.1)),
    ];
    const verdict = rebalance(loadOf(3, groups), long);
    assert(verdict.kind === "move");
    assertEquals(verdict.plan.moves.length, 4);
    assertEquals(new Set(verdict.plan.moves.map(({ to }) => to)), new Set([2]));
  });
});
