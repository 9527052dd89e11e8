/**
 * Importing a job's module.
 *
 * @module
 */

import { isJob, type Job } from "../job.ts";
import type { JobSettings } from "../worker/protocol.ts";

/**
 * The job that a module exports as its default.
 *
 * @throws {Error} if the module can't be imported or exports no job, with what to do
 */
export async function importJob({ url }: JobSettings): Promise<Job> {
  let module: unknown;
  try {
    module = await import(url);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`Cannot import the job at ${url}: ${reason}`, { cause: error });
  }
  const job = typeof module === "object" && module !== null && "default" in module
    ? module.default
    : undefined;
  if (isJob(job)) return job;
  throw new Error(
    `Cannot run ${url}: its default export is no job; write "export default defineJob({ ... })"`,
  );
}
