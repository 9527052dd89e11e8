/**
 * Options are read as said, and a mistake in one is told instead of passed over.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { benchOptions, memoryOptions, runOptions } from "./arguments.ts";

describe("benchOptions()", () => {
  it("has a default for everything", () => {
    assertEquals(benchOptions([]), {
      workloads: ["passthrough", "count", "booking"],
      engines: ["loop", "rxjs", "penstock", "penstock-zod"],
      workers: [1, 2],
      runs: 3,
      passes: undefined,
      records: 1_000_000,
      seed: 1,
      input: "memory",
      json: undefined,
    });
  });

  it("reads lists, numbers and flags", () => {
    const options = benchOptions(
      "--workloads count --engines=loop,penstock --workers 4 --runs 1 --input file --json out.json"
        .split(
          " ",
        ),
    );
    assertEquals(options.workloads, ["count"]);
    assertEquals(options.engines, ["loop", "penstock"]);
    assertEquals([options.workers, options.runs, options.input, options.json], [
      [4],
      1,
      "file",
      "out.json",
    ]);
  });

  it("adds all of Flink to the engines when asked to, none twice", () => {
    const engines = (...args: string[]) => benchOptions(args).engines;
    const all = ["flink", "flink-databind", "flink-jsonpath"] as const;
    assertEquals(engines("--engines", "loop", "--flink"), ["loop", ...all]);
    assertEquals(engines("--engines", "flink-databind,loop"), ["flink-databind", "loop"]);
    assertEquals(engines("--engines", "loop,flink", "--flink"), ["loop", ...all]);
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
      input: "memory",
    });
    assertEquals(runOptions([...args, "--input", "file"]).input, "file");
    assertThrows(() => runOptions(args.slice(2)), SyntaxError, "--engine is missing");
    const flink = ["--engine", "flink", ...args.slice(2)];
    assertThrows(() => runOptions(flink), RangeError, '"flink" for --engine');
  });
});

describe("memoryOptions()", () => {
  it("has a default for everything", () => {
    assertEquals(memoryOptions([]), {
      workload: "passthrough",
      workers: 2,
      records: 100_000_000,
      fileRecords: 1_000_000,
      seed: 1,
      schema: "fields",
      input: "memory",
    });
  });

  it("reads what is said, and refuses what it does not know", () => {
    const args =
      "--workload count --workers 1 --records 5000 --file-records 1000 --seed 3 --schema zod --input file";
    assertEquals(memoryOptions(args.split(" ")), {
      workload: "count",
      workers: 1,
      records: 5000,
      fileRecords: 1000,
      seed: 3,
      schema: "zod",
      input: "file",
    });
    assertThrows(() => memoryOptions(["--schema", "joi"]), RangeError, '"joi" for --schema');
    assertThrows(() => memoryOptions(["--runs", "1"]), SyntaxError, "argument --runs:");
  });
});
