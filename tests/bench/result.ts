/**
 * The line that a run prints, and whether what it says is right. A run whose outputs are not as expected does not count,
 * however fast it was.
 *
 * @module
 */

import { type Expected, expectedPass } from "./expected.ts";
import type { Measured } from "./measure.ts";
import { type Workload, WORKLOADS } from "./workload.ts";

/** What one run of one engine came to. */
export interface RunResult extends Measured {
  readonly engine: string;
  readonly workload: Workload;
  readonly workers: number;
  readonly passes: number;
  /** Output lines of the whole run, warm-up included. */
  readonly outputs: number;
  /** Their checksum, 12 hex digits. */
  readonly checksum: string;
  /** Whether the run itself found both as expected. */
  readonly ok: boolean;
}

/**
 * Reads a result line.
 *
 * @throws {SyntaxError} if it is not JSON
 * @throws {TypeError} if a field is missing or of another type
 */
export function parseResult(line: string): RunResult {
  const fields: Readonly<Record<string, unknown>> = JSON.parse(line);
  const field = <T>(name: string, is: (value: unknown) => value is T): T => {
    const value = fields[name];
    if (!is(value)) {
      throw new TypeError(`Cannot read result line ${line}: field ${name} is ${value}`);
    }
    return value;
  };
  return {
    engine: field("engine", isString),
    workload: field("workload", isWorkload),
    workers: field("workers", isNumber),
    passes: field("passes", isNumber),
    records: field("records", isNumber),
    seconds: field("seconds", isNumber),
    recordsPerSecond: field("recordsPerSecond", isNumber),
    cpuSecondsPerMillion: field("cpuSecondsPerMillion", isNumber),
    peakRssMb: field("peakRssMb", isNumber),
    outputs: field("outputs", isNumber),
    checksum: field("checksum", isString),
    ok: field("ok", isBoolean),
  };
}

/** What is wrong with results, a sentence each; none when all engines wrote what they should. */
export function wrongResults(results: readonly RunResult[], expected: Expected): string[] {
  return results.flatMap((result) => {
    const { engine, workload, workers, passes, outputs, checksum, ok } = result;
    const want = expectedPass(expected, workload, passes);
    if (ok && outputs === want.outputs && checksum === want.checksum) return [];
    return [
      `${workload} in ${engine} with ${workers} workers and ${passes} passes wrote ${outputs} outputs with checksum ` +
      `${checksum}, expected ${want.outputs} with ${want.checksum}`,
    ];
  });
}

const isString = (value: unknown): value is string => typeof value === "string";
const isNumber = (value: unknown): value is number => Number.isFinite(value);
const isBoolean = (value: unknown): value is boolean => typeof value === "boolean";
const isWorkload = (value: unknown): value is Workload =>
  WORKLOADS.some((workload) => workload === value);
