/**
 * Apache Flink on the same files, for who has its runner: a program that takes
 * `WORKLOAD DATA_DIR --parallelism N --passes N` and prints one line of JSON. It builds itself on first use.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import type { PlannedRun } from "./plan.ts";
import { parseResult, type RunResult } from "./result.ts";

/** Where the runner is looked for, from the repository's root. */
export const FLINK_RUNNER = "../shared/bench/flink/run";

const runner = fileURLToPath(new URL(`../../${FLINK_RUNNER}`, import.meta.url));

/** Whether the runner is there. */
export function hasFlink(): boolean {
  try {
    return Deno.statSync(runner).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** How a planned run is started. */
export function flinkCommand(run: PlannedRun, dataDir: string): [string, ...string[]] {
  const { workload, workers, passes } = run;
  return [runner, workload, dataDir, "--parallelism", `${workers}`, "--passes", `${passes}`];
}

/**
 * Reads the runner's line, which calls workers its parallelism and leaves passes to whoever asked.
 *
 * @throws {SyntaxError} if it is not JSON
 * @throws {TypeError} if a field is missing or of another type
 */
export function flinkResult(line: string, passes: number): RunResult {
  const { parallelism, ...fields } = JSON.parse(line);
  return parseResult(JSON.stringify({ ...fields, workers: parallelism, passes }));
}
