import { assertAlmostEquals, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { atLevel, maxLoad, usableCores, workersNeeded } from "../../../runtime/scaling/demand.ts";
import { group, loadOf } from "./loads.ts";

const light = (count: number, cores: number) =>
  Array.from({ length: count }, (_, index) => group(index, 0, cores));

describe("workersNeeded()", () => {
  it("has no worker busier than the target", () => {
    const load = loadOf(1, light(100, 0.01));
    const levels = [0, 0.7, 0.71, 1.4, 1.41, 4.5];
    assertEquals(levels.map((level) => workersNeeded(load, level, 0.7)), [1, 1, 2, 2, 3, 7]);
  });

  it("gives a key group that needs more than that one worker, and no more", () => {
    const load = loadOf(1, [...light(10, 0.05), group(10, 0, 3)]);
    assertEquals(workersNeeded(load, load.cores, 0.7), 2);
  });

  it("is for at least one worker when there is nothing to do", () => {
    assertEquals(workersNeeded(loadOf(1, []), 0, 0.7), 1);
  });
});

describe("usableCores()", () => {
  it("counts one core of a key group that needs more", () => {
    const load = loadOf(1, [group(0, 0, 3), group(1, 0, 0.5)]);
    assertAlmostEquals(usableCores(load, 3.5), 1.5);
    assertAlmostEquals(usableCores(load, 1.75), 1.25);
    assertAlmostEquals(usableCores(load, 0.7), 0.7);
  });
});

describe("atLevel()", () => {
  it("keeps proportions", () => {
    const load = atLevel(
      loadOf(2, [group(0, 0, 0.3), group(1, 1, 0.5)], { worker: { overhead: 0.1 } }),
      2,
    );
    assertAlmostEquals(load.workers[1]?.load ?? NaN, 1.2);
    assertAlmostEquals(load.groups[0]?.cores ?? NaN, 0.6);
    assertAlmostEquals(maxLoad(load), 1.2);
    assertEquals(load.cores, 2);
  });
});
