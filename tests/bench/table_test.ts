/**
 * Tables tell medians side by side, and compare CPU time and memory the right way round.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { RunResult } from "./result.ts";
import { median, resultTables } from "./table.ts";

function result(
  engine: string,
  workers: number,
  thousands: number,
  cpu: number,
  peakRssMb = 90,
): RunResult {
  return {
    engine,
    workload: "count",
    workers,
    passes: 1,
    records: 100,
    seconds: 1,
    recordsPerSecond: thousands * 1000,
    cpuSecondsPerMillion: cpu,
    peakRssMb,
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

/** The rows of a table without padding, a table a list. */
function rowsOf(tables: string): string[][] {
  return tables.split("\n\n").map((table) =>
    table.split("\n").filter((row) => !row.startsWith("| ---"))
      .map((row) => row.slice(2, -2).replaceAll(/ +/g, " "))
  );
}

describe("resultTables()", () => {
  it("gives a table for each job and number of workers, an engine a column", () => {
    const tables = resultTables([
      result("loop", 1, 900, 1),
      result("penstock", 2, 2400, 0.8),
      result("penstock", 1, 1500, 0.5),
      result("loop", 1, 1000, 1.2),
      result("penstock", 2, 2600, 0.8),
      result("penstock", 1, 1500, 0.4),
      result("loop", 1, 980, 1.1),
      result("penstock", 2, 2500, 0.8),
      result("penstock", 1, 1500, 0.6),
      { ...result("loop", 1, 100, 4), workload: "booking" },
    ]);
    assertEquals(rowsOf(tables), [
      [
        "count, 1 worker | loop | penstock",
        "1000 records/s | 980 (900 to 1000) | 1500",
        "CPU s per M | 1.10 (1.00 to 1.20) | 0.50 (0.40 to 0.60)",
        "peak RSS MB | 90 | 90",
        "CPU of loop / CPU | 1.00 | 2.20",
      ],
      [
        "count, 2 workers | penstock",
        "1000 records/s | 2500 (2400 to 2600)",
        "CPU s per M | 0.80",
        "peak RSS MB | 90",
        "CPU of loop / CPU | 1.38",
      ],
      [
        "booking, 1 worker | loop",
        "1000 records/s | 100",
        "CPU s per M | 4.00",
        "peak RSS MB | 90",
        "CPU of loop / CPU | 1.00",
      ],
    ]);
  });

  it("compares with Flink's CPU on one worker, and on two with its memory there", () => {
    const tables = rowsOf(resultTables([
      result("flink", 1, 900, 3, 900),
      result("flink", 2, 900, 2, 1200),
      result("flink-databind", 1, 900, 4, 900),
      result("penstock", 1, 900, 1.5, 300),
      result("penstock", 2, 900, 2, 400),
    ]));
    assertEquals(tables.map((rows) => rows.slice(4)), [
      ["CPU of flink / CPU | 1.00 | 0.75 | 2.00"],
      ["CPU of flink / CPU | 1.50 | 1.50", "RSS of flink / RSS | 1.00 | 3.00"],
    ]);
  });

  it("does not compare with what did not run", () => {
    const tables = rowsOf(resultTables([
      { ...result("loop", 1, 900, 3), workload: "booking" },
      result("flink", 2, 900, 2, 1200),
      result("penstock", 2, 900, 2, 400),
    ]));
    assertEquals(tables.map((rows) => rows.slice(4)), [
      ["CPU of loop / CPU | 1.00"],
      ["RSS of flink / RSS | 1.00 | 3.00"],
    ]);
  });
});
