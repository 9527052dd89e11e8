/**
 * Running a job in a test: the real engine in one thread, in virtual time, on inputs given by the test. Nothing outside
 * is touched; the same seed gives the same run.
 *
 * @module
 */

import { memory, type MemorySink } from "../../connectors/memory/memory.ts";
import type { DeadLetter } from "../dead_letter.ts";
import type { Job, SinkMap, SourceMap } from "../job.ts";
import { type Logger, silentLogger } from "../logger.ts";
import { inProcessHost } from "../ports/in_process_host.ts";
import { seededRandom } from "../random.ts";
import type { JobStatus } from "../supervisor/job_status.ts";
import { Supervisor } from "../supervisor/supervisor.ts";
import { Scheduler } from "./scheduler.ts";
import { standIns, type TestInputs } from "./test_inputs.ts";

/** How a test runs a job. */
export interface RunJobOptions {
  /** Workers, in one thread; default 1. Results must not depend on it. */
  readonly workers?: number;
  /** Of the order in which workers and messages get their turns; default 1. */
  readonly seed?: number;
  /** Parameters, as texts, as from flags. */
  readonly params?: Readonly<Record<string, string>>;
  /** Virtual time at the start, ms since the epoch; default 0. */
  readonly startTime?: number;
  readonly logger?: Logger;
}

/** What a job did in a test. */
export interface TestRun<O extends SinkMap> {
  /** What the job wrote to a sink. Order holds within a key. */
  output<N extends keyof O>(name: N): readonly OutputOf<O[N]>[];
  /** Records that could not be processed. */
  readonly deadLetters: readonly DeadLetter[];
  /** Counters at the end. */
  readonly status: JobStatus;
}

/** What a sink takes. */
export type OutputOf<K> = K extends
  { readonly open: (context: never) => Promise<{ readonly write: (batch: infer B) => unknown }> }
  ? B extends { readonly values: readonly (infer T)[] } ? T : never
  : never;

/**
 * Runs a job to its end. Inputs replace the job's sources, sinks only collect. A source without input delivers nothing,
 * unless it is bounded and in memory or a file: then it is read.
 *
 * @throws {Error} if the job can't be built or fails; a record that fails becomes a dead letter by the job's policy
 * @throws {RangeError} if an input is for no source of the job, or never ends
 *
 * @example A test of a job
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { defineJob, kinesis, runJob, store } from "../../mod.ts";
 * import { z } from "npm:zod@4.6.7";
 *
 * const job = defineJob({
 *   name: "totals",
 *   sources: { orders: kinesis.source("orders", { schema: z.object({ id: z.string(), total: z.number() }) }) },
 *   sinks: { totals: kinesis.sink<number>("totals", { partitionKey: String }) },
 *   build({ orders }, { totals }) {
 *     orders.keyBy((order) => order.id).process("sum", {
 *       state: { sum: store.value(0) },
 *       onEvent: (order, { state }) => [state.sum.value += order.total],
 *     }).to(totals);
 *   },
 * });
 * const run = await runJob(job, { orders: [{ id: "a", total: 2 }, { id: "a", total: 3 }] });
 * assertEquals(run.output("totals"), [2, 5]);
 * ```
 */
export async function runJob<S extends SourceMap, O extends SinkMap, P>(
  job: Job<S, O, P>,
  inputs: TestInputs<S> = {},
  options: RunJobOptions = {},
): Promise<TestRun<O>> {
  const { workers = 1, seed = 1, params = {}, startTime = 0, logger = silentLogger } = options;
  const random = seededRandom(seed);
  const scheduler = new Scheduler(random, startTime);
  const sinks = collectingSinks(job.sinks);
  const { deadLetters: _, ...rest } = job;
  const tested: Job = {
    ...rest,
    sources: standIns(job.name, job.sources, inputs, (values) => memory.source(values)),
    sinks,
    build: job.build.bind(job) as Job["build"],
  };
  const letters: DeadLetter[] = [];
  const supervisor = new Supervisor({
    host: inProcessHost(tested, scheduler, random),
    clock: scheduler.clock,
    random,
    logger,
    settings: { url: "", params, aws: {}, startedAt: startTime, logLevel: "debug" },
    workers,
    parallelism: workers,
    onDeadLetter: (letter) => letters.push(letter),
  });
  const outcome = await scheduler.run(supervisor.run());
  if (outcome.kind === "failed") throw outcome.error;
  return {
    output: <N extends keyof O>(name: N) => {
      const sink = sinks[String(name)];
      if (sink === undefined) {
        throw new RangeError(
          `Cannot give the output of sink "${String(name)}": the job has no such sink`,
        );
      }
      return sink.rows as readonly OutputOf<O[N]>[];
    },
    deadLetters: letters,
    status: outcome.status,
  };
}

function collectingSinks(sinks: SinkMap): Record<string, MemorySink<unknown>> {
  return Object.fromEntries(Object.keys(sinks).map((name) => [name, memory.sink<unknown>(name)]));
}
