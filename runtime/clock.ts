/**
 * The one door to time: reading it, waiting for it, and giving the event loop its turn. Everything that needs time takes
 * a {@linkcode Clock}; the system's is here, the virtual one of tests and simulation is in `testing/virtual_clock.ts`.
 *
 * @module
 */

import { clearImmediate, setImmediate } from "node:timers";

/** Ends a timer or a deferred call that has not run yet; harmless afterwards. */
export type Cancel = () => void;

/** Time as the engine sees it. */
export interface Clock {
  /** Milliseconds since the Unix epoch, whole. */
  now(): number;
  /** Milliseconds since an arbitrary start, with fractions, never going back: for measuring durations. */
  monotonic(): number;
  /** Calls `callback` once, `delayMs` from now or as soon after as the thread is free. */
  setTimer(delayMs: number, callback: () => void): Cancel;
  /** Calls `callback` soon, after messages and I/O that are already waiting. */
  defer(callback: () => void): Cancel;
}

/** The longest delay that the system's timers know, ms: 24.8 days. */
const SYSTEM_TIMER_MS_MAX = 2 ** 31 - 1;

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(delayMs, callback) {
    let left = delayMs;
    // The system's timers fire at once when they are asked for more.
    const wait = (): ReturnType<typeof setTimeout> => {
      const ms = Math.min(left, SYSTEM_TIMER_MS_MAX);
      left -= ms;
      return setTimeout(left > 0 ? () => timer = wait() : callback, ms);
    };
    let timer = wait();
    return () => clearTimeout(timer);
  },
  defer(callback) {
    const immediate = setImmediate(callback);
    return () => clearImmediate(immediate);
  },
};

/**
 * Resolves after `delayMs`, or at once when `signal` is aborted: the caller checks which.
 *
 * @example Waiting on the machine's clock
 * ```ts
 * import { delay, systemClock } from "./clock.ts";
 * await delay(systemClock, 1);
 * ```
 */
export function delay(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      cancel();
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const cancel = clock.setTimer(delayMs, done);
    signal?.addEventListener("abort", done);
  });
}
