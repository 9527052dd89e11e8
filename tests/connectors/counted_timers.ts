/**
 * A clock that knows how many of its timers are waiting, to see that a connector has let go of all of them.
 *
 * @module
 */

import type { Cancel, Clock } from "../../runtime/clock.ts";

/** A clock over another one. */
export class CountedTimers implements Clock {
  readonly #clock: Clock;
  readonly #waiting = new Set<symbol>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Timers and deferred calls that have neither run nor been cancelled. */
  get pending(): number {
    return this.#waiting.size;
  }

  now(): number {
    return this.#clock.now();
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  setTimer(delayMs: number, callback: () => void): Cancel {
    return this.#counted((run) => this.#clock.setTimer(delayMs, run), callback);
  }

  defer(callback: () => void): Cancel {
    return this.#counted((run) => this.#clock.defer(run), callback);
  }

  #counted(schedule: (run: () => void) => Cancel, callback: () => void): Cancel {
    const timer = Symbol();
    this.#waiting.add(timer);
    const cancel = schedule(() => {
      this.#waiting.delete(timer);
      callback();
    });
    return () => {
      this.#waiting.delete(timer);
      cancel();
    };
  }
}
