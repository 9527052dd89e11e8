/**
 * A planned run is made in another process, and what that prints comes back.
 *
 * @module
 */

import { assert, assertEquals, assertGreater, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { generate } from "./generator.ts";
import type { PlannedRun } from "./plan.ts";
import { wrongResults } from "./result.ts";
import { resultOf } from "./runner.ts";

const run: PlannedRun = {
  workload: "count",
  engine: "loop",
  workers: 1,
  passes: 1,
  input: "memory",
  turn: 1,
};

describe("resultOf()", () => {
  let dataDir = "";
  const options = { records: 4000, seed: 1, passes: { passthrough: 1, count: 1, booking: 1 } };

  beforeAll(() => {
    dataDir = Deno.makeTempDirSync();
    generate({ ...options, dataDir });
  });

  afterAll(() => Deno.removeSync(dataDir, { recursive: true }));

  it("gives a process's own figures and its outputs", async () => {
    const result = await resultOf(run, dataDir);
    assertEquals(wrongResults([result], generate({ ...options, dataDir })), []);
    assertEquals([result.engine, result.workload, result.records], ["loop", "count", 2500]);
    assertGreater(result.cpuSecondsPerMillion, 0);
    assert(result.peakRssMb > 10 && result.peakRssMb < 1000, `${result.peakRssMb} MB`);
  });

  it("refuses a run that failed", async () => {
    const error = await assertRejects(() => resultOf({ ...run, workers: 2 }, dataDir), Error);
    assert(error.message.includes("it ended with code 1"), error.message);
  });
});
