/**
 * A clock that never waits: a timer fires at the event loop's next turn, and the clock jumps to its time. So retries with
 * backoff run at once, and what they waited for can be read from the clock.
 *
 * @module
 */

import { type Clock, systemClock } from "../../../runtime/clock.ts";

/** The real time plus all that was jumped over; durations count the jumps alone. */
export function jumpingClock(): Clock {
  let elapsedMs = 0;
  return {
    now: () => systemClock.now() + Math.floor(elapsedMs),
    monotonic: () => elapsedMs,
    setTimer(delayMs, callback) {
      const dueMs = elapsedMs + delayMs;
      return systemClock.defer(() => {
        elapsedMs = Math.max(elapsedMs, dueMs);
        callback();
      });
    },
    defer: (callback) => systemClock.defer(callback),
  };
}
