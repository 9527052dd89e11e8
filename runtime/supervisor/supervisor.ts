/**
 * The supervisor: runs a job in attempts, starts it again where its policy says so, and tells what is going on. It never
 * imports the job: that is for workers.
 *
 * @module
 */

import { type Cancel, type Clock, delay } from "../clock.ts";
import type { DeadLetter } from "../dead_letter.ts";
import { DEAD_LETTERS_LOGGED_PER_SECOND } from "../limits.ts";
import type { Logger } from "../logger.ts";
import type { Random } from "../random.ts";
import type { JobPlan } from "../stage_plan.ts";
import type { GroupMove, JobSettings } from "../worker/protocol.ts";
import type { OpenCheckpointStore } from "../checkpoint/store.ts";
import type { ScalingOptions } from "../scaling/scaling_options.ts";
import type { CheckpointCoordinator } from "./checkpoint_coordinator.ts";
import type { KeptCheckpoint } from "./checkpoint_shelf.ts";
import type { MadeDecision } from "./decision_log.ts";
import type { MoveFigures } from "./group_mover.ts";
import { JobAttempt, type RestoredJob } from "./job_attempt.ts";
import { type JobState, transition } from "./job_state.ts";
import { type JobStatus, jobStatus } from "./job_status.ts";
import { decideRestart, type RestartLimits } from "./restart_policy.ts";
import type { Scalable, ScaleFigures } from "./scalable.ts";
import { Scaler } from "./scaler.ts";
import type { WorkerHost } from "./worker_port.ts";

/** What a job is run with. */
export interface SupervisorOptions {
  readonly host: WorkerHost;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly settings: JobSettings;
  readonly workers: number;
  /** Workers over which each keyed stage is spread: at most all. */
  readonly parallelism: number;
  /** How often workers are asked for a report; without it only at their end. */
  readonly reportMs?: number;
  /** A worker that has said nothing for so long counts as hung; `WORKER_SILENT_MS_MAX` unless said. */
  readonly silentMsMax?: number;
  /** How often the job may start again; `RESTART_LIMITS` unless said. */
  readonly restarts?: RestartLimits;
  /** Called for each round of reports. */
  readonly onStatus?: (status: JobStatus) => void;
  readonly onPlan?: (plan: JobPlan) => void;
  readonly onDeadLetter?: (letter: DeadLetter) => void;
  /** Key groups move to where there is less to do; without it they stay. */
  readonly scaling?: {
    /** Workers come and go; undefined: their number stays. */
    readonly options: ScalingOptions | undefined;
    /** Cores that the job may use. */
    readonly cores: number;
  };
  /** Called for what is decided about that, when it has been carried out. */
  readonly onDecision?: (made: MadeDecision) => void;
  /**
   * Takes the job's checkpoints; without it a job that starts again begins where its sources start.
   *
   * @param job the job's name
   * @param failed to be called when checkpoints fail more often than is tolerated
   */
  readonly checkpoints?: (
    job: string,
    failed: (error: Error) => void,
  ) => Promise<CheckpointCoordinator>;
}

/** How a job ended. */
export type JobOutcome =
  | { readonly kind: "finished"; readonly status: JobStatus }
  | {
    readonly kind: "failed";
    readonly error: Error;
    /** Whether it got as far as processing records: if not, what was asked for can't be run. */
    readonly started: boolean;
    readonly status: JobStatus;
  };

/** What a job fails with that was abandoned. */
export const JOB_LEFT = "The job was left";

