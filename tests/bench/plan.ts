/**
 * Which runs a sitting consists of, and in which order. Engines take turns, A B C A B C, so that what disturbs the
 * machine for a while disturbs all of them alike.
 *
 * @module
 */

import type { BenchOptions } from "./arguments.ts";
import type { ReplayInput } from "./bench_job.ts";
import { type EngineName, isFlink, THREADED_ENGINES } from "./engine.ts";
import { flinkRuns } from "./flink.ts";
import { PASSES_DEFAULT, type Workload, WORKLOADS } from "./workload.ts";

/** One run to be made. */
export interface PlannedRun {
  readonly workload: Workload;
  readonly engine: EngineName;
  readonly workers: number;
  readonly passes: number;
  readonly input: ReplayInput;
  /** From 1. */
  readonly turn: number;
}

/** Slow engines replay less: figures are per record, and the sitting should end. */
const PASS_SHARE: Readonly<Record<string, Readonly<Record<Workload, number>>>> = {
  rxjs: { passthrough: 1, count: 2 / 5, booking: 1 / 4 },
};

/** All runs of a sitting, in order: job by job, turn by turn. */
export function plannedRuns(options: BenchOptions): PlannedRun[] {
  const { input } = options;
  const runs: PlannedRun[] = [];
  for (const workload of options.workloads) {
    const engines = options.engines.filter((name) => !isFlink(name) || flinkRuns(name, workload));
    for (let turn = 1; turn <= options.runs; turn++) {
      for (const engine of engines) {
        const passes = passesOf(workload, engine, options.passes);
        for (const workers of THREADED_ENGINES.includes(engine) ? options.workers : [1]) {
          runs.push({ workload, engine, workers, passes, input, turn });
        }
      }
    }
  }
  return runs;
}

/** The most passes of each job in a plan: for so many the outputs must be known. */
export function passesNeeded(runs: readonly PlannedRun[]): Record<Workload, number> {
  const needed = { passthrough: 1, count: 1, booking: 1 };
  for (const workload of WORKLOADS) {
    for (const run of runs) {
      if (run.workload === workload) needed[workload] = Math.max(needed[workload], run.passes);
    }
  }
  return needed;
}

function passesOf(workload: Workload, engine: string, asked: number | undefined): number {
  const passes = asked ?? PASSES_DEFAULT[workload];
  return Math.max(1, Math.round(passes * (PASS_SHARE[engine]?.[workload] ?? 1)));
}
