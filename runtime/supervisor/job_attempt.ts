/**
 * One attempt at running a job: its workers from spawning to their end. What is decided is decided elsewhere
 * (`placement.ts`, `shard_tracker.ts`); here it is carried out.
 *
 * @module
 */

import { RestoreError } from "../checkpoint/fit_checkpoint.ts";
import { type Cancel, type Clock, delay } from "../clock.ts";
import type { DeadLetter } from "../dead_letter.ts";
import { SHARD_DISCOVERY_MS, WORKER_CLOSE_MS_MAX } from "../limits.ts";
import type { LogFields, LogLevel } from "../logger.ts";
import type { JobPlan } from "../stage_plan.ts";
import type { RestoredWorker, WorkerSnapshot } from "../checkpoint/worker_snapshot.ts";
import { defaultMaxParallelism } from "../state/key_group.ts";
import {
  type Command,
  type JobSettings,
  receivedError,
  type WorkerReport,
} from "../worker/protocol.ts";
import { GroupMover } from "./group_mover.ts";
import { placeKeyGroups } from "./placement.ts";
import { ShardMover } from "./shard_mover.ts";
import { type RestoredShard, SourceShards } from "./source_shards.ts";
import type { TrackedShard } from "./shard_tracker.ts";
import { WorkerHandle, type WorkerNotice } from "./worker_handle.ts";
import { linkAll, type WorkerHost } from "./worker_port.ts";

/** How an attempt ended. */
export type AttemptOutcome =
  | { readonly kind: "finished" }
  | {
    readonly kind: "failed";
    readonly error: Error;
    readonly policy: "restart" | "stop";
    /** Whether records were being processed already. */
    readonly started: boolean;
  };

/** What an attempt begins with. */
export interface RestoredJob {
  /** When the job was first started, ms since the epoch. */
  readonly startedAt: number;
  readonly workers: readonly RestoredWorker[];
  /** By source. */
  readonly shards: Readonly<Record<string, readonly RestoredShard[]>>;
}

/** What all workers have handed over for one epoch. */
export interface JobSnapshot {
  readonly epoch: number;
  readonly workers: readonly WorkerSnapshot[];
  /** By source: shards that were being read, or had been, when the barrier was sent. */
  readonly shards: Readonly<Record<string, readonly TrackedShard[]>>;
}

/** Who listens to an attempt. */
export interface AttemptListener {
  /**
   * The job has been built; nothing has been opened yet. Gives what it begins with, or undefined for the beginning.
   *
   * @param routing the worker of each key group
   * @throws {Error} if the checkpoint that it was to begin with does not fit
   */
  planned(plan: JobPlan, routing: readonly number[]): Promise<RestoredJob | undefined>;
  /** All workers' parts of an epoch are there. */
  snapshot(snapshot: JobSnapshot): void;
  /** All stages have ended: the number of the snapshot that is taken now, if one is. */
  lastEpoch(): number | undefined;
  /** That snapshot. Resolves when it is kept for good. */
  lastSnapshot(snapshot: JobSnapshot): Promise<void>;
  /** A worker can't give its part. */
  declined(epoch: number, error: Error): void;
  running(): void;
  deadLetters(letters: readonly DeadLetter[]): void;
  log(worker: number, level: LogLevel, message: string, fields: LogFields): void;
}

/** What an attempt is made with. */
export interface AttemptOptions {
  readonly host: WorkerHost;
  readonly clock: Clock;
  readonly settings: JobSettings;
  readonly workers: number;
  /** Workers over which each keyed stage is spread: at most all. */
  readonly parallelism: number;
  /** Whether checkpoints are taken. */
  readonly checkpoints: boolean;
  /** The worker of each key group when the job ran last, if that is to stay so. */
  readonly routing?: readonly number[] | undefined;
  /** A worker that has said nothing for so long counts as hung. */
  readonly silentMsMax?: number;
  readonly listener: AttemptListener;
}

