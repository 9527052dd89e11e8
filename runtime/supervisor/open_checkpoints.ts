/**
 * Opening the store of a job's checkpoints, and what takes them.
 *
 * @module
 */

import type { AwsSettings } from "../../connectors/source.ts";
import { CheckpointCatalogue, partsOfManifest } from "../checkpoint/catalogue.ts";
import type { LoadedCheckpoint } from "../checkpoint/loaded_checkpoint.ts";
import type { CheckpointStore, OpenCheckpointStore } from "../checkpoint/store.ts";
import type { Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import type { Random } from "../random.ts";
import { CheckpointCoordinator } from "./checkpoint_coordinator.ts";
import type { CheckpointEvent } from "./checkpoint_event.ts";
import { type CheckpointOptions, checkpointPolicy } from "./checkpoint_policy.ts";
import { CheckpointShelf } from "./checkpoint_shelf.ts";

/** Which checkpoint a job begins with, other than the last one in its store. */
export interface CheckpointChoice {
  /** The store that has it; that of the job unless said. */
  readonly store?: CheckpointStore;
  /** Its number; the newest unless said. */
  readonly id?: number;
}

/** How a job keeps checkpoints, and where. */
export interface KeepCheckpoints extends CheckpointOptions {
  readonly store: CheckpointStore;
  /** What the job begins with, if not with the last one in `store`; `"none"`: anew, whatever is there, which stays. */
  readonly from?: CheckpointChoice | "none";
  /**
   * Whether what the job no longer has may be dropped: state and timers of operators, positions of sources, calls under way,
   * prepared output of sinks. Each is logged. Default false.
   */
  readonly allowDroppedState?: boolean;
}

/** What stores are opened with. */
export interface CheckpointSurroundings {
  readonly job: string;
  readonly aws: AwsSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly startedAt: number;
  readonly failed: (error: Error) => void;
  readonly onCheckpoint?: (event: CheckpointEvent) => void;
}

/**
 * Opens the store, reads what the job is to begin with, and gives what takes its checkpoints.
 *
 * @throws {CheckpointStoreError} if a store can't be opened
 * @throws {Error} if the checkpoint that was chosen is not there or can't be read
 */
export async function openCheckpoints(
  keep: KeepCheckpoints,
  around: CheckpointSurroundings,
): Promise<CheckpointCoordinator> {
  const { clock, random, logger, startedAt, failed, onCheckpoint } = around;
  const policy = checkpointPolicy(keep);
  const closing = new AbortController();
  const store = await openStore(keep.store, around, closing.signal);
  const closed = async () => {
    closing.abort();
    await store.close();
  };
  let from: LoadedCheckpoint | "none" | undefined;
  try {
    from = typeof keep.from === "object" ? await chosen(keep.from, store, around) : keep.from;
  } catch (error) {
    await closed();
    throw error;
  }
  const catalogue = new CheckpointCatalogue(store, logger);
  const shelf = new CheckpointShelf({
    ...{ store, catalogue, from, clock, random, logger },
    keep: policy.keep,
  });
  return new CheckpointCoordinator({
    ...{ shelf, policy, clock, logger, startedAt, failed },
    allowDroppedState: keep.allowDroppedState ?? false,
    ...(onCheckpoint === undefined ? {} : { onCheckpoint }),
    closed,
  });
}

/** Opens a store for a job. */
export async function openStore(
  store: CheckpointStore,
  { job, aws, clock, random, logger }: Pick<
    CheckpointSurroundings,
    "job" | "aws" | "clock" | "random" | "logger"
  >,
  signal: AbortSignal,
): Promise<OpenCheckpointStore> {
  return await store.open({ job, aws, clock, random, logger, signal, partsOf: partsOfManifest });
}

async function chosen(
  { store, id }: CheckpointChoice,
  own: OpenCheckpointStore,
  around: CheckpointSurroundings,
): Promise<LoadedCheckpoint> {
  const closing = new AbortController();
  const open = store === undefined ? own : await openStore(store, around, closing.signal);
  try {
    const catalogue = new CheckpointCatalogue(open, around.logger);
    const loaded = id === undefined ? await catalogue.latest() : await catalogue.load(id);
    if (loaded !== undefined) return loaded;
    throw new Error(
      `Cannot start job "${around.job}" from ${open.kind} store "${open.name}": it has no checkpoint of this job; ` +
        "name another store, or start without one",
    );
  } finally {
    closing.abort();
    if (open !== own) await open.close();
  }
}
