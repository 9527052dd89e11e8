/**
 * Engines take turns, and slow ones replay less.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { benchOptions } from "./arguments.ts";
import { passesNeeded, plannedRuns } from "./plan.ts";

function planOf(options: string): string[] {
  return plannedRuns(benchOptions(options.split(" "))).map((run) =>
    `${run.turn} ${run.workload} ${run.engine} ${run.workers} x${run.passes}`
  );
}

describe("plannedRuns()", () => {
  it("lets engines take turns at one job after the other", () => {
    assertEquals(planOf("--workloads count,booking --runs 2 --engines loop,penstock,flink"), [
      "1 count loop 1 x5",
      "1 count penstock 1 x5",
      "1 count penstock 2 x5",
      "1 count flink 1 x5",
      "1 count flink 2 x5",
      "2 count loop 1 x5",
      "2 count penstock 1 x5",
      "2 count penstock 2 x5",
      "2 count flink 1 x5",
      "2 count flink 2 x5",
      "1 booking loop 1 x3",
      "1 booking penstock 1 x3",
      "1 booking penstock 2 x3",
      "1 booking flink 1 x3",
      "1 booking flink 2 x3",
      "2 booking loop 1 x3",
      "2 booking penstock 1 x3",
      "2 booking penstock 2 x3",
      "2 booking flink 1 x3",
      "2 booking flink 2 x3",
    ]);
  });

  it("gives RxJS a share of the passes, at least one, and one worker", () => {
    assertEquals(planOf("--runs 1 --engines rxjs --passes 10 --workers 2"), [
      "1 passthrough rxjs 1 x10",
      "1 count rxjs 1 x4",
      "1 booking rxjs 1 x3",
    ]);
    assertEquals(planOf("--runs 1 --engines rxjs --workloads booking --passes 1"), [
      "1 booking rxjs 1 x1",
    ]);
  });

  it("runs Flink with JSONPath only where there is a path, and the rest of it always", () => {
    assertEquals(planOf("--workloads count,booking --runs 1 --engines loop --workers 2 --flink"), [
      "1 count loop 1 x5",
      "1 count flink 2 x5",
      "1 count flink-databind 2 x5",
      "1 booking loop 1 x3",
      "1 booking flink 2 x3",
      "1 booking flink-databind 2 x3",
      "1 booking flink-jsonpath 2 x3",
    ]);
  });

  it("tells each run where its input is", () => {
    const runs = plannedRuns(benchOptions(["--input", "file"]));
    assertEquals(runs.every(({ input }) => input === "file"), true);
  });
});

describe("passesNeeded()", () => {
  it("is the most of any engine, job by job", () => {
    const runs = plannedRuns(benchOptions(["--workloads", "count,booking"]));
    assertEquals(passesNeeded(runs), { passthrough: 1, count: 5, booking: 3 });
    const flink = plannedRuns(benchOptions(["--engines", "rxjs,flink", "--passes", "12"]));
    assertEquals(passesNeeded(flink), { passthrough: 12, count: 12, booking: 12 });
  });
});
