/**
 * Runs one engine once, in this process, and prints its result as one line of JSON:
 * `deno run -A tests/bench/run.ts --engine loop --workload count --workers 1 --data DIR --passes 2`.
 *
 * @module
 */

import { type RunOptions, runOptions } from "./arguments.ts";
import { Checksum } from "./checksum.ts";
import { type EngineRun, loadEngine, THREADED_ENGINES } from "./engine.ts";
import { expectedPass, readExpected } from "./expected.ts";
import { type LoadedInput, loadInput } from "./input.ts";
import { Meter, type Probe, processProbe } from "./measure.ts";
import type { RunResult } from "./result.ts";

/**
 * Runs an engine over generated files.
 *
 * @throws {RangeError} if the files' `expected.json` does not go to so many passes, or the engine has one thread only
 * @throws {Deno.errors.NotFound} if the folder has no generated files
 */
export async function runOnce(options: RunOptions, probe: Probe): Promise<RunResult> {
  const { engine, workload, workers, dataDir, passes, input: replayInput } = options;
  if (workers > 1 && !THREADED_ENGINES.includes(engine)) {
    throw new RangeError(`Cannot run ${engine} with ${workers} workers: it has one thread only`);
  }
  const expected = readExpected(dataDir);
  if (expected === undefined) {
    throw new Deno.errors.NotFound(
      `Cannot run ${workload}: ${dataDir} has no expected.json; the benchmark generates it`,
    );
  }
  const want = expectedPass(expected, workload, passes);
  const { input: file, records } = expected.workloads[workload];
  const meter = new Meter(records * passes, probe);
  const sum = new Checksum();
  let loaded: LoadedInput | undefined;
  const run: EngineRun = {
    workload,
    dataDir,
    get input() {
      return loaded ??= loadInput(`${dataDir}/${file}`, records);
    },
    records,
    passes,
    workers,
    replayInput,
    meter,
    sum,
  };
  await (await loadEngine(engine))(run);
  const measured = meter.finish();
  const outputs = sum.outputs;
  const checksum = sum.hex();
  const ok = outputs === want.outputs && checksum === want.checksum;
  return { engine, workload, workers, passes, ...measured, outputs, checksum, ok };
}

if (import.meta.main) {
  const result = await runOnce(runOptions(Deno.args), processProbe);
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(result) + "\n"));
  // Whatever an engine left open must not keep the process.
  Deno.exit(0);
}
