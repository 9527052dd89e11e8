/**
 * Workers that come and go while the job runs. One more joins at a barrier, from which on it is told all that the others
 * are told; one that has neither key groups nor shards any more leaves when all it has put out has arrived. One at a time,
 * and no checkpoint or move beside it. Numbers stay in a row: the one that leaves is the last.
 *
 * ```
 *           grow()         a spare is there, linked           all have passed the barrier
 *  still ───────────> preparing ───────────────> joining ────────────────────────> opening ──> still
 *    ^                    │ the job is stopped, or ends
 *    ├────────────────────┘
 *    │      shrink()         nothing of it is under way
 *    └──────────────── leaving <──────── still
 * ```
 *
 * A spare stands by, with the job's code loaded, where the job may have more workers than it has.
 *
 * @module
 */

import { joinedStage, timesForJoining } from "../checkpoint/stage_times.ts";
import type {
  RestoredStage,
  RestoredWorker,
  StageSnapshot,
} from "../checkpoint/worker_snapshot.ts";
import type { JobPlan } from "../stage_plan.ts";
import type { Command, JobSettings } from "../worker/protocol.ts";
import { originOf } from "../worker/stage_inputs.ts";
import { partOf } from "./restored_job.ts";
import type { WorkerHandle } from "./worker_handle.ts";
import type { LinkEnds, WorkerHost } from "./worker_port.ts";

/** Where the membership stands. */
type State =
  | { readonly kind: "still" | "preparing" | "opening" | "leaving" }
  | {
    readonly kind: "joining";
    readonly epoch: number;
    /** By worker. */
    readonly parts: Map<number, readonly StageSnapshot[]>;
    readonly done: () => void;
  };

/** What comings and goings work with. */
export interface MembershipOptions {
  readonly host: WorkerHost;
  readonly settings: JobSettings;
  /** How many workers there may be. */
  readonly slots: number;
  readonly checkpoints: boolean;
  /** By number; those that come are added, those that go are taken out. */
  readonly handles: WorkerHandle[];
  readonly spawn: (worker: number) => WorkerHandle;
  readonly tellAll: (command: Command) => void;
  /** Whether barriers come through: the job runs, and is not being stopped. */
  readonly isOpen: () => boolean;
  /** The worker of each key group. */
  readonly routing: () => readonly number[];
  /** How many shards a worker reads. */
  readonly shardsOf: (worker: number) => number;
  /** Resolves when a worker has let go of all shards that it has read to their end. */
  readonly letGo: (worker: number) => Promise<void>;
  /** Shards are read on so many workers from now on: those that have some already keep them. */
  readonly readOn: (workers: number) => void;
  /** A worker takes part from now on: before it is told anything else. */
  readonly joined: (handle: WorkerHandle) => void;
  /** A worker takes part no more. */
  readonly left: (worker: number) => void;
  /** Workers wait for one that will not come: the attempt has failed. */
  readonly failed: (error: Error) => void;
}

