/**
 * Growth is told from the peaks of a run's beginning and end, and not from what lies between.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { memoryGrowth, verdictLine } from "./memory_growth.ts";

const at = (records: number, rssMb: number) => ({ records, rssMb });

describe("memoryGrowth()", () => {
  it("compares the peak of the second half with that of the first quarter", () => {
    const samples = [at(1, 80), at(25, 200), at(26, 900), at(49, 900), at(50, 210), at(100, 190)];
    assertEquals(memoryGrowth(samples, 100), {
      firstQuarterMb: 200,
      secondHalfMb: 210,
      ratio: 1.05,
      flat: true,
    });
  });

  it("calls more than a tenth more growth", () => {
    assertEquals(memoryGrowth([at(10, 200), at(60, 220)], 100).flat, true);
    assertEquals(memoryGrowth([at(10, 200), at(60, 221)], 100).flat, false);
  });

  it("refuses a run that was not looked at early or late", () => {
    assertThrows(() => memoryGrowth([at(60, 1)], 100), RangeError, "in the first quarter");
    assertThrows(() => memoryGrowth([at(10, 1), at(49, 1)], 100), RangeError, "second half");
  });
});

describe("verdictLine()", () => {
  it("says it first, then the figures", () => {
    const line = verdictLine(memoryGrowth([at(10, 200), at(60, 300)], 100));
    assertEquals(
      line,
      "grows: 1.50 (at most 300 MB in the second half, 200 MB in the first quarter; flat up to 1.1)",
    );
  });
});
