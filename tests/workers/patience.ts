/**
 * Waiting for what may never come, so that a job that hangs fails its test instead of holding all of them up.
 *
 * @module
 */

import { fail } from "@std/assert";
import type { JobHandle, JobOutcome } from "../../mod.ts";
import { delay, systemClock } from "../../runtime/clock.ts";

/** Real time after which a job or a process is taken to hang. Deno checks the types of what workers run first. */
export const PATIENCE_MS = 60_000;

/** How a job ends; fails if it doesn't. */
export async function endOf({ outcome }: JobHandle): Promise<JobOutcome> {
  const ended = new AbortController();
  const hung = delay(systemClock, PATIENCE_MS, ended.signal).then(() => undefined);
  const first = await Promise.race([outcome, hung]);
  ended.abort();
  return first ?? fail(`The job still runs after ${PATIENCE_MS} ms`);
}
