/**
 * One attempt at running a job: its workers from spawning to their end. What is decided is decided elsewhere
 * (`placement.ts`, `shard_tracker.ts`); here it is carried out.
 *
 * @module
 */

import type {
  AttemptListener,
  AttemptOutcome,
  JobSnapshot,
  RestoredJob,
} from "./attempt_listener.ts";
import { RestoreError } from "../checkpoint/fit_checkpoint.ts";
import { type Cancel, type Clock, delay } from "../clock.ts";
import { SHARD_DISCOVERY_MS, WORKER_CLOSE_MS_MAX } from "../limits.ts";
import type { WorkerSnapshot } from "../checkpoint/worker_snapshot.ts";
import { defaultMaxParallelism } from "../state/key_group.ts";
import {
  type Command,
  type JobSettings,
  receivedError,
  type WorkerReport,
} from "../worker/protocol.ts";
import { GroupMover } from "./group_mover.ts";
import { Membership } from "./membership.ts";
import { openWorkers } from "./open_workers.ts";
import { placeKeyGroups } from "./placement.ts";
import { ShardMover } from "./shard_mover.ts";
import { SourceShards } from "./source_shards.ts";
import { WorkerHandle, type WorkerNotice } from "./worker_handle.ts";
import type { WorkerHost } from "./worker_port.ts";
import { WorkerReports } from "./worker_reports.ts";

/** What an attempt is made with. */
export interface AttemptOptions {
  readonly host: WorkerHost;
  readonly clock: Clock;
  readonly settings: JobSettings;
  readonly workers: number;
  /** How many workers there may be while it runs. */
  readonly slots: number;
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
  readonly #reports = new WorkerReports();
  #shards: SourceShards;
  /** By epoch: workers' parts that are there, and shards as they were at the barrier. */
  readonly #snapshots = new Map<
    number,
    { parts: Map<number, WorkerSnapshot>; shards: JobSnapshot["shards"] }
  >();
  readonly #handles: WorkerHandle[] = [];
  /** Where key groups are. */
  readonly mover: GroupMover;
  /** Which workers there are. */
  readonly membership: Membership;
  /** Who reads which shard. */
  readonly shardMover: ShardMover;
  #cancelDiscovery: Cancel | undefined;
  #running = false;
  /** How it is being stopped, if it is. */
  #stopping: { readonly drain: boolean } | undefined;
  /** The outcome is known: nothing more is asked of workers that let go. */
  #over = false;
  /** Workers that have ended by themselves. */
  readonly #ended = new Set<WorkerHandle>();
  #isEnding = false;
  #finish: (outcome: AttemptOutcome) => void = () => {};
  readonly #outcome = new Promise<AttemptOutcome>((resolve) => {
    this.#finish = resolve;
  });

  constructor(options: AttemptOptions) {
    this.#options = options;
    this.#shards = this.#newShards({});
    const around = { handles: () => this.#handles, isOpen: () => this.#isOpen };
    const tellAll = (command: Command) => this.#tellAll(command);
    const failed = (error: Error) => this.#fail(error, "restart");
    const { host, clock, settings, slots, checkpoints } = options;
    this.mover = new GroupMover({ ...around, clock, tellAll });
    this.shardMover = new ShardMover({ ...around, shards: () => this.#shards, failed });
    this.membership = new Membership({
      ...{ host, settings, slots, checkpoints, handles: this.#handles, tellAll, failed },
      spawn: (worker) => this.#spawn(worker),
      isOpen: () => this.#isOpen,
      routing: () => this.mover.routing,
      shardsOf: (worker) => this.#shards.byWorker[worker]?.length ?? 0,
      letGo: (worker) => this.#shards.letGo(worker),
      ...{ readOn: (workers) => this.readOn(workers), joined: (handle) => this.#joined(handle) },
      left: (worker) => this.#left(worker),
    });
  }

  /** The workers' last reports. */
  get reports(): Iterable<WorkerReport> {
    return this.#reports.present;
  }

  /** The last reports of workers that have left since. */
  get departed(): Iterable<WorkerReport> {
    return this.#reports.departed;
  }

  /** How many workers there are. */
  get workers(): number {
    return this.#handles.length;
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
    this.membership.end();
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
    this.#stopping = { drain };
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

  /** Shards that come up are read on so many workers from now on. */
  readOn(workers: number): void {
    this.#shards.resize(workers);
  }

  /** Asks all workers for a report. */
  askReports(): void {
    if (this.#running) this.#tellAll({ type: "report" });
  }

  /** Whether barriers come through. */
  get #isOpen(): boolean {
    return this.#running && !this.#over && !this.#stopping && this.#ended.size === 0;
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

  #spawn(worker: number): WorkerHandle {
    const { host, clock } = this.#options;
    return new WorkerHandle(worker, host.spawn(worker), clock, {
      notice: (from, notice) => this.#notice(from, notice),
      died: (_, error) => {
        if (this.membership.isSpare(worker)) this.membership.spareDied();
        else this.#fail(error, "restart");
      },
    });
  }

  #watch(handle: WorkerHandle): void {
    const { host: { canHang, hangRemedy }, silentMsMax } = this.#options;
    if (canHang) handle.watch(silentMsMax, hangRemedy);
  }

  /** A worker takes part from now on. */
  #joined(handle: WorkerHandle): void {
    this.#reports.joined(handle.worker);
    this.#watch(handle);
    if (this.#stopping !== undefined) handle.tell({ type: "stop", ...this.#stopping });
  }

  /** A worker takes part no more: what it has counted stays. */
  #left(worker: number): void {
    this.#reports.left(worker);
    this.#mayEnd();
  }

  async #start(): Promise<void> {
    const { host, settings, workers, parallelism, listener } = this.#options;
    for (let worker = 0; worker < workers; worker++) this.#handles.push(this.#spawn(worker));
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
    const { slots, checkpoints } = this.#options;
    const placement = { slots, routing, shards: this.#shards.readable };
    await openWorkers(host, this.#handles, { placement, restored, checkpoints });
    if (this.#over) return;
    this.#running = true;
    for (const handle of this.#handles) this.#watch(handle);
    listener.running();
    this.membership.begin(plan);
    if (this.#stopping) return;
    this.#shards.openReadable();
    this.#discoverLater();
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
        return this.#reports.take(worker, notice.report);
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
      case "shardReleased":
        return this.#shards.released(notice.source, notice.shard);
      case "snapshot":
        return this.#snapshot(worker, notice.snapshot);
      case "declined":
        return listener.declined(notice.epoch, receivedError(notice.error));
      case "handedOver":
        return this.mover.handedOver(notice.epoch, notice.figures);
      case "joined":
        return this.membership.passed(worker, notice.epoch, notice.stages);
      case "shardClosed":
        return this.shardMover.closed(notice.source, notice.shard, notice.closed);
      case "ended": {
        const handle = this.#handles[worker];
        if (handle !== undefined) this.#ended.add(handle);
        return this.#mayEnd();
      }
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

  /** All stages of all workers may have ended. */
  #mayEnd(): void {
    if (!this.#handles.every((handle) => this.#ended.has(handle))) return;
    this.#end().catch((error) => this.#fail(asError(error), "restart"));
  }

  async #end(): Promise<void> {
    const { listener } = this.#options;
    await Promise.all([this.mover, this.shardMover, this.membership].map(({ settled }) => settled));
    // One that has joined meanwhile ends too.
    if (this.#isEnding || !this.#handles.every((handle) => this.#ended.has(handle))) return;
    this.#isEnding = true;
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
