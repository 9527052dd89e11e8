/**
 * How long the turns of a stage's actors take, and which keys their rows are of, from a sample: a look at the clock costs
 * as much as a few rows.
 *
 * Turns are picked at random, since actors come in the same order again and again: each so-many'th turn may always be the
 * same ones'. Those that are timed give the time of a row; with the rows of all turns, which are counted, that is the
 * time of all.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import type { Key } from "../key.ts";
import { type Random, seededRandom } from "../random.ts";
import { SpaceSaving } from "../scaling/space_saving.ts";
import type { PartitionActor } from "./partition_actor.ts";
import { RowTime } from "./row_time.ts";

/** Of so many turns one is timed, on average. */
export const TURNS_PER_SAMPLE = 16;
/** Keys that are counted at once. */
const HOT_KEY_COUNTERS = 32;
/** Hottest keys that are told. */
const HOT_KEYS_TOLD = 8;
/** No time was taken. */
const UNTIMED = -1;

/** A key that came often, with its share of all rows, 0 to 1. */
export interface KeyShare {
  readonly key: Key;
  readonly share: number;
}

/** The times of one stage's turns. */
export class TurnTimes {
  /** Keys of rows in turns that were timed. */
  readonly #hotKeys = new SpaceSaving<Key>(HOT_KEY_COUNTERS);
  readonly #clock: Clock;
  readonly #readKey: (slot: number) => Key;
  readonly #random: Random = seededRandom(TURNS_PER_SAMPLE);
  /** For actors of which no turn has been timed. */
  readonly #all = new RowTime();
  #turnsLeft = 1;

  /** @param readKey the key of a slot, without keeping it at hand */
  constructor(clock: Clock, readKey: (slot: number) => Key) {
    this.#clock = clock;
    this.#readKey = readKey;
  }

  /** An actor's turn begins. To be handed to {@linkcode end}. */
  begin(actor: PartitionActor): number {
    if (--this.#turnsLeft > 0) return UNTIMED;
    this.#turnsLeft = 1 + Math.floor(this.#random() * (2 * TURNS_PER_SAMPLE - 1));
    this.#sample(actor);
    return this.#clock.monotonic();
  }

  /** It has ended, with so many rows and timers handled. */
  end(actor: PartitionActor, handled: number, begun: number): void {
    if (begun !== UNTIMED && handled > 0) {
      const ms = this.#clock.monotonic() - begun;
      actor.rowTime.add(ms, handled);
      this.#all.add(ms, handled);
    }
    actor.busyMs += handled * (actor.rowTime.mean ?? this.#all.mean ?? 0);
  }

  /** The keys that came most often, with their share of all rows. What was before counts half from now on. */
  takeHotKeys(): readonly KeyShare[] {
    const { total } = this.#hotKeys;
    const hottest = this.#hotKeys.top(HOT_KEYS_TOLD)
      .map(({ key, count, error }) => ({ key, share: (count - error) / total }));
    this.#hotKeys.fade();
    return hottest;
  }

  /** The key of the first row stands for all that came with it in the same batch. */
  #sample({ first, group }: PartitionActor): void {
    if (first?.kind !== "rows" || group < 0) return;
    const { batch, next, end } = first;
    const slot = batch.slots[batch.order[next] ?? 0] ?? 0;
    this.#hotKeys.add(this.#readKey(slot), end - next);
  }
}
