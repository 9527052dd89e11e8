import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  scalingBounds,
  type ScalingOptions,
  scalingPolicy,
} from "../../../runtime/scaling/scaling_options.ts";
import { loadOf } from "./loads.ts";

const machine = { cores: 8, keyGroups: 128 };
const boundsOf = (options: ScalingOptions, at = machine) => {
  const { minWorkers, maxWorkers } = scalingBounds(options, at);
  return [minWorkers, maxWorkers];
};

describe("scalingBounds()", () => {
  it("are 1 to the cores but one", () => {
    assertEquals(boundsOf({}), [1, 7]);
    assertEquals(boundsOf({}, { ...machine, cores: 2.5 }), [1, 1]);
    assertEquals(boundsOf({}, { ...machine, cores: 0.5 }), [1, 1]);
  });

  it("are what is asked for, with parallelism as the floor", () => {
    assertEquals(boundsOf({ minWorkers: 2, maxWorkers: 12 }), [2, 12]);
    assertEquals(boundsOf({ minWorkers: 2, parallelism: 4 }), [4, 7]);
    assertEquals(boundsOf({ minWorkers: 4, parallelism: 2 }), [4, 7]);
    assertEquals(boundsOf({ parallelism: 9 }), [9, 9]);
    assertEquals(scalingBounds({ minWorkers: 3 }, machine).parallelism, 3);
  });

  it("leave no worker without a key group", () => {
    assertEquals(boundsOf({ maxWorkers: 12 }, { cores: 8, keyGroups: 4 }), [1, 4]);
  });

  it("must leave a number, and be numbers", () => {
    const bad: readonly [ScalingOptions, string][] = [
      [{ minWorkers: 4, maxWorkers: 2 }, "between 4 and 2 workers"],
      [{ parallelism: 3, maxWorkers: 2 }, "between 3 and 2 workers"],
      [{ minWorkers: 200 }, "between 200 and 128 workers"],
      [{ minWorkers: 0 }, "minWorkers 0"],
      [{ maxWorkers: 1.5 }, "maxWorkers 1.5"],
      [{ parallelism: NaN }, "parallelism NaN"],
    ];
    for (const [options, message] of bad) {
      assertThrows(() => scalingBounds(options, machine), RangeError, message);
    }
  });
});

describe("scalingPolicy()", () => {
  it("goes by name, and takes a policy or a function", () => {
    const names = [{}, { policy: "kinesis-data-analytics" }, { policy: "none" }] as const;
    assertEquals(names.map((options) => scalingPolicy(options).name), [
      "responsive",
      "kinesis-data-analytics",
      "none",
    ]);
    const byHour = () => ({ workers: 3, because: "it is noon" });
    assertEquals(scalingPolicy({ policy: byHour }).name, "byHour");
    const own = { name: "own", begin: () => byHour };
    assertEquals(scalingPolicy({ policy: own }), own);
  });

  it('keeps the number with "none"', () => {
    const bounds = scalingBounds({}, machine);
    const rule = scalingPolicy({ policy: "none" }).begin();
    assertEquals(rule(loadOf(5, []), { workers: 5, bounds, changedAt: 0 }).workers, 5);
  });
});
