/**
 * The jobs write what the reference says, whatever their schemas are made by and wherever their input is.
 *
 * @module
 */

import { assertEquals, assertGreater, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { benchJobUrl, REPLAY_INPUTS, SCHEMA_KINDS } from "./bench_job.ts";
import { Checksum } from "./checksum.ts";
import { type Expected, expectedPass } from "./expected.ts";
import { generate } from "./generator.ts";
import { runBenchJob } from "./penstock.ts";
import { type Workload, WORKLOADS } from "./workload.ts";

describe("runBenchJob()", () => {
  let dataDir = "";
  let expected: Expected | undefined;

  beforeAll(() => {
    dataDir = Deno.makeTempDirSync();
    const passes = { passthrough: 1, count: 1, booking: 1 };
    expected = generate({ dataDir, records: 8000, seed: 1, passes });
  });
  afterAll(() => Deno.removeSync(dataDir, { recursive: true }));

  async function check(workload: Workload, schema: typeof SCHEMA_KINDS[number], workers: number) {
    for (const input of REPLAY_INPUTS) {
      const sum = new Checksum();
      await runBenchJob({
        url: benchJobUrl(workload, { dataDir, passes: 1, schema, input }),
        workers,
        sum,
        onRecords: () => {},
      });
      if (expected === undefined) throw new TypeError("Nothing is expected");
      const { outputs, checksum } = expectedPass(expected, workload, 1);
      assertGreater(outputs, 0);
      assertEquals([sum.outputs, sum.hex()], [outputs, checksum], `${workload} ${schema} ${input}`);
    }
  }

  for (const schema of SCHEMA_KINDS) {
    it(`writes the outputs of booking, two workers, ${schema}`, () => check("booking", schema, 2));
  }
  for (const workload of WORKLOADS.filter((workload) => workload !== "booking")) {
    it(`writes the outputs of ${workload}, one worker`, () => check(workload, "fields", 1));
  }

  it("rejects when a job can't be opened", async () => {
    const url = benchJobUrl("count", {
      dataDir: `${dataDir}/none`,
      passes: 1,
      schema: "fields",
      input: "memory",
    });
    const run = { url, workers: 1, sum: new Checksum(), onRecords: () => {} };
    await assertRejects(() => runBenchJob(run), Error, "clicks.ndjson");
  });
});
