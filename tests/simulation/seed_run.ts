/**
 * What one seed stands for: a job, its input, its faults and their moments; and what is found.
 *
 * @module
 */

import { type Random, seededRandom } from "../../runtime/random.ts";
import { type Fault, FAULTS } from "../../runtime/testing/fault_plan.ts";
import { type SimulatedRun, simulateRun } from "../../runtime/testing/simulation.ts";
import { type SimulatedJob } from "./simulated_job.ts";
import { counts } from "./subjects/counts.ts";
import { pairs } from "./subjects/pairs.ts";
import { rules } from "./subjects/rules.ts";

/** How a seed went. */
export interface SeedResult {
  readonly seed: number;
  readonly job: string;
  /** The first thing that is wrong, if anything is. */
  readonly finding: string | undefined;
  readonly faults: readonly Fault[];
  readonly trace: readonly string[];
  /** The same for two runs that are the same. */
  readonly fingerprint: string;
  readonly checkpoints: number;
}

/** Runs a seed; then once more without faults from one of its checkpoints, which must come to the same. */
export async function runSeed(seed: number): Promise<SeedResult> {
  const random = seededRandom(seed);
  const subject = drawJob(random);
  const run = await simulateRun(subject, {
    seed: drawSeed(random),
    faults: FAULTS,
  });
  const finding = run.violation ?? subject.check(run.outputs) ??
    await restoredFinding(subject, run, random);
  return {
    seed,
    job: subject.name,
    finding,
    faults: run.faults,
    trace: run.trace.lines,
    fingerprint: run.trace.fingerprint,
    checkpoints: run.checkpoints.length,
  };
}

function drawJob(random: Random): SimulatedJob {
  const kinds = [counts, counts, pairs, rules];
  const kind = kinds[Math.floor(random() * kinds.length)] ?? counts;
  return kind(random);
}

function drawSeed(random: Random): number {
  return Math.floor(random() * 2 ** 32);
}

/** What is wrong when the job goes on from one of the checkpoints that it has kept. */
async function restoredFinding(
  subject: SimulatedJob,
  { store, checkpoints, outputs }: SimulatedRun,
  random: Random,
): Promise<string | undefined> {
  const id = checkpoints[Math.floor(random() * checkpoints.length)];
  if (id === undefined) return undefined;
  const again = await simulateRun(subject, {
    seed: drawSeed(random),
    faults: [],
    from: { store, id },
  });
  if (again.violation !== undefined) return `from checkpoint ${id}: ${again.violation}`;
  const joined = new Map([...outputs].map(([sink, rows]) => [
    sink,
    [...rows.filter(({ epoch }) => epoch > 0 && epoch <= id), ...again.outputs.get(sink) ?? []],
  ]));
  const finding = subject.check(joined);
  return finding === undefined ? undefined : `from checkpoint ${id}: ${finding}`;
}
