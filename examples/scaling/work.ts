/**
 * What the demonstration does for each event, in place of what a real job would: something that takes its time, and as
 * long on any machine once it is known how fast that is.
 *
 * @module
 */

import type { Clock } from "../../runtime/clock.ts";

/** Rounds that are timed together. */
const TIMED_ROUNDS = 20_000;
const TIMED_MS = 300;

/** Goes so many rounds; what it gives hangs on each of them. */
export function work(start: number, rounds: number): number {
  let value = start | 0;
  for (let round = 0; round < rounds; round++) value = Math.imul(value ^ (value >>> 7), 0x2c1b3c6d);
  return value;
}

/** How many rounds this machine does in a ms, on a thread of its own. */
export function roundsPerMs(clock: Clock): number {
  const began = clock.monotonic();
  let [best, value] = [0, 1];
  for (let last = began; last - began < TIMED_MS;) {
    value = work(value, TIMED_ROUNDS);
    const now = clock.monotonic();
    // The fastest one was not interrupted.
    if (now > last) best = Math.max(best, TIMED_ROUNDS / (now - last));
    last = now;
  }
  return best;
}
