/**
 * A clock that a test moves by hand: nothing happens unless it says so. Timers run when time is passed, deferred calls
 * when they are asked for.
 *
 * @module
 */

import type { Cancel, Clock } from "../../runtime/clock.ts";

/** Times stand still until {@linkcode HandClock.pass}. */
export class HandClock implements Clock {
  /** By how much monotonic time is ahead: the whole process stood still. */
  heldUpMs = 0;
  #now: number;
  readonly #timers = new Set<{ readonly at: number; readonly callback: () => void }>();
  readonly #deferred = new Set<() => void>();

  /** @param start the time at the beginning, ms since the epoch */
  constructor(start = 0) {
    this.#now = start;
  }

  /** Timers and deferred calls that are waiting. */
  get waiting(): number {
    return this.#timers.size + this.#deferred.size;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now + this.heldUpMs;
  }

  setTimer(delayMs: number, callback: () => void): Cancel {
    const timer = { at: this.#now + delayMs, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  defer(callback: () => void): Cancel {
    // Each call is one of its own, even of the same function.
    const call = () => callback();
    this.#deferred.add(call);
    return () => this.#deferred.delete(call);
  }

  /** Time passes; timers that come due run in order of their times, those that they set included. */
  pass(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
    }
    this.#now = end;
  }

  /** Runs what was deferred so far, but not what that defers in turn. */
  runDeferred(): void {
    const calls = [...this.#deferred];
    this.#deferred.clear();
    for (const call of calls) call();
  }
}
