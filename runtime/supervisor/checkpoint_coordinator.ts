/**
 * Takes a job's checkpoints: sends barriers, gathers what workers hand over, has it kept, and tells workers how it went.
 * One for all attempts of a job; what is decided is decided in `checkpoint_policy.ts`, `checkpoint/chains.ts` and
 * `checkpoint/fit_checkpoint.ts`.
 *
 * ```
 *            interval, or a savepoint is asked for         all parts are there
 *  waiting ────────────────────────────────> collecting ────────────────────> writing ──┐
 *     ^                                          │ timeout, declined             │       │
 *     │                                          v                               v       │ kept
 *     │<────────────────────────────────────── failed (told to workers: aborted) <       │
 *     └──────────────────────────────────── committed (told to workers) <────────────────┘
 * ```
 *
 * @module
 */

import { Chains } from "../checkpoint/chains.ts";
import { fitCheckpoint } from "../checkpoint/fit_checkpoint.ts";
import { fitRest } from "../checkpoint/fit_rest.ts";
import type { OpenCheckpointStore } from "../checkpoint/store.ts";
import { type Cancel, type Clock, delay } from "../clock.ts";
import { CHECKPOINT_WRITE_WAIT_MS_MAX } from "../limits.ts";
import type { Logger } from "../logger.ts";
import type { JobPlan } from "../stage_plan.ts";
import type { BarrierTarget } from "./barrier_target.ts";
import { type CheckpointEvent, checkpointEvent } from "./checkpoint_event.ts";
import { type CheckpointPolicy, untilNextMs } from "./checkpoint_policy.ts";
import type { CheckpointShelf, KeptCheckpoint } from "./checkpoint_shelf.ts";
import type { JobSnapshot, RestoredJob } from "./attempt_listener.ts";
import { restoredJob } from "./restored_job.ts";

/** Where the coordinator stands. */
type State =
  /** No attempt is running. */
  | { readonly kind: "off" }
  | { readonly kind: "waiting"; readonly cancel: Cancel; readonly began: number }
  /** Key groups move: no checkpoint begins. */
  | { readonly kind: "held"; readonly began: number }
  | {
    readonly kind: "collecting" | "writing";
    readonly epoch: number;
    readonly began: number;
    readonly cancelTimeout: Cancel;
  };

/** Someone who asked for a checkpoint, or for a copy of one. */
interface CheckpointRequest {
  resolve(kept: KeptCheckpoint): void;
  reject(error: Error): void;
}

/** What the coordinator works with. */
export interface CoordinatorOptions {
  readonly shelf: CheckpointShelf;
  readonly policy: CheckpointPolicy;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly allowDroppedState: boolean;
  readonly startedAt: number;
  /** Checkpoints fail more often than is tolerated. */
  readonly failed: (error: Error) => void;
  /** Lets go of the store. */
  readonly closed: () => Promise<void>;
  readonly onCheckpoint?: (event: CheckpointEvent) => void;
}

/** The checkpoints of one job. */
export class CheckpointCoordinator {
  readonly #options: CoordinatorOptions;
  #attempt: BarrierTarget | undefined;
  #plan: JobPlan | undefined;
  #routing: readonly number[] = [];
  #state: State = { kind: "off" };
  #chains = new Chains();
  #nextEpoch = 1;
  #startedAt: number | undefined;
  #failures = 0;
  /** Settles when nothing is being written any more. */
  #writing: Promise<unknown> = Promise.resolve();
  /** Those that took too long while they were written: they may still turn up in the store. */
  readonly #givenUp = new Set<number>();
  /** Of restores: what was begun before the last one is not built upon. */
  #restores = 0;
  #endedAt = -Infinity;
  /** Those who wait until no checkpoint is under way. */
  #holds: (() => void)[] = [];
  #requests: CheckpointRequest[] = [];
  /** Those that the checkpoint under way is for. */
  #served: CheckpointRequest[] = [];

