/**
 * A user's job in the simulator: whatever happens around it, its readers see what they see when nothing happens.
 *
 * @module
 */

import type { Job, SinkMap, SourceMap } from "../job.ts";
import { seededRandom } from "../random.ts";
import { type Fault, FAULTS } from "./fault_plan.ts";
import { arraySource } from "./simulated_connectors.ts";
import { type SimulatedRun, simulateRun, type Subject } from "./simulation.ts";
import { standIns, type TestInputs } from "./test_inputs.ts";

/** Rows of one batch are drawn from 1 up to this. */
const BATCH_ROWS_MAX = 20;

/** What a check is given: by sink, the values that were committed, in the order of writing. */
export type SimulatedOutputs = Readonly<Record<string, readonly unknown[]>>;

/** How a job is simulated. */
export interface SimulateOptions<S extends SourceMap = SourceMap> {
  /** How many runs, each with a seed of its own. */
  readonly seeds: number;
  /** The first seed; default 1. One that failed is run again with `{ seeds: 1, seed }`. */
  readonly seed?: number;
  /** What sources deliver: as in {@linkcode runJob}. */
  readonly inputs?: TestInputs<S>;
  /** Parameters, as texts, as from flags. */
  readonly params?: Readonly<Record<string, string>>;
  /** Workers are drawn from 1 up to this; default 3. */
  readonly workersMax?: number;
  /** Faults of which each seed has some; all unless said. */
  readonly faults?: readonly Fault[];
  /**
   * What is wrong with the outputs; undefined if nothing is. Unless said they must be those of a run in which nothing
   * happens, in any order: a job whose output depends on who is faster says itself what must hold.
   */
  readonly check?: (outputs: SimulatedOutputs) => string | undefined;
}

/** How it went. */
export interface SimulationSummary {
  readonly seeds: number;
  /** Checkpoints that were there at the ends, over all seeds. */
  readonly checkpoints: number;
}

/** A seed with which something is wrong. */
export class SimulationError extends Error {
  override readonly name = "SimulationError";
  readonly seed: number;
  /** The last of what happened, in order. */
  readonly trace: readonly string[];

  constructor(job: string, seed: number, finding: string, { faults, trace }: SimulatedRun) {
    super(
      `Job "${job}" fails in the simulator with seed ${seed}: ${finding}; ` +
        `run it again with { seeds: 1, seed: ${seed} }. Faults: ${faults.join(", ") || "none"}. ` +
        `What happened last:\n${trace.lines.join("\n")}`,
    );
    this.seed = seed;
    this.trace = trace.lines;
  }
}

/**
 * Runs a job many times in one thread and in virtual time, each time with other faults at other moments: workers killed,
 * messages late, readers, sinks and stores slow and failing, checkpoints torn, key groups moved, the job stopped and started
 * with another number of workers. Sources must be bounded, or be given inputs; sinks are replaced by transactional ones.
 *
 * Checked are the outputs, and that each row is there once, no watermark goes back, no queue is beyond its bound, every
 * checkpoint can be read, and the job ends once faults stop (deterministic simulation testing, as in FoundationDB and
 * TigerBeetle; which faults a seed has: swarm testing, Groce et al. 2012).
 *
 * @throws {SimulationError} for the first seed with which something is wrong: a run of that seed is the same each time
 * @throws {RangeError} if `seeds` or `workersMax` is no whole number from 1, or an input is for no source or never ends
 *
 * @example In a test
 * ```ts
 * import { defineJob, memory, simulate, store } from "../../mod.ts";
 * const job = defineJob({
 *   name: "totals",
 *   sources: { orders: memory.source([{ id: "a", total: 2 }, { id: "b", total: 1 }, { id: "a", total: 3 }]) },
 *   sinks: { totals: memory.sink<string>() },
 *   build({ orders }, { totals }) {
 *     orders.keyBy(({ id }) => id).process("sum", {
 *       state: { sum: store.value(0) },
 *       onEvent: ({ total }, { key, state }) => [`${key} ${state.sum.value += total}`],
 *     }).to(totals);
 *   },
 * });
 * await simulate(job, { seeds: 5 });
 * ```
 */
export async function simulate<S extends SourceMap, O extends SinkMap, P>(
  job: Job<S, O, P>,
  options: SimulateOptions<S>,
): Promise<SimulationSummary> {
  const { seeds, seed = 1, inputs = {}, params, workersMax = 3, faults = FAULTS } = options;
  for (const [name, value] of Object.entries({ seeds, workersMax })) {
    if (Number.isSafeInteger(value) && value >= 1) continue;
    throw new RangeError(
      `Cannot simulate job "${job.name}" with ${name} ${value}: expected a whole number from 1`,
    );
  }
  const subjectOf = (rows: number): Subject => {
    const ofValues = (values: readonly unknown[]) => arraySource(values, rows);
    const sources = standIns(job.name, job.sources, inputs, ofValues);
    return {
      workersMax,
      params,
      make: () => ({ ...job, sources, build: job.build.bind(job) as Job["build"] }),
    };
  };
  const check = options.check ?? await sameAsUndisturbed(job.name, subjectOf(BATCH_ROWS_MAX));
  let checkpoints = 0;
  for (let at = seed; at < seed + seeds; at++) {
    const random = seededRandom(at);
    const subject = subjectOf(1 + Math.floor(random() * BATCH_ROWS_MAX));
    const run = await simulateRun(subject, { seed: Math.floor(random() * 2 ** 32), faults });
    const finding = run.violation ?? check(valuesOf(run));
    if (finding !== undefined) throw new SimulationError(job.name, at, finding, run);
    checkpoints += run.checkpoints.length;
  }
  return { seeds, checkpoints };
}

function valuesOf({ outputs }: SimulatedRun): SimulatedOutputs {
  return Object.fromEntries(
    [...outputs].map(([sink, rows]) => [sink, rows.map(({ value }) => value)]),
  );
}

/** A check against a run in which nothing happens. */
async function sameAsUndisturbed(
  job: string,
  subject: Subject,
): Promise<(outputs: SimulatedOutputs) => string | undefined> {
  const run = await simulateRun(subject, { seed: 0, faults: [], workers: 1 });
  if (run.violation !== undefined) throw new SimulationError(job, 0, run.violation, run);
  const expected = valuesOf(run);
  return (outputs) => {
    for (const [sink, values] of Object.entries(expected)) {
      const difference = differenceOf(outputs[sink] ?? [], values);
      if (difference !== undefined) return `sink "${sink}" ${difference}`;
    }
    return undefined;
  };
}

/** The first difference between values in any order. */
function differenceOf(found: readonly unknown[], expected: readonly unknown[]): string | undefined {
  const left = new Map<string, number>();
  for (const value of expected) {
    const text = textOf(value);
    left.set(text, (left.get(text) ?? 0) + 1);
  }
  for (const value of found) {
    const text = textOf(value);
    const count = left.get(text) ?? 0;
    if (count === 0) return `has ${text}, which it has not without faults, or not so often`;
    left.set(text, count - 1);
  }
  for (const [text, count] of left) if (count > 0) return `lacks ${text}`;
  return undefined;
}

/** Tells values apart that differ: what JSON leaves out is named. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_, of: unknown) => {
    if (typeof of === "bigint" || of === undefined) return `${typeof of} ${String(of)}`;
    if (typeof of === "number" && !Number.isFinite(of)) return String(of);
    if (of instanceof Map || of instanceof Set) return [of.constructor.name, ...of];
    return of;
  });
}
