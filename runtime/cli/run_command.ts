/**
 * Running a job from the command line until it ends, fails, or is interrupted.
 *
 * @module
 */

import { type Clock } from "../clock.ts";
import type { JobPlan } from "../stage_plan.ts";
import { type JobHandle, launchJob, type StartJobOptions } from "../start.ts";
import type { CheckpointEvent } from "../supervisor/checkpoint_event.ts";
import type { JobOutcome } from "../supervisor/supervisor_options.ts";
import type { ScalingOptions } from "../scaling/scaling_options.ts";
import { type ScalingArguments, type StartArguments, UsageError } from "./arguments.ts";
import { decisionLines } from "./decision_lines.ts";
import { planLine, statusLine, summary, type TimedStatus } from "./status_line.ts";

/** What a command touches of the outside. */
export interface Console {
  readonly clock: Clock;
  /** Writes a line for people. */
  print(line: string): void;
  /** Writes a line about what went wrong. */
  printError(line: string): void;
  /** Calls back when the user interrupts; the second time the process ends by itself. */
  onInterrupt(callback: () => void): void;
}

/** A job that runs under a console. */
export interface ConsoleRun {
  readonly handle: JobHandle;
  /** Resolves when it has ended and the summary is printed: the exit code. */
  readonly exitCode: Promise<number>;
}

/** Options of `startJob` from the command line. */
export function startOptions(
  { workers, parallelism, scaling, logLevel, isolation, params, endpoint, region, checkpoints }:
    StartArguments,
): StartJobOptions {
  const options = {
    ...(workers === undefined ? {} : { workers }),
    ...(parallelism === undefined ? {} : { parallelism }),
    ...(scaling === undefined ? {} : { scaling: scalingOptions(scaling) }),
    ...{ logLevel, isolation, params, aws: { endpoint, region } },
  };
  if (checkpoints === undefined) return options;
  const { store, intervalMs, allowDroppedState, from } = checkpoints;
  const interval = intervalMs === undefined ? {} : { interval: intervalMs };
  const begin = from === "latest" ? {} : { from: from === "none" ? from : { id: from } };
  return {
    ...options,
    control: true,
    checkpoints: { store, allowDroppedState, ...interval, ...begin },
  };
}

function scalingOptions({ policy, minWorkers, maxWorkers }: ScalingArguments): ScalingOptions {
  return {
    policy,
    ...(minWorkers === undefined ? {} : { minWorkers }),
    ...(maxWorkers === undefined ? {} : { maxWorkers }),
  };
}

/** Starts a job and shows a line a second, and one for each decision about its workers. */
export function runUnderConsole(
  url: string,
  options: StartJobOptions,
  terminal: Console,
): ConsoleRun {
  const { clock } = terminal;
  const startedAt = clock.now();
  let plan: JobPlan | undefined;
  let before: TimedStatus | undefined;
  let checkpoint: CheckpointEvent | undefined;
  const handle: JobHandle = launched(url, {
    ...options,
    onPlan: (known) => {
      plan = known;
    },
    onStatus: (status) => {
      if (plan !== undefined && before === undefined) {
        terminal.print(planLine(plan, handle.workers));
      }
      const now: TimedStatus = { at: clock.now(), status, checkpoint };
      if (plan !== undefined) {
        for (const line of decisionLines(before?.status.decisions ?? [], status.decisions)) {
          terminal.print(line);
        }
        if (before !== undefined) terminal.print(statusLine(plan, startedAt, before, now));
      }
      before = now;
      options.onStatus?.(status);
    },
    onCheckpoint: (event) => {
      checkpoint = event;
      options.onCheckpoint?.(event);
    },
  });
  terminal.onInterrupt(() => {
    terminal.print("Draining; interrupt again to end at once");
    handle.stop();
  });
  const exitCode = handle.outcome.then((outcome) => {
    if (plan !== undefined && (outcome.kind === "finished" || outcome.started)) {
      terminal.print(summary(plan, (clock.now() - startedAt) / 1000, outcome.status));
    }
    if (outcome.kind === "failed") terminal.printError(outcome.error.message);
    return exitCodeOf(outcome);
  });
  return { handle, exitCode };
}

/** Starts a job. Options that can't be are wrong flags: their values depend on what the machine has. */
function launched(url: string, options: StartJobOptions): JobHandle {
  try {
    return launchJob(url, options);
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

/** 0 for a job that ended, 1 for one that failed, 2 for one that could not be started. */
export function exitCodeOf(outcome: JobOutcome): number {
  if (outcome.kind === "finished") return 0;
  return outcome.started ? 1 : 2;
}