/** The workers of one attempt. */
export class Membership {
  readonly #options: MembershipOptions;
  /** Rejects when the attempt is over. */
  readonly #over = Promise.withResolvers<never>();
  #state: State = { kind: "still" };
  #plan: JobPlan | undefined;
  /** Loads the job, or has loaded it. */
  #spare: { readonly handle: WorkerHandle; readonly ready: Promise<void> } | undefined;
  #settled: Promise<unknown> = Promise.resolve();

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#over.promise.catch(() => {});
  }

  /** Resolves when nobody comes or goes. */
  get settled(): Promise<unknown> {
    return this.#settled;
  }

  /** The job runs: a spare is made if there may be more workers. */
  begin(plan: JobPlan): void {
    this.#plan = plan;
    this.#keepSpare();
  }

  /** The attempt is over. */
  end(): void {
    this.#over.reject(
      new Error("Cannot change the workers: the job has failed or ended meanwhile"),
    );
    this.#spare?.handle.terminate();
  }

  /** Whether a worker is the spare: that it dies is no failure of the job. */
  isSpare(worker: number): boolean {
    return this.#spare?.handle.worker === worker;
  }

  /** The spare is gone. The next one who needs it has another made. */
  spareDied(): void {
    this.#spare = undefined;
  }

  /**
   * One worker more.
   *
   * @param nextEpoch gives the number of the barrier
   * @returns false if the job was stopped or ended before the barrier: nothing has changed
   * @throws {Error} if there may be no more, the spare can't be made, or a worker fails
   */
  async grow(nextEpoch: () => number): Promise<boolean> {
    const { slots, handles } = this.#options;
    if (handles.length >= slots) {
      throw new RangeError(
        `Cannot add worker ${handles.length}: the job was started for at most ${slots}`,
      );
    }
    return await this.#change("preparing", () => this.#grow(nextEpoch));
  }

  /**
   * One worker less: the last. It has no key groups and no shards.
   *
   * @returns false if the job was stopped or ended before, or what the worker has written waits for a checkpoint
   * @throws {RangeError} if it has key groups or shards, or is the only one
   * @throws {Error} if a worker fails
   */
  async shrink(): Promise<boolean> {
    const { handles, routing, shardsOf } = this.#options;
    const last = handles.length - 1;
    const groups = routing().filter((worker) => worker === last).length;
    const shards = shardsOf(last);
    if (last < 1 || groups > 0 || shards > 0) {
      throw new RangeError(
        `Cannot let worker ${last} of ${handles.length} go: it has ${groups} key groups and ${shards} shards; ` +
          "move them, and keep one worker",
      );
    }
    return await this.#change("leaving", () => this.#shrink(last));
  }

  /** A worker has passed the barrier at which another one joins. */
  passed(worker: number, epoch: number, stages: readonly StageSnapshot[]): void {
    const state = this.#state;
    if (state.kind !== "joining" || state.epoch !== epoch) return;
    state.parts.set(worker, stages);
    if (state.parts.size === this.#options.handles.length) state.done();
  }

  async #change(
    kind: "preparing" | "leaving",
    change: () => Promise<boolean>,
  ): Promise<boolean> {
    if (this.#state.kind !== "still") {
      throw new Error(
        `Cannot change the workers: one is ${this.#state.kind} already; wait until that is done`,
      );
    }
    if (!this.#options.isOpen()) return false;
    this.#state = { kind };
    const changing = Promise.race([change(), this.#over.promise])
      .finally(() => this.#state = { kind: "still" });
    this.#settled = changing.catch(() => {});
    return await changing;
  }

  async #grow(nextEpoch: () => number): Promise<boolean> {
    const { host, handles, isOpen, tellAll } = this.#options;
    const worker = handles.length;
    const handle = await this.#readySpare(worker);
    await handle.ask<"prepare">({ type: "prepare", worker });
    if (!isOpen()) return false;
    const links = handles.map(() => host.link());
    await Promise.all(handles.map((other, index) => {
      const link = links[index];
      const [end] = link?.ends ?? [];
      const transfer = link?.transfer(end);
      return other.ask<"connect">({ type: "connect", worker, link: end }, transfer);
    }));
    if (!isOpen()) return false;
    try {
      const stages = await this.#barrier(nextEpoch(), worker, tellAll);
      this.#state = { kind: "opening" };
      await this.#open(handle, links, stages);
    } catch (error) {
      this.#options.failed(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
    this.#spare = undefined;
    handles.push(handle);
    this.#options.joined(handle);
    this.#options.readOn(handles.length);
    this.#keepSpare();
    return true;
  }

  async #open(
    handle: WorkerHandle,
    links: readonly LinkEnds[],
    stages: RestoredWorker["stages"],
  ): Promise<void> {
    const { worker } = handle;
    const { routing, slots, checkpoints } = this.#options;
    const ends = links.map(({ ends }) => ends[1]);
    await handle.ask<"open">(
      {
        type: "open",
        placement: { worker, workers: worker + 1, slots, routing: routing(), shards: {} },
        links: ends,
        restored: { epoch: 0, stages, sinks: {} },
        checkpoints,
      },
      links.flatMap(({ transfer, ends }) => transfer(ends[1])),
    );
  }

  /** Lets the barrier through; what the stages are there, for the new worker. */
  async #barrier(
    epoch: number,
    worker: number,
    tellAll: (command: Command) => void,
  ): Promise<RestoredWorker["stages"]> {
    const { promise, resolve: done } = Promise.withResolvers<void>();
    const parts = new Map<number, readonly StageSnapshot[]>();
    this.#state = { kind: "joining", epoch, parts, done };
    tellAll({ type: "join", epoch, worker });
    await promise;
    const plan = this.#plan;
    const all = [...parts.values()].flat();
    const stages = plan?.stages.map(({ name }): [string, RestoredStage] => {
      const stage = joinedStage(all.filter((of) => of.name === name));
      const times = timesForJoining(stage, { worker, partOf: partOf(plan), partName: originOf });
      return [name, { ...times, groups: [], dropped: [], migrated: {}, anew: false }];
    });
    return Object.fromEntries(stages ?? []);
  }

  async #shrink(worker: number): Promise<boolean> {
    const { handles, tellAll, left, readOn, letGo } = this.#options;
    const handle = handles[worker];
    // Shards that come up meanwhile are for others.
    readOn(worker);
    await letGo(worker);
    if (handle === undefined || !await handle.ask<"leave">({ type: "leave" })) {
      readOn(handles.length);
      return false;
    }
    handles.pop();
    tellAll({ type: "left", worker });
    left(worker);
    await handle.ask<"close">({ type: "close" });
    handle.terminate();
    this.#keepSpare();
    return true;
  }

  #keepSpare(): void {
    const { handles, slots, spawn, settings } = this.#options;
    if (this.#spare !== undefined && this.#spare.handle.worker !== handles.length) {
      // Nothing depends on it yet but its number, which is no longer the next.
      this.#spare.handle.terminate();
      this.#spare = undefined;
    }
    if (this.#spare !== undefined || handles.length >= slots) return;
    const handle = spawn(handles.length);
    const ready = handle.ready
      .then(() => handle.ask<"describe">({ type: "describe", job: settings }))
      .then(() => {});
    ready.catch(() => {});
    this.#spare = { handle, ready };
  }

  async #readySpare(worker: number): Promise<WorkerHandle> {
    this.#keepSpare();
    const spare = this.#spare;
    if (spare === undefined) throw new Error(`Cannot add worker ${worker}: none could be made`);
    await spare.ready;
    return spare.handle;
  }
}
