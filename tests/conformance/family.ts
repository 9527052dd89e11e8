/**
 * What a family of cases is to the runner, and the leading of its jobs.
 *
 * @module
 */

import type { Job, SinkMap, SourceMap } from "../../runtime/job.ts";
import { JobDriver } from "../../runtime/testing/job_driver.ts";
import type { CollectedOutput } from "./collected_output.ts";
import type { Grouping } from "./comparison.ts";
import type { GoldenCase, GoldenObject, GoldenOutput } from "./golden_file.ts";

/** How a case is run. */
export interface CaseOptions {
  readonly workers: number;
  readonly seed: number;
}

/** A family that the engine has. */
export interface Family {
  readonly name: string;
  readonly grouping: Grouping;
  /** Runs a case through the engine; gives what came out. */
  readonly run: (of: GoldenCase, options: CaseOptions) => Promise<readonly GoldenOutput[]>;
}

/** What a led case consists of. */
export interface LedCase<T, S extends SourceMap, O extends SinkMap, P> {
  readonly job: Job<S, O, P>;
  readonly output: CollectedOutput<T>;
  readonly startTime?: number;
  /** Gives the job's sources what a step says. The driver runs it until nothing is left to do, behind this. */
  readonly take: (step: GoldenObject, driver: JobDriver) => Promise<void> | void;
}

/** Runs a case's job, one step after the other; what came out at the start counts for the first step. */
export async function leadCase<T, S extends SourceMap, O extends SinkMap, P>(
  { job, output, startTime = 0, take }: LedCase<T, S, O, P>,
  input: readonly GoldenObject[],
  options: CaseOptions,
): Promise<readonly GoldenOutput[]> {
  const driver = await JobDriver.start(job, { ...options, startTime });
  for (const [step, given] of input.entries()) {
    output.step = step;
    await take(given, driver);
    await driver.settle();
    const [letter] = driver.deadLetters;
    if (letter !== undefined) return [...output.entries, { step, error: letter.reason }];
  }
  const entries = [...output.entries];
  await driver.stop();
  return entries;
}
