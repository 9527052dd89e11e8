/**
 * Leads a job step by step: between steps the test, or a simulator, gives its sources more and sets the time, and each
 * step runs until nothing is left to do. The same engine as in `runJob`, under the same supervisor.
 *
 * @module
 */

import type { CheckpointStore } from "../checkpoint/store.ts";
import type { DeadLetter } from "../dead_letter.ts";
import type { Job, SinkMap, SourceMap } from "../job.ts";
import { type Logger, silentLogger } from "../logger.ts";
import { inProcessHost } from "../ports/in_process_host.ts";
import { type Random, seededRandom } from "../random.ts";
import type { JobStatus } from "../supervisor/job_status.ts";
import { type KeepCheckpoints, openCheckpoints } from "../supervisor/open_checkpoints.ts";
import type { MoveFigures } from "../supervisor/group_mover.ts";
import type { ShardMove, ShardName } from "../supervisor/placement.ts";
import type { MovedShard } from "../supervisor/shard_mover.ts";
import type { ScaleFigures } from "../supervisor/scalable.ts";
import { Supervisor } from "../supervisor/supervisor.ts";
import type { JobOutcome } from "../supervisor/supervisor_options.ts";
import type { GroupMove } from "../worker/protocol.ts";
import { Scheduler } from "./scheduler.ts";

/** How a job is led. */
export interface JobDriverOptions {
  /** Workers, in one thread; default 1. */
  readonly workers?: number | undefined;
  /** How many there may be, for {@linkcode JobDriver.scale}; `workers` unless said. */
  readonly workersMax?: number | undefined;
  /** Of the order in which workers and messages get their turns; default 1. */
  readonly seed?: number | undefined;
  /** Virtual time at the start, ms since the epoch; default 0. */
  readonly startTime?: number | undefined;
  /**
   * Keeps the job's checkpoints, and has the one that it begins with, if any; none are taken but by `checkpoint()`, unless
   * there is an interval in `checkpointing`.
   */
  readonly checkpoints?: CheckpointStore | undefined;
  /** How checkpoints are taken, and which one it begins with. */
  readonly checkpointing?: Omit<KeepCheckpoints, "store"> | undefined;
  /** Nothing is logged unless said. */
  readonly logger?: Logger | undefined;
}

/**
 * A job that is led.
 *
 * @example A value, and what comes of it
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { map } from "npm:rxjs@7.8.2";
 * import { defineJob, memory } from "../../mod.ts";
 * import { JobDriver } from "./job_driver.ts";
 * import { ScriptedSource } from "./scripted_source.ts";
 *
 * const numbers = new ScriptedSource<number>({ shards: ["a"] });
 * const doubled = memory.sink<number>();
 * const job = defineJob({
 *   name: "double",
 *   sources: { numbers },
 *   sinks: { doubled },
 *   build: ({ numbers }, { doubled }) => numbers.pipe(map((n) => n * 2)).to(doubled),
 * });
 * const driver = await JobDriver.start(job);
 * numbers.push("a", { value: 2 });
 * await driver.settle();
 * assertEquals(doubled.rows, [4]);
 * await driver.stop();
 * ```
 */
export class JobDriver {
  /** Records that could not be processed so far. */
  readonly deadLetters: DeadLetter[] = [];
  readonly #scheduler: Scheduler;
  readonly #supervisor: Supervisor;
  readonly #ended: Promise<JobOutcome>;
  #outcome: JobOutcome | undefined;

