/**
 * What is told of a checkpoint that has been kept.
 *
 * @module
 */

import type { KeptCheckpoint } from "./checkpoint_shelf.ts";
import type { JobSnapshot } from "./attempt_listener.ts";

/** A checkpoint, for people and pages. */
export interface CheckpointEvent {
  readonly epoch: number;
  /** From the barrier to the moment it was kept, ms. */
  readonly tookMs: number;
  /** Longest alignment and longest stop of a stage, ms. */
  readonly alignMs: number;
  readonly stopMs: number;
  /** What this checkpoint wrote. */
  readonly bytes: number;
  readonly changedKeys: number;
  readonly keys: number;
}

/** The event of a snapshot that has been kept. */
export function checkpointEvent(
  { epoch, workers }: JobSnapshot,
  { writtenBytes }: KeptCheckpoint,
  tookMs: number,
): CheckpointEvent {
  const most = (figure: "alignMs" | "stopMs") =>
    Math.max(0, ...workers.map(({ figures }) => figures[figure]));
  const sum = (figures: readonly number[]) => figures.reduce((total, of) => total + of, 0);
  return {
    epoch,
    tookMs,
    alignMs: most("alignMs"),
    stopMs: most("stopMs"),
    bytes: writtenBytes,
    changedKeys: sum(
      workers.flatMap(({ chunks }) => chunks).map(({ keys, deleted }) => keys + deleted),
    ),
    keys: sum(workers.flatMap(({ stages }) => stages).map(({ keys }) => keys)),
  };
}