/** One attempt. */
export class JobAttempt {
  readonly #options: AttemptOptions;
  readonly #reports = new Map<number, WorkerReport>();
  #shards: SourceShards;
  /** By epoch: workers' parts that are there, and shards as they were at the barrier. */
  readonly #snapshots = new Map<
    number,
    { parts: Map<number, WorkerSnapshot>; shards: JobSnapshot["shards"] }
  >();
  #handles: WorkerHandle[] = [];
  /** Where key groups are. */
  readonly mover: GroupMover;
  /** Who reads which shard. */
  readonly shardMover: ShardMover;
  #cancelDiscovery: Cancel | undefined;
  #running = false;
  #stopping = false;
  /** The outcome is known: nothing more is asked of workers that let go. */
  #over = false;
  #endedWorkers = 0;
  #finish: (outcome: AttemptOutcome) => void = () => {};
  readonly #outcome = new Promise<AttemptOutcome>((resolve) => {
    this.#finish = resolve;
  });

  constructor(options: AttemptOptions) {
    this.#options = options;
    this.#shards = this.#newShards({});
    const around = { handles: () => this.#handles, isOpen: () => this.#isOpen };
    const tellAll = (command: Command) => this.#tellAll(command);
    this.mover = new GroupMover({ ...around, clock: options.clock, tellAll });
    const failed = (error: Error) => this.#fail(error, "restart");
    this.shardMover = new ShardMover({ ...around, shards: () => this.#shards, failed });
  }

  /** The workers' last reports. */
  get reports(): Iterable<WorkerReport> {
    return this.#reports.values();
  }

  /** Runs until the job ends, is stopped or fails. Never rejects. */
  async run(): Promise<AttemptOutcome> {
    this.#start().catch((error) =>
      // What does not fit will not fit the next time; a store or a sink that is away may be back.
      this.#fail(asError(error), error instanceof RestoreError ? "stop" : "restart")
    );
    const outcome = await this.#outcome;
    this.#over = true;
    this.mover.end();
    this.shardMover.end();
    this.#cancelDiscovery?.();
    await this.#close();
    for (const handle of this.#handles) handle.terminate();
    return outcome;
  }

  /**
   * Reads no further; what was read is processed and written before `run` resolves.
   *
   * @param drain as if the input were over: timers fire and operators complete
   */
  stop(drain: boolean): void {
    this.#stopping = true;
    this.#shards.close();
    // Before anything is read there is nothing to drain.
    if (!this.#running) return this.#finish({ kind: "finished" });
    this.#tellAll({ type: "stop", drain });
  }

  /** Cuts all streams into before and after: `listener.snapshot` gets what was before. False if it can't be, now. */
  barrier(epoch: number): boolean {
    if (!this.#isOpen) return false;
    this.#snapshots.set(epoch, { parts: new Map(), shards: this.#shards.tracked });
    this.#tellAll({ type: "barrier", epoch });
    return true;
  }

  /** The checkpoint of an epoch is there for good. */
  committed(epoch: number): void {
    if (!this.#over) this.#tellAll({ type: "committed", epoch });
  }

  /** There will be none. */
  aborted(epoch: number): void {
    this.#snapshots.delete(epoch);
    if (!this.#over) this.#tellAll({ type: "aborted", epoch });
  }

  /** Something outside of the workers failed: the attempt ends, to be started again. */
  fail(error: Error): void {
    this.#fail(error, "restart");
  }

  /** Asks all workers for a report. */
  askReports(): void {
    if (this.#running) this.#tellAll({ type: "report" });
  }

  /** Whether barriers come through. */
  get #isOpen(): boolean {
    return this.#running && !this.#over && !this.#stopping && this.#endedWorkers === 0;
  }

  #tellAll(command: Command): void {
    for (const handle of this.#handles) handle.tell(command);
  }

  #newShards(restored: RestoredJob["shards"]): SourceShards {
    return new SourceShards({
      workers: this.#options.workers,
      restored,
      tell: (worker, command) => this.#handles[worker]?.tell(command),
    });
  }

  async #start(): Promise<void> {
    const { host, clock, settings, workers, parallelism, listener } = this.#options;
    this.#handles = Array.from(
      { length: workers },
      (_, worker) =>
        new WorkerHandle(worker, host.spawn(worker), clock, {
          notice: (from, notice) => this.#notice(from, notice),
          died: (_, error) => this.#fail(error, "restart"),
        }),
    );
    await Promise.all(this.#handles.map((handle) => handle.ready));
    const [plan] = await Promise.all(
      this.#handles.map((handle) => handle.ask<"describe">({ type: "describe", job: settings })),
    );
    if (plan === undefined) throw new Error("Cannot start a job without workers");
    if (this.#over) return;
    const { maxParallelism } = plan;
    if (parallelism > maxParallelism) {
      listener.log(0, "warn", "There are fewer key groups than workers: some get none", {
        parallelism,
        maxParallelism,
        maxParallelismWanted: defaultMaxParallelism(parallelism),
      });
    }
    const routing = this.#options.routing ?? placeKeyGroups(maxParallelism, parallelism);
    this.mover.place(routing);
    this.shardMover.place(plan);
    const restored = await listener.planned(plan, routing);
    if (this.#over) return;
    this.#shards = this.#newShards(restored?.shards ?? {});
    if (restored !== undefined) this.#tellAll({ type: "startedAt", at: restored.startedAt });
    for (const { name, bounded } of plan.sources) {
      this.#shards.add(name, bounded);
      await this.#discover(name);
      if (this.#over) return;
    }
    await this.#open(routing, restored);
    if (this.#over) return;
    this.#running = true;
    if (host.canHang) {
      const { silentMsMax } = this.#options;
      for (const handle of this.#handles) handle.watch(silentMsMax, host.hangRemedy);
    }
    listener.running();
    if (this.#stopping) return;
    this.#shards.openReadable();
    this.#discoverLater();
  }

  /** Opens all workers, each linked to each other. */
  async #open(routing: readonly number[], restored: RestoredJob | undefined): Promise<void> {
    const { host, workers } = this.#options;
    const shards = this.#shards.readable;
    const links = linkAll(host, workers);
    await Promise.all(this.#handles.map((handle, worker) => {
      const mine = links[worker] ?? [];
      const placement = { worker, workers, routing, shards };
      const sent = Array.from({ length: workers }, (_, other) => mine[other]?.end);
      const transfer = mine.flatMap((link) => link.of.transfer(link.end));
      const of = restored?.workers[worker];
      return handle.ask<"open">({
        type: "open",
        placement,
        links: sent,
        restored: of,
        checkpoints: this.#options.checkpoints,
      }, transfer);
    }));
  }

  async #discover(source: string): Promise<void> {
    const shards = await this.#handles[0]?.ask<"discover">({ type: "discover", source });
    this.#shards.list(source, shards ?? []);
  }

  /** Sources that can grow are listed again from time to time. */
  #discoverLater(): void {
    const { growing } = this.#shards;
    if (growing.length === 0) return;
    this.#cancelDiscovery = this.#options.clock.setTimer(SHARD_DISCOVERY_MS, async () => {
      for (const name of growing) await this.#rediscover(name);
      if (!this.#stopping && !this.#over) this.#discoverLater();
    });
  }

  async #rediscover(source: string): Promise<void> {
    try {
      await this.#discover(source);
    } catch (error) {
      if (this.#over) return;
      const { message } = asError(error);
      this.#options.listener.log(0, "warn", "Shards could not be listed; trying again", {
        source,
        reason: message,
      });
      return;
    }
    this.#shards.open(source);
  }

  #notice(worker: number, notice: WorkerNotice): void {
    const { listener } = this.#options;
    switch (notice.type) {
      case "report":
        this.#reports.set(worker, notice.report);
        return;
      case "deadLetters":
        return listener.deadLetters(notice.letters);
      case "log":
        return listener.log(worker, notice.level, notice.message, notice.fields);
      case "failure":
        return this.#fail(receivedError(notice.error), notice.policy);
      case "shardEnded":
        this.#shardEnded(worker, notice.source, notice.shard)
          .catch((error) => this.#fail(asError(error), "restart"));
        return;
      case "snapshot":
        return this.#snapshot(worker, notice.snapshot);
      case "declined":
        return listener.declined(notice.epoch, receivedError(notice.error));
      case "handedOver":
        return this.mover.handedOver(notice.epoch, notice.figures);
      case "shardClosed":
        return this.shardMover.closed(notice.source, notice.shard, notice.closed);
      case "ended":
        this.#endedWorkers++;
        if (this.#endedWorkers === this.#handles.length) {
          this.#end().catch((error) => this.#fail(asError(error), "restart"));
        }
        return;
    }
  }

  #snapshot(worker: number, part: WorkerSnapshot): void {
    const { epoch } = part;
    const snapshot = this.#snapshots.get(epoch);
    snapshot?.parts.set(worker, part);
    if (snapshot === undefined || snapshot.parts.size < this.#handles.length) return;
    this.#snapshots.delete(epoch);
    const workers = this.#handles.flatMap((_, number) => snapshot.parts.get(number) ?? []);
    this.#options.listener.snapshot({ epoch, workers, shards: snapshot.shards });
  }

  /** All stages of all workers have ended. */
  async #end(): Promise<void> {
    const { listener } = this.#options;
    await Promise.all([this.mover.settled, this.shardMover.settled]);
    const epoch = listener.lastEpoch();
    if (epoch !== undefined) {
      const shards = this.#shards.tracked;
      const workers = await Promise.all(
        this.#handles.map((handle) => handle.ask<"lastSnapshot">({ type: "lastSnapshot", epoch })),
      );
      await listener.lastSnapshot({ epoch, workers, shards });
      // A sink that can't commit fails the attempt: what it has prepared is in the checkpoint, and committed the next time.
      await Promise.all(this.#handles.map((handle) => handle.ask<"commits">({ type: "commits" })));
    }
    this.#finish({ kind: "finished" });
  }

  async #shardEnded(worker: number, source: string, shard: string): Promise<void> {
    this.#shards.ended(source, shard);
    const grows = this.#shards.growing.includes(source);
    if (grows && !this.#stopping) await this.#rediscover(source);
    this.#shards.release(worker, source, shard);
  }

  #fail(error: Error, policy: "restart" | "stop"): void {
    this.#finish({ kind: "failed", error, policy, started: this.#running });
  }

  /** Lets go of everything. A worker that doesn't answer in time is ended all the same. */
  async #close(): Promise<void> {
    const closed = Promise.allSettled(
      this.#handles.map((handle) => handle.ask<"close">({ type: "close" })),
    );
    const patience = new AbortController();
    await Promise.race([closed, delay(this.#options.clock, WORKER_CLOSE_MS_MAX, patience.signal)]);
    patience.abort();
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
