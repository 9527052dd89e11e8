import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { startingWorkers, type WorkerOptions } from "../../../runtime/scaling/starting_workers.ts";

const CORES = 4;
const of = (options: WorkerOptions) => {
  const { workers, parallelism, scaling } = startingWorkers("job.ts", options, CORES);
  return [workers, parallelism, scaling];
};

describe("startingWorkers()", () => {
  it("are a fixed number, on which key groups move, unless scaling is asked for", () => {
    const fixed = { options: undefined, cores: CORES };
    assertEquals(of({}), [2, 2, fixed]);
    assertEquals(of({ workers: 8, parallelism: 3 }), [8, 3, fixed]);
    assertEquals(of({ workers: 8, rebalance: false }), [8, 8, undefined]);
    // Nothing can move.
    assertEquals(of({ workers: 1 })[2], undefined);
    assertEquals(of({ workers: 8, parallelism: 1 })[2], undefined);
  });

  it("are two or the nearest number within the bounds, with scaling", () => {
    const counts = [{}, { maxWorkers: 1 }, { minWorkers: 3 }, { parallelism: 3 }];
    assertEquals(counts.map((scaling) => of({ scaling })[0]), [2, 1, 3, 3]);
    const scaling = { maxWorkers: 9 };
    assertEquals(of({ scaling, workers: 9, parallelism: 9 }), [9, 9, {
      options: scaling,
      cores: CORES,
    }]);
    assertEquals(of({ scaling: { maxWorkers: 1 } })[2], {
      options: { maxWorkers: 1 },
      cores: CORES,
    });
  });

  it("refuse what can't be, with what was expected", () => {
    const cases: [WorkerOptions, typeof RangeError | typeof TypeError, string][] = [
      [{ workers: 0 }, RangeError, "Cannot start job.ts on 0 workers: expected a whole number"],
      [{ workers: 1.5, scaling: {} }, RangeError, "Cannot start job.ts on 1.5 workers"],
      [{ parallelism: 3 }, RangeError, "Cannot spread job.ts over 3 of 2 workers: expected 1 to 2"],
      [{ scaling: { minWorkers: 0 } }, RangeError, "Cannot scale with minWorkers 0"],
      [{ scaling: { minWorkers: 3, maxWorkers: 2 } }, RangeError, "between 3 and 2 workers"],
      [
        { workers: 5, scaling: { minWorkers: 2, maxWorkers: 4 } },
        RangeError,
        "Cannot start job.ts on 5 workers, which scaling does not allow: expected 2 to 4",
      ],
      [
        { workers: 1, scaling: { minWorkers: 2 } },
        RangeError,
        "which scaling does not allow: expected 2 to 3",
      ],
      [{ workers: 4, scaling: {} }, RangeError, "it is one less than the 4 cores that there are"],
      [{ workers: 3, parallelism: 2, scaling: {} }, RangeError, "leave parallelism out"],
      [{ rebalance: false, scaling: {} }, TypeError, "leave rebalance or scaling out"],
    ];
    for (const [options, error, message] of cases) {
      assertThrows(() => of(options), error, message);
    }
  });
});
