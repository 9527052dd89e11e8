/**
 * Each way in which Flink reads JSON is asked for by its name.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { FLINK_ENGINES } from "./engine.ts";
import { flinkCommand, flinkRuns } from "./flink.ts";
import type { PlannedRun } from "./plan.ts";

describe("flinkCommand()", () => {
  it("asks for the workload, its files and how JSON is read", () => {
    const commands = FLINK_ENGINES.map((engine) => {
      const run: PlannedRun = {
        workload: "booking",
        engine,
        workers: 2,
        passes: 7,
        input: "memory",
        turn: 1,
      };
      const [, ...args] = flinkCommand(engine, run, "/data");
      return args.join(" ");
    });
    assertEquals(
      commands,
      ["streaming", "databind", "jsonpath"].map((json) =>
        `booking /data --parallelism 2 --passes 7 --json ${json}`
      ),
    );
  });
});

describe("flinkRuns()", () => {
  it("leaves out JSONPath where there is no path", () => {
    const runs = FLINK_ENGINES.flatMap((engine) => flinkRuns(engine, "count") ? [engine] : []);
    assertEquals(runs, ["flink", "flink-databind"]);
    assertEquals(FLINK_ENGINES.every((engine) => flinkRuns(engine, "booking")), true);
  });
});
