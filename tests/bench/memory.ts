/**
 * Replays a file for a long time and prints resident memory as it goes, then whether it stayed flat:
 * `deno task bench memory --workload passthrough --records 100000000`. Exit code 1 when it grew, or when outputs are wrong.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import type { MemoryOptions } from "./arguments.ts";
import { benchJobUrl } from "./bench_job.ts";
import { Checksum } from "./checksum.ts";
import { generate } from "./generator.ts";
import { memoryGrowth, type MemorySample, verdictLine } from "./memory_growth.ts";
import { runBenchJob } from "./penstock.ts";
import { PASSES_DEFAULT } from "./workload.ts";

/** How often a line is printed. */
const PRINT_RECORDS = 10_000_000;

/** Makes the run; returns the exit code. */
export async function memory(
  options: MemoryOptions,
  print: (line: string) => void,
): Promise<number> {
  const { workload, workers, records, fileRecords, seed, schema, input } = options;
  const dataDir = fileURLToPath(new URL(`../../.bench/${fileRecords}-${seed}`, import.meta.url));
  // Outputs of many passes take long to work out: they are compared where they are known already.
  const expected = generate({ dataDir, records: fileRecords, seed, passes: PASSES_DEFAULT });
  const passes = Math.ceil(records / fileRecords);
  const total = passes * fileRecords;
  const samples: MemorySample[] = [];
  let printAt = Math.min(PRINT_RECORDS, total);
  let peak = 0;
  const sample = (records: number) => {
    // Process and workers are one: their memory is counted together.
    const rssMb = Math.round(Deno.memoryUsage().rss / 2 ** 20);
    samples.push({ records, rssMb });
    peak = Math.max(peak, rssMb);
    if (records < printAt) return;
    print(`${records} records: resident ${rssMb} MB, at most ${peak} MB since the last line`);
    peak = 0;
    while (printAt <= records) printAt += PRINT_RECORDS;
  };
  const sum = new Checksum();
  await runBenchJob({
    url: benchJobUrl(workload, { dataDir, passes, schema, input }),
    workers,
    sum,
    onRecords: sample,
  });
  const want = expected.workloads[workload].passes.find((pass) => pass.passes === passes);
  const right = want === undefined ||
    (want.outputs === sum.outputs && want.checksum === sum.hex());
  print(
    `${workload}, ${total} records, ${workers} workers, schema ${schema}, input ${input}: ` +
      `${sum.outputs} outputs${
        want === undefined ? ", not compared" : right ? ", as expected" : ", not as expected"
      }`,
  );
  const growth = memoryGrowth(samples, total);
  print(verdictLine(growth));
  return growth.flat && right ? 0 : 1;
}
