/**
 * Waiting in tests without sleeping: for turns of the event loop, each after the messages and I/O that are there, and for
 * something to become true.
 *
 * @module
 */

import { fail } from "@std/assert";
import { systemClock } from "../../runtime/clock.ts";

/** Real time after which what is waited for is said not to happen. */
export const WAIT_MS_MAX = 10_000;
/** Turns in which something that should not happen would have happened. */
export const QUIET_TURNS = 25;

/** Resolves after so many turns of the event loop. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    await new Promise<void>((resolve) => void systemClock.defer(resolve));
  }
}

/** Resolves when the condition holds; fails if it doesn't in {@linkcode WAIT_MS_MAX}. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
): Promise<void> {
  const start = systemClock.monotonic();
  while (!await condition()) {
    if (systemClock.monotonic() - start > WAIT_MS_MAX) fail(`Waited in vain for ${what}`);
    await turns(1);
  }
}
