/**
 * What the partition actors of a stage have done on one worker, for decisions about where key groups should be.
 *
 * @module
 */

import type { KeyedState } from "../state/keyed_state.ts";
import type { PartitionActor } from "./partition_actor.ts";
import type { KeyShare } from "./turn_times.ts";

/** What a key with its state is taken to need, in bytes: what it really needs shows when it moves. */
const KEY_BYTES = 128;

/** Counters of a stage's key groups on one worker: they only rise, but for what is waiting. */
export interface StageLoad {
  /** The key groups that are here; the other lists have a figure for each. */
  readonly groups: Uint16Array;
  /** Time within turns, ms. */
  readonly busyMs: Float64Array;
  /** Rows handled and timers fired. */
  readonly rows: Float64Array;
  /** Rows waiting now, and for how long the first of them has, ms. */
  readonly waiting: Float64Array;
  readonly oldestMs: Float64Array;
  /** Bytes of state, of each group about. */
  readonly bytes: number;
  /** Keys that came most often of late, in a sample, with their key groups, and their share of all of the stage's rows. */
  readonly hotKeys: readonly (KeyShare & { readonly group: number })[];
}

/** What actors have counted. */
export function stageLoad(
  actors: Iterable<PartitionActor>,
  hotKeys: readonly KeyShare[],
  state: KeyedState,
  now: number,
): StageLoad {
  const of = [...actors].filter(({ group }) => group >= 0);
  const figures = (figure: (actor: PartitionActor) => number) => Float64Array.from(of, figure);
  return {
    groups: Uint16Array.from(of, ({ group }) => group),
    busyMs: figures(({ busyMs }) => busyMs),
    rows: figures(({ handled }) => handled),
    waiting: figures(({ waiting }) => waiting),
    oldestMs: figures(({ first }) => first?.kind === "rows" ? now - first.batch.at : 0),
    bytes: state.kept * KEY_BYTES / Math.max(1, of.length),
    hotKeys: hotKeys.flatMap(({ key, share }) => {
      const slot = state.keys.find(key);
      return slot < 0 ? [] : [{ key, group: state.keys.groupAt(slot), share }];
    }),
  };
}