  constructor(options: CoordinatorOptions) {
    this.#options = options;
  }

  /**
   * What an attempt begins with: the last checkpoint that can be read; undefined if there is none yet.
   *
   * @throws {RestoreError} if it does not fit the job
   */
  async restore(
    plan: JobPlan,
    routing: readonly number[],
    workers: number,
  ): Promise<RestoredJob | undefined> {
    const { shelf, logger, allowDroppedState } = this.#options;
    this.#plan = plan;
    this.#routing = routing;
    await this.#written();
    this.#restores++;
    this.#chains = new Chains();
    const read = await shelf.read();
    this.#nextEpoch = Math.max(this.#nextEpoch, shelf.nextNumber);
    if (read === undefined) return undefined;
    const { manifest } = read;
    this.#startedAt = manifest.startedAt;
    const fit = fitCheckpoint(manifest, plan, { allowDroppedState });
    const { rest, dropped: droppedRest } = fitRest(read, plan, { allowDroppedState, fit });
    const dropped = [...fit.dropped, ...droppedRest];
    // What is read otherwise than it was written is written again as a whole.
    const changed = new Set(
      fit.operators
        .filter(({ dropped, migrated }) => dropped.length > 0 || Object.keys(migrated).length > 0)
        .map(({ name }) => name),
    );
    const anew = (operator: string) => !read.isOwn || changed.has(operator);
    const known = new Set(fit.operators.map(({ name }) => name));
    this.#chains = Chains.of(manifest, (operator) => known.has(operator) && !anew(operator));
    logger.info("Going on from a checkpoint", {
      number: manifest.id,
      kind: manifest.kind,
      at: manifest.at,
      dropped,
    });
    for (const { name, keysChanged } of fit.operators) {
      if (keysChanged === undefined) continue;
      logger.warn("A key function has changed: keys that it makes otherwise begin without state", {
        operator: name,
        ...keysChanged,
      });
    }
    if (dropped.length > 0) {
      logger.warn("State of the checkpoint is dropped", { number: manifest.id, dropped });
    }
    return restoredJob({ ...read, rest }, { plan, fit, routing, workers, anew });
  }

  /** An attempt is running: checkpoints are taken of it from now on. */
  begin(attempt: BarrierTarget): void {
    this.#attempt = attempt;
    this.#failures = 0;
    this.#endedAt = this.#options.clock.monotonic();
    this.#wait(this.#endedAt);
  }

