/**
 * The clock of a keyed stage's processing-time timers. It waits for one time only: that of the next timer among all the
 * stage's actors. When that comes, actors with timers that are due get in line, and fire them in turns of their own, so
 * that timers of this kind meet the same back-pressure as rows.
 *
 * @module
 */

import type { Cancel, Clock } from "../clock.ts";
import { PROCESSING_WAIT_MS_MAX } from "../limits.ts";
import type { PartitionActor } from "./partition_actor.ts";

/** Tells actors when their timers are due. */
export class ProcessingTime {
  readonly #clock: Clock;
  readonly #actors: Iterable<PartitionActor>;
  readonly #due: (actor: PartitionActor) => void;
  /** What is waited for; `Infinity` if there is no timer, `-Infinity` when closed. */
  #next = Infinity;
  #cancel: Cancel | undefined;

  /**
   * @param actors may have timers already, and come and go
   * @param due called for an actor that has timers up to its `processingTime`
   */
  constructor(
    clock: Clock,
    actors: Iterable<PartitionActor>,
    due: (actor: PartitionActor) => void,
  ) {
    this.#clock = clock;
    this.#actors = actors;
    this.#due = due;
    for (const actor of actors) this.watch(actor);
  }

  /** An actor may have set timers. */
  watch(actor: PartitionActor): void {
    const { nextAt } = actor.processing;
    // What is due already needs a turn, and no clock.
    if (nextAt < this.#next && nextAt > actor.processingTime) this.#waitFor(nextAt);
  }

  /** No timer fires any more. */
  close(): void {
    this.#cancel?.();
    this.#next = -Infinity;
    for (const actor of this.#actors) actor.processingTime = -Infinity;
  }

  #waitFor(at: number): void {
    this.#cancel?.();
    this.#next = at;
    // Times may have fractions, the clock has none: a whole millisecond too early would be one wait more.
    const waitMs = Math.min(Math.ceil(Math.max(0, at - this.#clock.now())), PROCESSING_WAIT_MS_MAX);
    this.#cancel = this.#clock.setTimer(waitMs, () => this.#tick());
  }

  #tick(): void {
    const now = this.#clock.now();
    let next = Infinity;
    this.#next = Infinity;
    this.#cancel = undefined;
    for (const actor of this.#actors) {
      const { nextAt } = actor.processing;
      // A clock that was put back takes back no time.
      actor.processingTime = Math.max(actor.processingTime, now);
      if (nextAt <= actor.processingTime) this.#due(actor);
      else if (nextAt < next) next = nextAt;
    }
    if (next < Infinity) this.#waitFor(next);
  }
}
