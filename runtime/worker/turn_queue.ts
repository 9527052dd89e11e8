/**
 * Whose turn it is. Actors with something to do wait in line; a slice runs turns for a few milliseconds, then lets the
 * worker look at its messages. When nobody is left in line, what the turns put out is flushed: so batches are large
 * under load and immediate when there is little.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import { SLICE_MS_MAX } from "../limits.ts";

/** Something that takes turns. */
export interface TurnTaker {
  /** Runs a bounded piece of work; puts itself in line again if there is more. */
  takeTurn(): void;
}

/** The line of a worker. */
export class TurnQueue {
  readonly #clock: Clock;
  readonly #flush: () => void;
  #line: TurnTaker[] = [];
  #next = 0;
  #scheduled = false;
  #halted = false;

  /** @param flush hands over what turns have put out; may put takers in line */
  constructor(clock: Clock, flush: () => void) {
    this.#clock = clock;
    this.#flush = flush;
  }

  /** Puts a taker in line. Takers see to it that they stand in line once. */
  add(taker: TurnTaker): void {
    this.#line.push(taker);
    this.wake();
  }

  /** Sees to it that a slice runs soon, if only to flush. */
  wake(): void {
    if (this.#scheduled || this.#halted) return;
    this.#scheduled = true;
    this.#clock.defer(() => this.#slice());
  }

  /** No more turns: the job has failed or closes. */
  halt(): void {
    this.#halted = true;
    this.#line = [];
    this.#next = 0;
  }

  #slice(): void {
    this.#scheduled = false;
    const end = this.#clock.monotonic() + SLICE_MS_MAX;
    while (!this.#halted) {
      const taker = this.#take();
      if (taker === undefined) {
        this.#flush();
        if (this.#next >= this.#line.length) return;
        continue;
      }
      taker.takeTurn();
      if (this.#clock.monotonic() >= end) {
        this.#flush();
        if (this.#next < this.#line.length) this.wake();
        return;
      }
    }
  }

  #take(): TurnTaker | undefined {
    const taker = this.#line[this.#next];
    if (taker === undefined) return undefined;
    this.#next++;
    if (this.#next === this.#line.length) {
      this.#line = [];
      this.#next = 0;
    }
    return taker;
  }
}