/** Runs one job. */
export class Supervisor implements Scalable {
  readonly #options: SupervisorOptions;
  readonly #restarts: number[] = [];
  readonly #stopping = new AbortController();
  #state: JobState = { kind: "created" };
  #attempt: JobAttempt | undefined;
  #checkpoints: CheckpointCoordinator | undefined;
  #cancelReports: Cancel | undefined;
  /** Of key groups, for attempts to come. */
  #routing: readonly number[] | undefined;
  /** Barriers of moves, where there are no checkpoints that count them. */
  #moves = 0;
  #lettersLogged = { second: 0, lines: 0, dropped: 0 };
  readonly #scaler: Scaler | undefined;
  #plan: JobPlan | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    const { parallelism, clock, logger, onDecision, scaling } = options;
    if (scaling === undefined) return;
    this.#scaler = new Scaler({
      ...{ job: this, parallelism, clock, logger, onDecision },
      ...{ scaling: scaling.options, cores: scaling.cores },
    });
  }

  get status(): JobStatus {
    return jobStatus(this.#state.kind, this.#attempt?.reports ?? [], {
      routing: this.routing,
      decisions: this.#scaler?.decisions ?? [],
    });
  }

  /** Runs the job until it ends, is stopped, or fails for good. Never rejects; call once. */
  async run(): Promise<JobOutcome> {
    this.#become({ kind: "starting", attempt: 1 });
    let started = false;
    for (let number = 1;; number++) {
      if (number > 1) this.#become({ kind: "starting", attempt: number });
      const attempt = this.#attempt = this.#newAttempt(number);
      const outcome = await attempt.run();
      this.#cancelReports?.();
      this.#checkpoints?.end();
      started ||= outcome.kind === "finished" || outcome.started;
      const failure = outcome.kind === "failed"
        ? await this.#restartOrGiveUp(outcome, number)
        : undefined;
      if (failure === "restart") continue;
      await this.#closeCheckpoints();
      if (failure !== undefined) return this.#giveUp(failure, started);
      this.#become({ kind: "finished" });
      return { kind: "finished", status: this.status };
    }
  }

  /**
   * Stops: what has been read is processed and written, then `run` resolves. With checkpoints the last one is of that
   * moment, so that a later start goes on from there.
   *
   * @param drain as if the input were over: timers fire and operators complete
   */
  stop(drain = false): void {
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort();
    const { kind } = this.#state;
    if (kind === "running" || kind === "starting") {
      const attempt = "attempt" in this.#state ? this.#state.attempt : 0;
      this.#become({ kind: "draining", attempt });
    }
    this.#attempt?.stop(drain);
  }

  /** Ends the job as a crash would, but for what it holds, which is freed: nothing is processed, written or kept any more. */
  abandon(): void {
    this.#stopping.abort();
    this.#attempt?.fail(new Error(JOB_LEFT));
  }

  /** A checkpoint now. Rejects if it fails, or none can be taken. */
  async checkpoint(): Promise<KeptCheckpoint> {
    return await this.#coordinator("a checkpoint").checkpoint();
  }

  /**
   * A checkpoint now, copied so that it depends on no other and is kept until somebody removes it.
   *
   * @param to the store for it, if not that of the checkpoints
   */
  async savepoint(to?: OpenCheckpointStore): Promise<KeptCheckpoint> {
    return await this.#coordinator("a savepoint").savepoint(to);
  }

  /**
   * Moves key groups to other workers while the job runs: every other group goes on, and those that move stand still for
   * what has changed since they were copied. Checkpoints wait. Undefined if the job is being stopped, or ends.
   *
   * @throws {RangeError} if a group is not where it is to move from, or there is no such worker
   * @throws {Error} if the job is not running, another move is under way, or a worker fails: then the job starts again
   */
  async move(moves: readonly GroupMove[]): Promise<MoveFigures | undefined> {
    const attempt = this.#attempt;
    if (attempt === undefined || this.#state.kind !== "running") {
      throw new Error(`Cannot move key groups: the job is ${this.#state.kind}, not running`);
    }
    await this.#checkpoints?.hold();
    try {
      const nextEpoch = () => this.#checkpoints?.nextEpoch() ?? ++this.#moves;
      return await attempt.mover.move(moves, nextEpoch);
    } finally {
      this.#routing = attempt.mover.routing;
      this.#checkpoints?.release(this.#routing);
    }
  }

  /** Workers that run the job: numbers 0 to `workers` - 1. */
  get workers(): number {
    return this.#options.workers;
  }

  /** Changes the number of workers while the job runs. */
  scale(workers: number): Promise<ScaleFigures | undefined> {
    return Promise.reject(
      new Error(`Cannot run the job on ${workers} workers: not supported by this host`),
    );
  }

  /** The worker of each key group; empty before the job is known. */
  get routing(): readonly number[] {
    return this.#attempt?.mover.routing ?? [];
  }

  #coordinator(what: string): CheckpointCoordinator {
    if (this.#checkpoints !== undefined) return this.#checkpoints;
    throw new Error(
      `Cannot take ${what}: the job keeps no checkpoints; start it with a store for them`,
    );
  }

  async #closeCheckpoints(): Promise<void> {
    try {
      await this.#checkpoints?.close();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#options.logger.warn("The store of checkpoints could not be closed", { reason });
    }
  }

  /** What an attempt begins with. The store is opened by the first: before that the job's name is not known. */
  async #restore(plan: JobPlan, routing: readonly number[]): Promise<RestoredJob | undefined> {
    this.#checkpoints ??= await this.#options.checkpoints?.(
      plan.job,
      (error) => this.#attempt?.fail(error),
    );
    return await this.#checkpoints?.restore(plan, routing);
  }

  #giveUp(error: Error, started: boolean): JobOutcome {
    this.#become({ kind: "failed", cause: error });
    return { kind: "failed", error, started, status: this.status };
  }

  #newAttempt(number: number): JobAttempt {
    const { host, clock, settings, workers, parallelism, logger, onPlan, onDeadLetter } =
      this.#options;
    const { silentMsMax } = this.#options;
    const attempt: JobAttempt = new JobAttempt({
      host,
      clock,
      settings,
      workers,
      parallelism,
      checkpoints: this.#options.checkpoints !== undefined,
      routing: this.#routing,
      ...(silentMsMax === undefined ? {} : { silentMsMax }),
      listener: {
        planned: async (plan, routing) => {
          this.#scaler?.check(plan);
          onPlan?.(plan);
          this.#plan = plan;
          return await this.#restore(plan, routing);
        },
        running: () => {
          if (this.#state.kind === "starting") this.#become({ kind: "running", attempt: number });
          this.#reportLater();
          this.#checkpoints?.begin(attempt);
          if (this.#plan !== undefined) this.#scaler?.begin(this.#plan);
        },
        snapshot: (snapshot) => this.#checkpoints?.snapshot(snapshot),
        declined: (epoch, error) => this.#checkpoints?.declined(epoch, error),
        lastEpoch: () => this.#checkpoints?.lastEpoch(),
        lastSnapshot: async (snapshot) => await this.#checkpoints?.lastSnapshot(snapshot),
        deadLetters: (letters) => {
          for (const letter of letters) {
            this.#logLetter(letter);
            onDeadLetter?.(letter);
          }
        },
        log: (worker, level, message, fields) => logger[level](message, { worker, ...fields }),
      },
    });
    return attempt;
  }

  /** What becomes of a failed attempt: another one, or the error that the job ends with. */
  async #restartOrGiveUp(
    outcome: { error: Error; policy: "restart" | "stop"; started: boolean },
    attempt: number,
  ): Promise<Error | "restart"> {
    const { clock, random, logger, restarts } = this.#options;
    const { error, policy, started } = outcome;
    // What never ran is a mistake in the job or its surroundings: trying again would hide it.
    if (policy === "stop" || (attempt === 1 && !started) || this.#stopping.signal.aborted) {
      return error;
    }
    const now = clock.now();
    const decision = decideRestart(this.#restarts, now, random, restarts);
    if (decision.kind === "give up") {
      return new Error(
        `Gave up after ${decision.restarts} restarts within ${
          Number((decision.windowMs / 60_000).toPrecision(2))
        } minutes: ${error.message}`,
        { cause: error },
      );
    }
    this.#restarts.push(now);
    this.#become({ kind: "restarting", attempt, afterMs: decision.afterMs, cause: error });
    logger.error("Job failed; starting it again", {
      attempt,
      afterMs: decision.afterMs,
      reason: error.message,
    });
    await delay(clock, decision.afterMs, this.#stopping.signal);
    return this.#stopping.signal.aborted ? error : "restart";
  }

  #reportLater(): void {
    const { clock, reportMs, onStatus } = this.#options;
    if (reportMs === undefined) return;
    this.#cancelReports = clock.setTimer(reportMs, () => {
      onStatus?.(this.status);
      this.#scaler?.look(this.#attempt?.reports ?? []);
      this.#attempt?.askReports();
      this.#reportLater();
    });
    this.#attempt?.askReports();
  }

  /** Logs at most so many a second: a stream of bad records must not become a stream of log lines. */
  #logLetter({ operator, key, origin, reason, timestamp }: DeadLetter): void {
    const { clock, logger } = this.#options;
    const second = Math.floor(clock.now() / 1000);
    const logged = this.#lettersLogged;
    if (second !== logged.second) {
      if (logged.dropped > 0) {
        logger.warn("More dead letters were not logged", { letters: logged.dropped });
      }
      this.#lettersLogged = { second, lines: 0, dropped: 0 };
    }
    if (this.#lettersLogged.lines >= DEAD_LETTERS_LOGGED_PER_SECOND) {
      this.#lettersLogged.dropped++;
      return;
    }
    this.#lettersLogged.lines++;
    logger.warn("Dead letter", { operator, key, origin, reason, timestamp });
  }

  #become(state: JobState): void {
    this.#state = transition(this.#state, state);
    this.#options.logger.debug("Job state", { state: state.kind });
  }
}
