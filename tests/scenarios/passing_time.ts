/**
 * Time that passes by small steps, so that what happens along the way happens at its time: a job that starts again waits,
 * begins, takes checkpoints.
 *
 * @module
 */

import type { JobDriver } from "../../runtime/testing/job_driver.ts";

/** Lets so much time pass, by steps. */
export async function pass(driver: JobDriver, ms: number, stepMs = 100): Promise<void> {
  const until = driver.now + ms;
  while (driver.now < until) await driver.advanceTo(Math.min(until, driver.now + stepMs));
}
