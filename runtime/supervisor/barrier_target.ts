/**
 * An attempt as checkpoints see it.
 *
 * @module
 */

/** What the coordinator asks of an attempt. */
export interface BarrierTarget {
  /** Lets a barrier through. False if it can't be, now: the job is ending. */
  barrier(epoch: number): boolean;
  committed(epoch: number): void;
  aborted(epoch: number): void;
}
