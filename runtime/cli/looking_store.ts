/**
 * Looking into a store of checkpoints from the command line, beside a job that may write to it.
 *
 * @module
 */

import { CheckpointCatalogue, partsOfManifest } from "../checkpoint/catalogue.ts";
import { storeLabel } from "../checkpoint/store.ts";
import type { Clock } from "../clock.ts";
import { silentLogger } from "../logger.ts";
import type { Random } from "../random.ts";
import type { StoreQuestion } from "./penstock_arguments.ts";

/** What a store is looked into with. */
export interface LookingAround {
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * The jobs that are asked about: the one that is named, or all that have checkpoints.
 *
 * @throws {CheckpointStoreError} if there is no store, or it can't be read
 * @throws {Error} if the job that is named has no checkpoints there
 */
export async function jobsIn(
  { store, aws, job }: StoreQuestion,
  around: LookingAround,
): Promise<readonly string[]> {
  const { signal } = new AbortController();
  const jobs = await store.jobs({ ...around, aws, signal, logger: silentLogger });
  if (job === undefined) return jobs;
  if (jobs.includes(job)) return [job];
  const others = jobs.length === 0 ? "nor of any other" : `it has those of ${quoted(jobs)}`;
  throw new Error(
    `Cannot find checkpoints of job "${job}" in ${storeLabel(store)}: it has none, ${others}; ` +
      "give the name that the job has in defineJob, and the store that it was started with",
  );
}

/** Names, for people. */
export function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(", ");
}

/** Calls with a job's checkpoints, and lets go of the store afterwards. */
export async function withCatalogue<T>(
  { store, aws }: StoreQuestion,
  job: string,
  around: LookingAround,
  look: (catalogue: CheckpointCatalogue) => Promise<T>,
): Promise<T> {
  const { signal } = new AbortController();
  const logger = silentLogger;
  const open = await store.open({ ...around, aws, job, signal, logger, partsOf: partsOfManifest });
  try {
    return await look(new CheckpointCatalogue(open, logger));
  } finally {
    await open.close();
  }
}
