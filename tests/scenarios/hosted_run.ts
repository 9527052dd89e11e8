/**
 * A job on in-process workers with its own sinks: for stories about sinks, dead letters and the
 * pace of a job, where `runJob` would put its collecting sinks in their place.
 *
 * @module
 */

import type { Clock } from "../../runtime/clock.ts";
import type { DeadLetter } from "../../runtime/dead_letter.ts";
import type { Job, SinkMap, SourceMap } from "../../runtime/job.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { inProcessHost } from "../../runtime/ports/in_process_host.ts";
import { seededRandom } from "../../runtime/random.ts";
import { Supervisor } from "../../runtime/supervisor/supervisor.ts";
import type { JobOutcome } from "../../runtime/supervisor/supervisor_options.ts";
import { Scheduler } from "../../runtime/testing/scheduler.ts";

/** How a job is run. */
export interface HostedRunOptions {
  readonly workers?: number;
  readonly seed?: number;
  /** Virtual time at which the job is stopped; it runs to its end unless said. */
  readonly stopAt?: number;
  /** Called before the job starts, with virtual time: to look at the job from time to time. */
  readonly alongside?: (clock: Clock) => void;
}

/** How it went. */
export interface HostedRun {
  readonly outcome: JobOutcome;
  /** As the supervisor was told. */
  readonly deadLetters: readonly DeadLetter[];
  /** Virtual time at the end. */
  readonly endedAt: number;
}

/** Runs a job, sources and sinks as they are declared. */
export async function hostedRun<S extends SourceMap, O extends SinkMap, P>(
  job: Job<S, O, P>,
  options: HostedRunOptions = {},
): Promise<HostedRun> {
  const { workers = 1, seed = 1, stopAt, alongside } = options;
  const random = seededRandom(seed);
  const scheduler = new Scheduler(random);
  const { clock } = scheduler;
  const deadLetters: DeadLetter[] = [];
  const hosted: Job = { ...job, build: job.build.bind(job) as Job["build"] };
  const supervisor = new Supervisor({
    host: inProcessHost(hosted, scheduler, random),
    clock,
    random,
    logger: silentLogger,
    settings: { url: "", params: {}, aws: {}, startedAt: 0, logLevel: "error" },
    workers,
    parallelism: workers,
    onDeadLetter: (letter) => deadLetters.push(letter),
  });
  alongside?.(clock);
  if (stopAt !== undefined) clock.setTimer(stopAt, () => supervisor.stop());
  const outcome = await scheduler.run(supervisor.run());
  return { outcome, deadLetters, endedAt: clock.now() };
}
