/**
 * The table tells medians, and compares CPU time the right way round.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { RunResult } from "./result.ts";
import { median, resultTable } from "./table.ts";

function result(engine: string, workers: number, thousands: number, cpu: number): RunResult {
  return {
    engine,
    workload: "count",
    workers,
    passes: 1,
    records: 100,
    seconds: 1,
    recordsPerSecond: thousands * 1000,
    cpuSecondsPerMillion: cpu,
    peakRssMb: 90,
    outputs: 10,
    checksum: "000000000005",
    ok: true,
  };
}

describe("median()", () => {
  it("is the middle by size, or between the two in the middle", () => {
    assertEquals([median([10, 9, 100]), median([4, 1, 3, 2]), median([7])], [10, 2.5, 7]);
    assertEquals(median([]), NaN);
  });
});

describe("resultTable()", () => {
  it("gives a row for each engine and number of workers", () => {
    const table = resultTable([
      result("loop", 1, 900, 1),
      result("penstock", 1, 1500, 0.5),
      result("penstock", 2, 2400, 0.8),
      result("loop", 1, 1000, 1.2),
      result("penstock", 1, 1500, 0.4),
      result("penstock", 2, 2600, 0.8),
      result("loop", 1, 980, 1.1),
      result("penstock", 1, 1500, 0.6),
      result("penstock", 2, 2500, 0.8),
    ]);
    assertEquals(table.split("\n"), [
      "| job | engine | workers | 1000 records/s | CPU s per M | peak RSS MB | CPU vs loop |",
      "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
      "| count | loop | 1 | 980 (900 to 1000) | 1.10 (1.00 to 1.20) | 90 | 1.00 |",
      "| count | penstock | 1 | 1500 | 0.50 (0.40 to 0.60) | 90 | 2.20 |",
      "| count | penstock | 2 | 2500 (2400 to 2600) | 0.80 | 90 | 1.38 |",
    ]);
  });

  it("compares with Flink at its best where it ran, and not with what did not", () => {
    const table = resultTable([
      result("flink", 1, 900, 3),
      result("flink", 2, 900, 2),
      { ...result("penstock", 1, 900, 1), workload: "booking" },
      result("penstock", 1, 900, 1),
    ]);
    assertEquals(
      table.split("\n").map((row) => row.split(" | ").at(-1)),
      ["CPU vs flink |", "---: |", "0.67 |", "1.00 |", "- |", "2.00 |"],
    );
  });
});
