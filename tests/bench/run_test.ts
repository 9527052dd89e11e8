/**
 * The engines that the project is compared with write what the reference says, or the comparison is none.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { generate } from "./generator.ts";
import { runOnce } from "./run.ts";
import { WORKLOADS } from "./workload.ts";

const RECORDS = 4000;
const input = "memory";
const probe = { nowMs: () => 0, cpuMicros: () => 0, peakRssMb: () => 0 };

describe("runOnce()", () => {
  let dataDir = "";

  beforeAll(() => {
    dataDir = Deno.makeTempDirSync();
    const passes = { passthrough: 2, count: 2, booking: 2 };
    generate({ dataDir, records: RECORDS, seed: 1, passes });
  });

  afterAll(() => Deno.removeSync(dataDir, { recursive: true }));

  for (const engine of ["loop", "rxjs"] as const) {
    for (const workload of WORKLOADS) {
      it(`finds ${workload} in ${engine} right, over two passes`, async () => {
        const options = { engine, workload, workers: 1, dataDir, passes: 2, input } as const;
        const result = await runOnce(options, probe);
        assertEquals(result.ok, true);
        // The first batch of 500 at or after a third of 8000 records ends the warm-up.
        assertEquals(result.records, 2 * RECORDS - 3000);
      });
    }
  }

  it("refuses more workers than an engine can have", async () => {
    const options = {
      engine: "loop",
      workload: "count",
      workers: 2,
      dataDir,
      passes: 1,
      input,
    } as const;
    await assertRejects(() => runOnce(options, probe), RangeError, "one thread only");
  });

  it("refuses passes of which the outputs are not known, and a folder without files", async () => {
    const options = {
      engine: "loop",
      workload: "count",
      workers: 1,
      dataDir,
      passes: 3,
      input,
    } as const;
    await assertRejects(() => runOnce(options, probe), RangeError, "after 3 passes");
    await assertRejects(
      () => runOnce({ ...options, dataDir: `${dataDir}/none` }, probe),
      Deno.errors.NotFound,
      "has no expected.json",
    );
  });
});
