/**
 * A result line is read whole, and a wrong output is told.
 *
 * @module
 */

import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { Expected, ExpectedWorkload } from "./expected.ts";
import { flinkResult } from "./flink.ts";
import { parseResult, type RunResult, wrongResults } from "./result.ts";

const result: RunResult = {
  engine: "loop",
  workload: "count",
  workers: 1,
  passes: 2,
  records: 200,
  seconds: 1,
  recordsPerSecond: 200,
  cpuSecondsPerMillion: 1.5,
  peakRssMb: 90,
  outputs: 20,
  checksum: "00000000000a",
  ok: true,
};

const known: ExpectedWorkload = {
  input: "clicks.ndjson",
  records: 100,
  firstTs: 0,
  spanMs: 10,
  passes: [
    { passes: 1, records: 100, outputs: 10, checksum: "000000000005" },
    { passes: 2, records: 200, outputs: 20, checksum: "00000000000a" },
  ],
};
const expected: Expected = {
  seed: 1,
  workloads: { passthrough: known, count: known, booking: known },
};

describe("parseResult()", () => {
  it("reads what a run prints", () => {
    assertEquals(parseResult(JSON.stringify(result)), result);
  });

  it("refuses a line that lacks a field or has one of another type", () => {
    const { checksum: _, ...rest } = result;
    assertThrows(() => parseResult(JSON.stringify(rest)), TypeError, "field checksum is undefined");
    const infinite = JSON.stringify({ ...result, recordsPerSecond: Infinity });
    assertThrows(() => parseResult(infinite), TypeError, "field recordsPerSecond is null");
    const other = JSON.stringify({ ...result, workload: "sort" });
    assertThrows(() => parseResult(other), TypeError, "field workload is sort");
    assertThrows(() => parseResult("Killed"), SyntaxError);
  });
});

describe("flinkResult()", () => {
  it("takes parallelism for workers", () => {
    const { workers: parallelism, passes, ...rest } = result;
    const line = JSON.stringify({ ...rest, parallelism, engine: "flink" });
    assertEquals(flinkResult(line, passes), { ...result, engine: "flink" });
  });
});

describe("wrongResults()", () => {
  it("has nothing to say of results that are as expected for their passes", () => {
    const other = { ...result, engine: "rxjs", passes: 1, outputs: 10, checksum: "000000000005" };
    assertEquals(wrongResults([result, other], expected), []);
  });

  it("names each result that differs", () => {
    const wrong = wrongResults([
      result,
      { ...result, engine: "first", checksum: "00000000000b" },
      { ...result, engine: "second", outputs: 19 },
      { ...result, engine: "third", ok: false },
      { ...result, engine: "fourth", passes: 1 },
    ], expected);
    assertEquals(wrong.length, 4);
    assertMatch(wrong[0] ?? "", /^count in first .*20 outputs with checksum 00000000000b/);
    assertMatch(wrong[1] ?? "", /^count in second .*19 outputs.*, expected 20 with 00000000000a$/);
    assertMatch(wrong[3] ?? "", /^count in fourth .*, expected 10 with 000000000005$/);
  });
});
