/**
 * The supervisor: runs a job in attempts, starts it again where its policy says so, and tells what is going on. It never
 * imports the job: that is for workers.
 *
 * @module
 */

import { type Cancel, delay } from "../clock.ts";
import type { JobPlan } from "../stage_plan.ts";
import type { GroupMove } from "../worker/protocol.ts";
import type { OpenCheckpointStore } from "../checkpoint/store.ts";
import type { CheckpointCoordinator } from "./checkpoint_coordinator.ts";
import type { KeptCheckpoint } from "./checkpoint_shelf.ts";
import type { MoveFigures } from "./group_mover.ts";
import type { RestoredJob } from "./attempt_listener.ts";
import { JobAttempt } from "./job_attempt.ts";
import { type JobState, transition } from "./job_state.ts";
import { type JobStatus, jobStatus } from "./job_status.ts";
import { type ShardMove, type ShardName, spreadShards } from "./placement.ts";
import { LetterLog } from "./letter_log.ts";
import { decideRestart } from "./restart_policy.ts";
import type { Scalable, ScaleFigures } from "./scalable.ts";
import { Scaler } from "./scaler.ts";
import type { MovedShard } from "./shard_mover.ts";
import { type JobOutcome, type SupervisorOptions, workersMax } from "./supervisor_options.ts";

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
  #workers: number;
  readonly #workersMax: number;
  /** Resolves when nothing moves, comes or goes. */
  #holding: Promise<void> = Promise.resolve();
  /** Barriers of moves, where there are no checkpoints that count them. */
  #moves = 0;
  readonly #letters: LetterLog;
  readonly #scaler: Scaler | undefined;
  #plan: JobPlan | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#workers = options.workers;
    this.#workersMax = workersMax(options);
    this.#letters = new LetterLog(options.clock, options.logger);
    const { parallelism, clock, logger, onDecision, scaling } = options;
    if (scaling === undefined) return;
    this.#scaler = new Scaler({
      ...{ job: this, parallelism, clock, logger, onDecision },
      ...{ scaling: scaling.options, cores: scaling.cores },
    });
  }

  get status(): JobStatus {
    const { reports = [], departed = [] } = this.#attempt ?? {};
    const decisions = this.#scaler?.decisions ?? [];
    return jobStatus(this.#state.kind, reports, { routing: this.routing, decisions, departed });
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
    const attempt = this.#running("move key groups");
    return await this.#held(attempt, (nextEpoch) => attempt.mover.move(moves, nextEpoch));
  }

  /**
   * Adds workers, or lets those with the highest numbers go, while the job runs. Shards are spread evenly over those that
   * stay. Those that go have no key groups any more: move them first. Undefined if the job is being stopped, or ends.
   *
   * @throws {RangeError} if there can't be so many, or one that is to go has key groups
   * @throws {Error} if one that is to go has a shard that can't move
   * @throws {Error} if the job is not running, workers come or go already, or one fails: then the job starts again
   */
  async scale(workers: number): Promise<ScaleFigures | undefined> {
    const { clock } = this.#options;
    if (!Number.isInteger(workers) || workers < 1 || workers > this.#workersMax) {
      throw new RangeError(
        `Cannot run on ${workers} workers: the job was started for 1 to ${this.#workersMax}`,
      );
    }
    const attempt = this.#running("change the workers");
    const [began, from] = [clock.monotonic(), attempt.workers];
    const { membership, shardMover } = attempt;
    while (attempt.workers < workers) {
      if (!await this.#held(attempt, (nextEpoch) => membership.grow(nextEpoch))) return undefined;
    }
    // Shards that come up meanwhile are for those that stay.
    attempt.readOn(workers);
    try {
      const moves = spreadShards(shardMover.shardsOf, workers)
        .filter(({ source, from }) => from >= workers || shardMover.canMove(source));
      const moved = await this.#held(attempt, () => shardMover.move(moves));
      while (attempt.workers > workers) {
        if (await this.#held(attempt, () => membership.shrink())) continue;
        if (this.#state.kind !== "running" || this.#attempt !== attempt) return undefined;
        // What its transactional sinks have written is shown by a checkpoint.
        await this.checkpoint();
      }
      return { from, to: workers, tookMs: clock.monotonic() - began, movedShards: moved.length };
    } finally {
      attempt.readOn(attempt.workers);
    }
  }

  /** How many workers the job runs on, and what it would start again with. */
  get workers(): number {
    return this.#workers;
  }

  #running(what: string): JobAttempt {
    if (this.#attempt !== undefined && this.#state.kind === "running") return this.#attempt;
    throw new Error(`Cannot ${what}: the job is ${this.#state.kind}, not running`);
  }

  /** Carries something out while no checkpoint is under way, and nothing else of the kind. */
  async #held<T>(
    attempt: JobAttempt,
    carryOut: (nextEpoch: () => number) => Promise<T>,
  ): Promise<T> {
    const before = this.#holding;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#holding = promise;
    await before;
    await this.#checkpoints?.hold();
    try {
      return await carryOut(() => this.#checkpoints?.nextEpoch() ?? ++this.#moves);
    } finally {
      this.#routing = attempt.mover.routing;
      this.#workers = attempt.workers;
      this.#checkpoints?.release(this.#routing);
      resolve();
    }
  }

  /**
   * Moves shards to other workers while the job runs: each stands still until all that came of it has arrived, and is read
   * on from there; event time goes on as it was. Checkpoints wait. Gives those that have moved: shards that have ended stay,
   * and all that are not closed yet when the job is stopped.
   *
   * @throws {RangeError} if a shard is read by another worker than it is to move from, or there is no such worker
   * @throws {Error} if operators behind a shard remember what is no state, the shard is on its way already, the job is not
   * running, or a worker fails: then the job starts again
   */
  async moveShards(moves: readonly ShardMove[]): Promise<readonly MovedShard[]> {
    const attempt = this.#running("move shards");
    return await this.#held(attempt, () => attempt.shardMover.move(moves));
  }

  /** By worker, the shards that it reads. */
  get shardsOf(): readonly (readonly ShardName[])[] {
    return this.#attempt?.shardMover.shardsOf ?? [];
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
    return await this.#checkpoints?.restore(plan, routing, this.#workers);
  }

  #giveUp(error: Error, started: boolean): JobOutcome {
    this.#become({ kind: "failed", cause: error });
    return { kind: "failed", error, started, status: this.status };
  }

  #newAttempt(number: number): JobAttempt {
    const { host, clock, settings, parallelism, logger, onPlan, onDeadLetter } = this.#options;
    const { silentMsMax } = this.#options;
    const workers = this.#workers;
    const attempt: JobAttempt = new JobAttempt({
      host,
      clock,
      settings,
      workers,
      slots: Math.max(workers, this.#workersMax),
      parallelism: Math.min(parallelism, workers),
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
            this.#letters.log(letter);
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

  #become(state: JobState): void {
    this.#state = transition(this.#state, state);
    this.#options.logger.debug("Job state", { state: state.kind });
  }
}
