import { assertAlmostEquals, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Layout } from "../../../runtime/scaling/layout.ts";
import { group, loadOf } from "./loads.ts";

const groups = [
  group(0, 0, 0.3, { bytes: 5 }),
  group(1, 0, 0.4, { bytes: 9 }),
  group(2, 1, 0.1, { bytes: 7 }),
];
const [first, second, third] = groups as [typeof groups[0], typeof groups[0], typeof groups[0]];

describe("Layout", () => {
  it("has the loads that moves would give", () => {
    const layout = new Layout(loadOf(2, groups, { worker: { overhead: 0.05 } }), [2]);
    assertEquals([layout.workers, layout.idlest()], [[0, 1, 2], 2]);
    layout.move(second, 2);
    const loads = layout.workers.map((worker) => layout.loadOf(worker));
    assertEquals(loads.map((load) => Math.round(load * 100)), [35, 15, 40]);
    assertAlmostEquals(layout.max, 0.4);
    assertEquals(layout.idlest([0, 2]), 0);
    assertEquals(layout.groupsOf(2), [second]);
  });

  it("plans from where a key group is to where it ends, and not at all when it comes back", () => {
    const layout = new Layout(loadOf(3, groups));
    layout.move(first, 1);
    layout.move(first, 2);
    layout.move(second, 1);
    layout.move(second, 0);
    assertEquals([layout.hasMoved(first), layout.hasMoved(second)], [true, false]);
    const { moves } = layout.plan("hottest");
    assertEquals(moves.map(({ group, from, to }) => [group, from, to]), [[0, 0, 2]]);
  });

  it("begins with the hottest, or with the least state", () => {
    const layout = new Layout(loadOf(3, groups));
    for (const each of [first, second, third]) layout.move(each, 2);
    assertEquals(layout.plan("hottest").moves.map(({ group }) => group), [1, 0, 2]);
    assertEquals(layout.plan("smallest").moves.map(({ group }) => group), [0, 2, 1]);
  });

  it("gives what else a worker did to the others when it goes", () => {
    const layout = new Layout(loadOf(3, groups, { worker: { overhead: 0.1 } }));
    layout.remove(2);
    assertEquals(layout.workers, [0, 1]);
    assertAlmostEquals(layout.loadOf(1), 0.25);
    assertAlmostEquals(layout.plan("hottest").maxAfter, 0.85);
  });
});