  /** The attempt is over. A checkpoint that is under way comes to nothing. */
  end(): void {
    const state = this.#state;
    if (state.kind === "waiting") state.cancel();
    else if (state.kind === "collecting" || state.kind === "writing") state.cancelTimeout();
    this.#state = { kind: "off" };
    this.#attempt = undefined;
    for (const held of this.#holds.splice(0)) held();
    this.#reject(new Error("Cannot take the savepoint: the job has stopped or failed meanwhile"));
  }

  /** A checkpoint now. Rejects if it fails. */
  checkpoint(): Promise<KeptCheckpoint> {
    return this.#request((kept) => Promise.resolve(kept));
  }

  /**
   * A checkpoint now, and a copy of it that is kept until somebody removes it. Rejects if either fails.
   *
   * @param to the store for the copy, if not this one
   */
  savepoint(to?: OpenCheckpointStore): Promise<KeptCheckpoint> {
    return this.#request((kept) => {
      // Its number is taken before the next checkpoint's: the job must never go on from what is older.
      const number = to === undefined ? this.#nextEpoch++ : undefined;
      const copying = this.#options.shelf.copy(kept.id, to, number);
      this.#writing = Promise.allSettled([this.#writing, copying]);
      return copying;
    });
  }

  /** @param then called at the moment at which the checkpoint is there, before another one begins */
  #request(then: (kept: KeptCheckpoint) => Promise<KeptCheckpoint>): Promise<KeptCheckpoint> {
    return new Promise((resolve, reject) => {
      if (this.#attempt === undefined) {
        return reject(new Error("Cannot take a savepoint: the job is not running"));
      }
      this.#requests.push({ resolve: (kept) => resolve(then(kept)), reject });
      if (this.#state.kind === "waiting") this.#trigger();
    });
  }

  /** No attempt follows: lets go of the store, once nothing is being written. */
  async close(): Promise<void> {
    this.end();
    await this.#written();
    await this.#options.closed();
  }

  /** Resolves when nothing is being written any more, or it has taken too long. */
  async #written(): Promise<void> {
    const patience = new AbortController();
    const late = delay(this.#options.clock, CHECKPOINT_WRITE_WAIT_MS_MAX, patience.signal);
    await Promise.race([this.#writing, late]);
    patience.abort();
  }

  /** The number for the snapshot of a job that has ended. */
  lastEpoch(): number {
    // Nothing else is taken any more: the last snapshot has what one under way would have had, and more.
    const state = this.#state;
    if (state.kind === "waiting") state.cancel();
    else if (state.kind === "collecting" || state.kind === "writing") {
      state.cancelTimeout();
      this.#attempt?.aborted(state.epoch);
    }
    this.#state = { kind: "off" };
    return this.#nextEpoch++;
  }

  /** The snapshot of a job that has ended: kept before this resolves. */
  async lastSnapshot(snapshot: JobSnapshot): Promise<void> {
    const { clock, policy } = this.#options;
    const began = clock.monotonic();
    const given = new AbortController();
    const late = delay(clock, policy.timeoutMs, given.signal).then(() => {
      if (given.signal.aborted) return new Promise<never>(() => {});
      this.#givenUp.add(snapshot.epoch);
      throw new Error(`Checkpoint ${snapshot.epoch}, the last one, ${tooLate(policy)}`);
    });
    const kept = await Promise.race([this.#write(snapshot), late]).finally(() => given.abort());
    this.#attempt?.committed(snapshot.epoch);
    this.#tell(snapshot, kept, began);
    for (const { resolve } of [...this.#requests.splice(0), ...this.#served.splice(0)]) {
      resolve(kept);
    }
  }

  /** All parts of an epoch are there. */
  snapshot(snapshot: JobSnapshot): void {
    const state = this.#state;
    if (state.kind !== "collecting" || state.epoch !== snapshot.epoch) return;
    this.#state = { ...state, kind: "writing" };
    this.#write(snapshot).then(
      (kept) => this.#committed(snapshot, kept),
      (error) => this.#fail(snapshot.epoch, asError(error)),
    );
  }

  /** A worker can't give its part. */
  declined(epoch: number, error: Error): void {
    this.#fail(epoch, error);
  }

  /** Holds checkpoints back until `release`. Resolves when none is under way; those who hold come one after the other. */
  hold(): Promise<void> {
    const state = this.#state;
    if (state.kind === "off") return Promise.resolve();
    return new Promise((resolve) => {
      this.#holds.push(resolve);
      if (state.kind !== "waiting") return;
      state.cancel();
      this.#wait(state.began);
    });
  }

  /** Checkpoints go on, with the key groups on these workers. */
  release(routing: readonly number[]): void {
    this.#routing = routing;
    if (this.#state.kind === "held") this.#wait(this.#state.began);
  }

  /** A number for a barrier. */
  nextEpoch(): number {
    return this.#nextEpoch++;
  }

  #wait(began: number): void {
    const held = this.#holds.shift();
    if (held !== undefined) {
      this.#state = { kind: "held", began };
      return held();
    }
    const { clock, policy } = this.#options;
    const now = clock.monotonic();
    const afterMs = untilNextMs(policy, { began, ended: this.#endedAt, now });
    const cancel = clock.setTimer(afterMs, () => this.#trigger());
    this.#state = { kind: "waiting", cancel, began };
    if (this.#requests.length > 0) this.#trigger();
  }

  #trigger(): void {
    const { clock, policy } = this.#options;
    if (this.#state.kind !== "waiting") return;
    this.#state.cancel();
    const epoch = this.#nextEpoch;
    if (this.#attempt?.barrier(epoch) !== true) {
      // The job is ending: a last snapshot follows, which serves those who wait for a savepoint.
      this.#state = { kind: "off" };
      return;
    }
    this.#nextEpoch++;
    this.#served = this.#requests.splice(0);
    const cancelTimeout = clock.setTimer(policy.timeoutMs, () => {
      if (this.#state.kind === "writing") this.#givenUp.add(epoch);
      this.#fail(epoch, new Error(`it ${tooLate(policy)}`));
    });
    this.#state = { kind: "collecting", epoch, began: clock.monotonic(), cancelTimeout };
  }

  #committed(snapshot: JobSnapshot, kept: KeptCheckpoint): void {
    const state = this.#state;
    if (state.kind !== "writing" || state.epoch !== snapshot.epoch) return;
    state.cancelTimeout();
    this.#failures = 0;
    this.#attempt?.committed(snapshot.epoch);
    this.#tell(snapshot, kept, state.began);
    for (const { resolve } of this.#served.splice(0)) resolve(kept);
    this.#endedAt = this.#options.clock.monotonic();
    this.#wait(state.began);
  }

  #fail(epoch: number, cause: Error): void {
    const state = this.#state;
    if (state.kind !== "collecting" && state.kind !== "writing") return;
    if (state.epoch !== epoch) return;
    state.cancelTimeout();
    const { policy, logger, clock } = this.#options;
    this.#failures++;
    this.#attempt?.aborted(epoch);
    const error = new Error(`Checkpoint ${epoch} failed: ${cause.message}`, { cause });
    const failures = this.#failures;
    const tolerated = policy.toleratedFailures;
    logger.warn("Checkpoint failed", { number: epoch, reason: cause.message, failures, tolerated });
    for (const { reject } of this.#served.splice(0)) reject(error);
    this.#endedAt = clock.monotonic();
    if (failures <= tolerated) return this.#wait(state.began);
    this.#state = { kind: "off" };
    this.#options.failed(
      new Error(
        `${failures} checkpoints in a row failed, ${tolerated} are tolerated: ${error.message}`,
        {
          cause: error,
        },
      ),
    );
  }

  #reject(error: Error): void {
    for (const { reject } of [...this.#requests.splice(0), ...this.#served.splice(0)]) {
      reject(error);
    }
  }

  async #write(snapshot: JobSnapshot): Promise<KeptCheckpoint> {
    const { shelf } = this.#options;
    const startedAt = this.#startedAt ?? this.#options.startedAt;
    const plan = this.#plan;
    if (plan === undefined) throw new Error("Cannot keep a checkpoint of a job without a plan");
    const { epoch } = snapshot;
    const restores = this.#restores;
    const isCurrent = () => restores === this.#restores;
    const keeping = shelf.keep(snapshot, {
      ...{ plan, routing: this.#routing, chains: this.#chains, startedAt },
      verdict: () => {
        // An attempt that has begun meanwhile may have gone on from it: then it is needed.
        if (!isCurrent()) return "leave";
        return this.#givenUp.delete(epoch) ? "give up" : "build upon";
      },
    });
    this.#writing = Promise.allSettled([this.#writing, keeping]);
    const { kept, chains } = await keeping;
    if (isCurrent()) this.#chains = chains;
    return kept;
  }

  #tell(snapshot: JobSnapshot, kept: KeptCheckpoint, began: number): void {
    const { clock, onCheckpoint, logger } = this.#options;
    const event = checkpointEvent(snapshot, kept, clock.monotonic() - began);
    logger.debug("Checkpoint kept", { ...event });
    onCheckpoint?.(event);
  }
}

function tooLate({ timeoutMs }: CheckpointPolicy): string {
  return `was not complete within ${timeoutMs} ms`;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
