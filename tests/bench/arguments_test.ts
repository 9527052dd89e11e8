/**
 * Options are read as said, and a mistake in one is told instead of passed over.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { benchOptions, runOptions } from "./arguments.ts";

describe("benchOptions()", () => {
  it("has a default for everything", () => {
    assertEquals(benchOptions([]), {
      workloads: ["passthrough", "count", "booking"],
      engines: ["loop", "rxjs", "penstock"],
      workers: [1, 2],
      runs: 3,
      passes: undefined,
      records: 1_000_000,
      seed: 1,
      flink: false,
      json: undefined,
    });
  });

  it("reads lists, numbers and flags", () => {
    const options = benchOptions(
      "--workloads count --engines=loop,penstock --workers 4 --runs 1 --flink --json out.json"
        .split(
          " ",
        ),
    );
    assertEquals(options.workloads, ["count"]);
    assertEquals(options.engines, ["loop", "penstock"]);
    assertEquals([options.workers, options.runs, options.flink, options.json], [
      [4],
      1,
      true,
      "out.json",
    ]);
  });

  it("refuses what it does not know", () => {
    assertThrows(() => benchOptions(["--engine", "loop"]), SyntaxError, "argument --engine:");
    assertThrows(() => benchOptions(["loop"]), SyntaxError, "argument loop:");
    assertThrows(() => benchOptions(["--runs", "1", "--runs", "2"]), SyntaxError, "given twice");
    assertThrows(() => benchOptions(["--runs"]), SyntaxError, "takes a value");
    assertThrows(() => benchOptions(["--flink=no"]), SyntaxError, "takes no value");
    assertThrows(() => benchOptions(["--engines", "loop,jet"]), RangeError, '"jet" for --engines');
    assertThrows(() => benchOptions(["--runs", "0"]), RangeError, "expected 1 to 100");
    assertThrows(() => benchOptions(["--records", "1e6"]), RangeError, '"1e6" for --records');
  });
});

describe("runOptions()", () => {
  it("reads one run, of which all must be said", () => {
    const args = "--engine loop --workload count --workers 2 --data d --passes 3".split(" ");
    assertEquals(runOptions(args), {
      engine: "loop",
      workload: "count",
      workers: 2,
      dataDir: "d",
      passes: 3,
    });
    assertThrows(() => runOptions(args.slice(2)), SyntaxError, "--engine is missing");
  });
});
