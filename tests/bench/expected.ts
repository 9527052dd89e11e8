/**
 * What every engine must produce, as `expected.json` beside the generated files says it. Written last and all at once:
 * a folder without it is not complete.
 *
 * @module
 */

import type { InputName, Workload } from "./workload.ts";

/** The outputs of a job that replayed its file so many times. */
export interface ExpectedPass {
  readonly passes: number;
  readonly records: number;
  readonly outputs: number;
  readonly checksum: string;
}

/** A job's share of `expected.json`. */
export interface ExpectedWorkload {
  /** The file's name. */
  readonly input: `${InputName}.ndjson`;
  /** Records in the file. */
  readonly records: number;
  /** Event time of the file's start, ms since the epoch. */
  readonly firstTs: number;
  /** By how much event time moves from one pass to the next. */
  readonly spanMs: number;
  /** From one pass on, each one more. */
  readonly passes: readonly ExpectedPass[];
}

/** All of `expected.json`. */
export interface Expected {
  readonly seed: number;
  readonly workloads: Readonly<Record<Workload, ExpectedWorkload>>;
}

const FILE = "expected.json";

/** What a folder's `expected.json` says, or undefined when there is none. */
export function readExpected(dataDir: string): Expected | undefined {
  try {
    return JSON.parse(Deno.readTextFileSync(`${dataDir}/${FILE}`));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Writes a folder's `expected.json`, so that it is there whole or not at all. */
export function writeExpected(dataDir: string, expected: Expected): void {
  Deno.writeTextFileSync(`${dataDir}/${FILE}.part`, JSON.stringify(expected, null, 1) + "\n");
  Deno.renameSync(`${dataDir}/${FILE}.part`, `${dataDir}/${FILE}`);
}

/**
 * The outputs that a job must have after so many passes.
 *
 * @throws {RangeError} if they were not worked out for as many passes
 */
export function expectedPass(
  expected: Expected,
  workload: Workload,
  passes: number,
): ExpectedPass {
  const found = expected.workloads[workload].passes.find((pass) => pass.passes === passes);
  if (found === undefined) {
    throw new RangeError(
      `Cannot tell the outputs of ${workload} after ${passes} passes: ${FILE} goes to ${
        expected.workloads[workload].passes.length
      }; run the benchmark with --passes ${passes} to extend it`,
    );
  }
  return found;
}
