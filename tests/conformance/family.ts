/**
 * What a family of cases is to the runner, and the leading of its jobs.
 *
 * @module
 */

import { memoryStore } from "../../runtime/checkpoint/memory_store.ts";
import type { Job, SinkMap, SourceMap } from "../../runtime/job.ts";
import { seededRandom } from "../../runtime/random.ts";
import { JobDriver } from "../../runtime/testing/job_driver.ts";
import type { CollectedOutput } from "./collected_output.ts";
import type { Grouping } from "./comparison.ts";
import type { GoldenCase, GoldenObject, GoldenOutput } from "./golden_file.ts";

/** How a case is run. */
export interface CaseOptions {
  readonly workers: number;
  readonly seed: number;
  /** Whether the job is left behind a step that the seed says, and goes on from a checkpoint of that moment. */
  readonly interrupt?: boolean | undefined;
  /** So many workers at most go on; default 3. Where it is 1, on as many as before. */
  readonly workersMax?: number | undefined;
}

/** Workers that go on after an interruption, at most. */
const WORKERS_AFTER_MAX = 3;

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

/**
 * Runs a case's job, one step after the other; what came out at the start counts for the first step.
 *
 * @param options with `interrupt`, a step is followed by a checkpoint, and the next one is another run's, which has
 * begun with that checkpoint on another number of workers, at the same time
 */
export async function leadCase<T, S extends SourceMap, O extends SinkMap, P>(
  { job, output, startTime = 0, take }: LedCase<T, S, O, P>,
  input: readonly GoldenObject[],
  options: CaseOptions,
): Promise<readonly GoldenOutput[]> {
  const { seed, workers } = options;
  const interruption = options.interrupt === true
    ? interruptionOf(options, input.length)
    : undefined;
  const checkpoints = interruption === undefined ? undefined : memoryStore();
  let driver = await JobDriver.start(job, { workers, seed, startTime, checkpoints });
  for (const [step, given] of input.entries()) {
    output.step = step;
    await take(given, driver);
    await driver.settle();
    const [letter] = driver.deadLetters;
    if (letter !== undefined) return [...output.entries, { step, error: letter.reason }];
    if (step !== interruption?.behind) continue;
    // One that has ended by itself has taken its last one.
    if (!driver.ended) await driver.checkpoint();
    const { now } = driver;
    await driver.leave();
    output.leave();
    const next = { workers: interruption.workers, seed, startTime: now, checkpoints };
    driver = await JobDriver.start(job, next);
  }
  const entries = [...output.entries];
  await driver.stop();
  return entries;
}

/** Behind which step, and how many workers go on: another number than before, where more than one may. */
function interruptionOf(
  { seed, workers, workersMax = WORKERS_AFTER_MAX }: CaseOptions,
  steps: number,
): { behind: number; workers: number } {
  const random = seededRandom(seed);
  const behind = Math.floor(random() * steps);
  const numbers = Array.from({ length: workersMax }, (_, index) => index + 1);
  const others = numbers.filter((number) => number !== workers);
  return { behind, workers: others[Math.floor(random() * others.length)] ?? workers };
}
