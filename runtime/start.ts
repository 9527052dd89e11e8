/**
 * Starting a job from a program: what `deno task start` does, for one's own `if (import.meta.main)`.
 *
 * @module
 */

import type { AwsSettings } from "../connectors/source.ts";
import { checkpointStoreOf } from "./checkpoint/checkpoint_store_of.ts";
import type { CheckpointStore } from "./checkpoint/store.ts";
import { systemClock } from "./clock.ts";
import {
  carryOut,
  type ControlledJob,
  type ControlListener,
  JobRunsAlreadyError,
} from "./control/job_control.ts";
import type { DeadLetter } from "./dead_letter.ts";
import { REPORT_MS } from "./limits.ts";
import { jsonLinesLogger, type Logger, type LogLevel } from "./logger.ts";
import { listenForCommands } from "./ports/control_socket.ts";
import { threadHost } from "./ports/thread_host.ts";
import { usableCores } from "./ports/usable_cores.ts";
import { webWorkerHost } from "./ports/web_worker_host.ts";
import { systemRandom } from "./random.ts";
import type { ScalingOptions } from "./scaling/scaling_options.ts";
import { startingWorkers } from "./scaling/starting_workers.ts";
import type { JobPlan } from "./stage_plan.ts";
import type { JobStatus } from "./supervisor/job_status.ts";
import type { CheckpointEvent } from "./supervisor/checkpoint_event.ts";
import { checkpointPolicy } from "./supervisor/checkpoint_policy.ts";
import type { KeptCheckpoint } from "./supervisor/checkpoint_shelf.ts";
import type { MadeDecision } from "./supervisor/decision_log.ts";
import { type KeepCheckpoints, openCheckpoints } from "./supervisor/open_checkpoints.ts";
import { Supervisor } from "./supervisor/supervisor.ts";
import type { JobOutcome } from "./supervisor/supervisor_options.ts";
import type { WorkerHost } from "./supervisor/worker_port.ts";

/** How a job is started. */
export interface StartJobOptions {
  /** Workers to start with; 2 unless said, or with `scaling` the nearest number that its bounds allow. */
  readonly workers?: number;
  /** Of these, how many share each keyed stage; all unless said. With `scaling` it is always all. */
  readonly parallelism?: number;
  /**
   * Workers come and go with the load, within these bounds and as this policy says. Without it their number stays. Each
   * decision is logged with its reasons, and is in the status. Where RxJS operators stand behind a keyBy the number stays:
   * what those remember would stay behind.
   */
  readonly scaling?: ScalingOptions;
  /**
   * Whether key groups move to workers that have less to do, while the job runs. Each decision is logged with its reasons.
   * Default true. Where RxJS operators stand behind a keyBy they don't: what those remember would stay behind.
   */
  readonly rebalance?: boolean;
  /** Called for each decision about workers and key groups, when it has been carried out, or has failed. */
  readonly onDecision?: (made: MadeDecision) => void;
  /** Parameters, as texts. */
  readonly params?: Readonly<Record<string, string>>;
  /** Where AWS is; the SDK's usual places unless said. */
  readonly aws?: AwsSettings;
  /** JSON lines on the console unless said. */
  readonly logger?: Logger;
  /** Below it nothing is logged; `"info"` unless said. */
  readonly logLevel?: LogLevel;
  /** Web Workers unless said; threads survive a worker that runs out of memory. */
  readonly isolation?: "web-worker" | "thread";
  /** Heap of one thread, MiB: at it the worker ends, and only it. The system's default unless said. */
  readonly heapMbMax?: number;
  /** Where checkpoints are kept and how; without it a job that starts again begins where its sources start. */
  readonly checkpoints?: StartCheckpoints;
  /**
   * Whether `penstock savepoint` and `penstock stop` reach the job: over a Unix socket that only this user can open, beside
   * the SQLite file or in the folder for temporary files. Needs `checkpoints`, and leave to read, write and listen there
   * (`--allow-net=unix:PATH`). A second run of the job on the same store is an error then. Default false; what is started
   * from the command line has it.
   */
  readonly control?: boolean;
  /** Called once a second. */
  readonly onStatus?: (status: JobStatus) => void;
  readonly onPlan?: (plan: JobPlan) => void;
  readonly onDeadLetter?: (letter: DeadLetter) => void;
  /** Called for each checkpoint that is kept. */
  readonly onCheckpoint?: (event: CheckpointEvent) => void;
}

/** As {@linkcode KeepCheckpoints}; the store may be a text, as `checkpointStoreOf` takes it. */
export type StartCheckpoints = Omit<KeepCheckpoints, "store"> & {
  readonly store: CheckpointStore | string;
};

/** A job that has been started. */
export interface JobHandle {
  /** Resolves when the job has ended, however. Never rejects. */
  readonly outcome: Promise<JobOutcome>;
  /** Resolves when the job has ended by itself or was stopped; rejects with the error that it failed with. */
  readonly finished: Promise<JobStatus>;
  /** The last that workers reported. */
  readonly status: JobStatus;
  /** Workers that run the job now. */
  readonly workers: number;
  /**
   * Reads no further, processes and writes what was read, and resolves with the outcome. With checkpoints the last one is
   * of that moment.
   *
   * @param options `drain`: as if the input were over; timers fire and operators complete. Default false.
   */
  stop(options?: { readonly drain?: boolean }): Promise<JobOutcome>;
  /**
   * A checkpoint now, copied so that it depends on no other and stays until somebody removes it. Rejects if it fails, or the
   * job keeps no checkpoints.
   */
  savepoint(): Promise<KeptCheckpoint>;
}

