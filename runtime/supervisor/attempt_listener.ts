/**
 * What an attempt at running a job tells, and whom.
 *
 * @module
 */

import type { RestoredWorker, WorkerSnapshot } from "../checkpoint/worker_snapshot.ts";
import type { DeadLetter } from "../dead_letter.ts";
import type { LogFields, LogLevel } from "../logger.ts";
import type { JobPlan } from "../stage_plan.ts";
import type { TrackedShard } from "./shard_tracker.ts";
import type { RestoredShard } from "./source_shards.ts";

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
  planned(
    plan: JobPlan,
    routing: readonly number[],
  ): Promise<RestoredJob | undefined>;
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
