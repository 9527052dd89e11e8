/**
 * Apache Flink on the same files, for who has its runner: a program that takes
 * `WORKLOAD DATA_DIR --parallelism N --passes N --json HOW` and prints one line of JSON. It builds itself on first use.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import type { FlinkEngineName } from "./engine.ts";
import type { PlannedRun } from "./plan.ts";
import { parseResult, type RunResult } from "./result.ts";
import type { Workload } from "./workload.ts";

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

/** How each of the engines that are Flink reads JSON, in the runner's words. */
const JSON_READERS: Readonly<Record<FlinkEngineName, string>> = {
  "flink": "streaming",
  "flink-databind": "databind",
  "flink-jsonpath": "jsonpath",
};

/** Whether Flink's job reads JSON in that way: by paths only what is behind a path. */
export function flinkRuns(engine: FlinkEngineName, workload: Workload): boolean {
  return engine !== "flink-jsonpath" || workload === "booking";
}

/** How a run of Flink is started. */
export function flinkCommand(
  engine: FlinkEngineName,
  run: PlannedRun,
  dataDir: string,
): [string, ...string[]] {
  const { workload, workers, passes } = run;
  const options = { parallelism: workers, passes, json: JSON_READERS[engine] };
  return [
    runner,
    workload,
    dataDir,
    ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, `${value}`]),
  ];
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