/**
 * Starts the job that a module exports as its default, on workers. A job that fails is logged as critical.
 *
 * @param url the module's URL: `import.meta.url` in the job's own file
 * @throws {RangeError} if `workers`, `parallelism`, a bound of `scaling` or `heapMbMax` is no whole number from 1, or too
 * large, or `workers` is outside of the bounds
 * @throws {TypeError} if `heapMbMax` is given for Web Workers, which can't be bounded so, or `scaling` with
 * `rebalance: false`
 *
 * @example At the end of a job's module
 * ```ts ignore
 * if (import.meta.main) await startJob(import.meta.url).finished;
 * ```
 */
export function startJob(url: string, options: StartJobOptions = {}): JobHandle {
  const logger = options.logger ?? consoleLogger(options.logLevel);
  const handle = launchJob(url, { ...options, logger });
  handle.outcome.then((outcome) => {
    if (outcome.kind === "finished") return;
    logger.critical("Job failed", { url, started: outcome.started, reason: outcome.error.message });
  });
  return handle;
}

/** As {@linkcode startJob}, for a caller who tells of a failure by itself. */
export function launchJob(url: string, options: StartJobOptions = {}): JobHandle {
  const { params = {}, aws = {}, logLevel = "info" } = options;
  const { workers, parallelism, scaling } = startingWorkers(url, options, usableCores());
  const [clock, random] = [systemClock, systemRandom];
  const logger = options.logger ?? consoleLogger(logLevel);
  const startedAt = clock.now();
  const keep = options.checkpoints === undefined ? undefined : keepCheckpoints(options.checkpoints);
  const { onCheckpoint } = options;
  const around = { aws, clock, random, logger, startedAt };
  let control: ControlListener | undefined;
  const supervisor: Supervisor = new Supervisor({
    host: workerHost(url, options),
    ...{ clock, random, logger, workers, parallelism },
    ...(scaling === undefined ? {} : { scaling }),
    ...(options.onDecision === undefined ? {} : { onDecision: options.onDecision }),
    settings: { url, params, aws, startedAt, logLevel },
    reportMs: REPORT_MS,
    ...(keep === undefined ? {} : {
      checkpoints: async (job, failed) => {
        // First of all: a run that is there already must not be disturbed.
        if (options.control === true) {
          control ??= await listenFor(job, keep.store, logger, () => ({
            state: supervisor.status.state,
            savepoint: () => supervisor.savepoint(),
            stop: (drain) => supervisor.stop(drain),
            ended,
          }));
        }
        return await openCheckpoints(keep, {
          ...{ ...around, job, failed },
          ...(onCheckpoint === undefined ? {} : { onCheckpoint }),
        });
      },
    }),
    ...(options.onStatus === undefined ? {} : { onStatus: options.onStatus }),
    ...(options.onPlan === undefined ? {} : { onPlan: options.onPlan }),
    ...(options.onDeadLetter === undefined ? {} : { onDeadLetter: options.onDeadLetter }),
  });
  const ended = supervisor.run();
  // Whoever has asked for the end by a command is told of it before the process may exit.
  const outcome = ended.then(async (how) => {
    await control?.close();
    return how;
  });
  return {
    outcome,
    // Made when asked for: a promise that rejects and that nobody looks at would end the process.
    get finished() {
      return outcome.then((ended) => {
        if (ended.kind === "failed") throw ended.error;
        return ended.status;
      });
    },
    get status() {
      return supervisor.status;
    },
    get workers() {
      return supervisor.workers;
    },
    stop({ drain = false } = {}) {
      supervisor.stop(drain);
      return outcome;
    },
    savepoint: () => supervisor.savepoint(),
  };
}

/**
 * Listens for commands to a job. That it can't is no reason not to run, unless the job runs already.
 *
 * @throws {JobRunsAlreadyError} if it does
 */
async function listenFor(
  job: string,
  store: CheckpointStore,
  logger: Logger,
  controlled: () => ControlledJob,
): Promise<ControlListener | undefined> {
  // Nobody else can have that.
  if (store.kind === "memory") return undefined;
  try {
    return await listenForCommands(
      store,
      job,
      systemClock,
      (request) => carryOut(request, job, controlled()),
    );
  } catch (error) {
    if (error instanceof JobRunsAlreadyError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    logger.warn("Commands such as penstock savepoint can't reach the job", { job, reason });
    return undefined;
  }
}

/** Checked before anything starts. */
function keepCheckpoints({ store, ...options }: StartCheckpoints): KeepCheckpoints {
  checkpointPolicy(options);
  return { ...options, store: typeof store === "string" ? checkpointStoreOf(store) : store };
}

function workerHost(
  url: string,
  { isolation = "web-worker", heapMbMax }: StartJobOptions,
): WorkerHost {
  if (heapMbMax === undefined) return isolation === "thread" ? threadHost() : webWorkerHost();
  if (isolation !== "thread") {
    throw new TypeError(
      `Cannot start ${url} with heapMbMax on Web Workers, whose heap can't be bounded from inside: ` +
        'add isolation: "thread", or start the process with DENO_V8_FLAGS=--max-old-space-size=MB, for all heaps',
    );
  }
  if (!Number.isInteger(heapMbMax) || heapMbMax < 1) {
    throw new RangeError(
      `Cannot start ${url} with a heap of ${heapMbMax} MiB: expected a whole number from 1`,
    );
  }
  return threadHost({ heapMbMax });
}

function consoleLogger(level: LogLevel = "info"): Logger {
  return jsonLinesLogger({ level, now: () => systemClock.now() });
}