  private constructor(
    job: Job,
    { workers, workersMax, startTime, random, checkpoints, checkpointing, logger }: {
      workers: number;
      workersMax: number;
      startTime: number;
      random: Random;
      checkpoints: CheckpointStore | undefined;
      checkpointing: JobDriverOptions["checkpointing"];
      logger: Logger;
    },
  ) {
    this.#scheduler = new Scheduler(random, startTime);
    const { clock } = this.#scheduler;
    this.#supervisor = new Supervisor({
      host: inProcessHost(job, this.#scheduler, random),
      clock,
      random,
      logger,
      settings: { url: "", params: {}, aws: {}, startedAt: startTime, logLevel: "error" },
      workers,
      workersMax,
      parallelism: workers,
      onDeadLetter: (letter) => this.deadLetters.push(letter),
      ...(checkpoints === undefined ? {} : {
        checkpoints: (name, failed) =>
          openCheckpoints({ interval: "10000d", ...checkpointing, store: checkpoints }, {
            ...{ job: name, aws: {}, clock, random, logger },
            ...{ startedAt: startTime, failed },
          }),
      }),
    });
    this.#ended = this.#supervisor.run();
    this.#ended.then((outcome) => this.#outcome = outcome);
  }

  /**
   * Starts a job, and runs until it has nothing left to do; its sources and sinks are used as they are.
   *
   * @throws {Error} if the job can't be built or fails at once
   */
  static async start<S extends SourceMap, O extends SinkMap, P>(
    job: Job<S, O, P>,
    options: JobDriverOptions = {},
  ): Promise<JobDriver> {
    const { workers = 1, seed = 1, startTime = 0, logger = silentLogger } = options;
    const { checkpoints, checkpointing, workersMax = workers } = options;
    const led: Job = { ...job, build: job.build.bind(job) as Job["build"] };
    const driver = new JobDriver(led, {
      ...{ workers, workersMax, startTime, checkpoints, checkpointing, logger },
      random: seededRandom(seed),
    });
    await driver.settle();
    return driver;
  }

  /** Virtual time, ms since the epoch. */
  get now(): number {
    return this.#scheduler.clock.now();
  }

  get status(): JobStatus {
    return this.#supervisor.status;
  }

  /** Whether the job has ended by itself or was stopped. */
  get ended(): boolean {
    return this.#outcome !== undefined;
  }

  /**
   * Runs until nothing is left to do at the present time, what is due by now included.
   *
   * @throws {Error} if the job fails, with what it failed with
   */
  async settle(): Promise<void> {
    await this.advanceTo(this.now);
  }

  /**
   * Sets the time, fires what is due, and runs until nothing is left to do then.
   *
   * @throws {Error} if the job fails, with what it failed with
   * @throws {RangeError} if the time is over already
   */
  async advanceTo(time: number): Promise<void> {
    await this.#scheduler.advanceTo(time);
    this.#throwIfFailed();
  }

  /**
   * Takes a checkpoint and waits until it is kept. The job can be left then ({@linkcode leave}), and another driver begin
   * with it.
   *
   * @throws {Error} if it fails, or the job keeps none
   */
  async checkpoint(): Promise<void> {
    await this.#scheduler.run(this.#supervisor.checkpoint());
  }

  /**
   * Takes a savepoint and waits until it is kept; its number.
   *
   * @throws {Error} if it fails, or the job keeps no checkpoints
   */
  async savepoint(): Promise<number> {
    return (await this.#scheduler.run(this.#supervisor.savepoint())).id;
  }

  /** The worker of each key group. */
  get routing(): readonly number[] {
    return this.#supervisor.routing;
  }

  /** Moves key groups between workers, and waits until they are there; see {@linkcode Supervisor.move}. */
  async move(moves: readonly GroupMove[]): Promise<MoveFigures | undefined> {
    return await this.#scheduler.run(this.#supervisor.move(moves));
  }

  /** Adds workers or lets the last ones go, and waits until that is done; see {@linkcode Supervisor.scale}. */
  async scale(workers: number): Promise<ScaleFigures | undefined> {
    return await this.#scheduler.run(this.#supervisor.scale(workers));
  }

  /** By worker, the shards that it reads. */
  get shardsOf(): readonly (readonly ShardName[])[] {
    return this.#supervisor.shardsOf;
  }

  /**
   * Has a shard read by another worker, and waits until it is; see {@linkcode Supervisor.moveShards}. Undefined if it has
   * ended, or the job is stopped meanwhile: it has not moved.
   */
  async moveShard(move: ShardMove): Promise<MovedShard | undefined> {
    const [moved] = await this.#scheduler.run(this.#supervisor.moveShards([move]));
    return moved;
  }

  /** Leaves the job as a crash would, unless it has ended: what comes after the last checkpoint is lost. */
  async leave(): Promise<void> {
    this.#supervisor.abandon();
    await this.#scheduler.run(this.#ended);
  }

  /**
   * Stops the job, unless it has ended: what was read is processed and written.
   *
   * @param drain as if the input were over: timers fire and operators complete
   */
  async stop(drain = false): Promise<JobOutcome> {
    this.#supervisor.stop(drain);
    return await this.#scheduler.run(this.#ended);
  }

  #throwIfFailed(): void {
    if (this.#outcome?.kind === "failed") throw this.#outcome.error;
  }
}
