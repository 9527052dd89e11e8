/**
 * What scaling carries decisions out with: the supervisor, or what stands for it in tests.
 *
 * @module
 */

import type { GroupMove } from "../worker/protocol.ts";
import type { MoveFigures } from "./group_mover.ts";

/** What a change of the number of workers was. */
export interface ScaleFigures {
  readonly from: number;
  readonly to: number;
  readonly tookMs: number;
  /** Shards that others read on. */
  readonly movedShards: number;
}

/** A job whose workers and key groups can be changed while it runs. */
export interface Scalable {
  /** Workers that run the job now: numbers 0 to `workers` - 1. */
  readonly workers: number;
  /** The worker of each key group. */
  readonly routing: readonly number[];
  /**
   * Adds warm workers, or lets those with the highest numbers go: they have no key groups any more, and their shards are
   * taken over by others in the call. Undefined if the job is being stopped, or ends.
   */
  scale(workers: number): Promise<ScaleFigures | undefined>;
  /** Moves key groups. Undefined if the job is being stopped, or ends. */
  move(moves: readonly GroupMove[]): Promise<MoveFigures | undefined>;
}
