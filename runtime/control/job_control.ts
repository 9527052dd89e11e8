/**
 * A job that commands on this machine reach: what is asked over its socket is carried out by its handle.
 *
 * @module
 */

import type { KeptCheckpoint } from "../supervisor/checkpoint_shelf.ts";
import type { JobState } from "../supervisor/job_state.ts";
import type { JobOutcome } from "../supervisor/supervisor_options.ts";
import type { ControlAnswer, ControlRequest } from "./control_protocol.ts";

/** What commands are carried out by. */
export interface ControlledJob {
  readonly state: JobState["kind"];
  savepoint(): Promise<KeptCheckpoint>;
  stop(drain: boolean): void;
  /** How it ends. */
  readonly ended: Promise<JobOutcome>;
}

/** Listens for commands to a job until it is closed. */
export interface ControlListener {
  /** Takes no further commands, and resolves when those under way have been answered. */
  close(): Promise<void>;
}

/** Another run of the job listens already: two of them must not go on from the same checkpoints. */
export class JobRunsAlreadyError extends Error {
  override readonly name = "JobRunsAlreadyError";
}

/**
 * Carries out a request.
 *
 * @throws {Error} if it can't be done; the message says why
 */
export async function carryOut(
  request: ControlRequest,
  name: string,
  job: ControlledJob,
): Promise<ControlAnswer> {
  switch (request.type) {
    case "status":
      return { type: "status", job: name, state: job.state };
    case "savepoint":
      return { type: "kept", savepoint: await job.savepoint() };
    case "stop":
      return await stopped(job, request.drain, request.savepoint);
  }
}

async function stopped(
  job: ControlledJob,
  drain: boolean,
  isToBeSaved: boolean,
): Promise<ControlAnswer> {
  job.stop(drain);
  // Asked for when no barrier comes through any more, so that it is a copy of the last checkpoint.
  const saving = isToBeSaved
    ? job.savepoint().catch((error) => error instanceof Error ? error : new Error(String(error)))
    : undefined;
  const outcome = await job.ended;
  if (outcome.kind === "failed") throw outcome.error;
  const savepoint = await saving;
  if (savepoint instanceof Error) {
    throw new Error(`it has stopped, but there is no savepoint: ${savepoint.message}`);
  }
  return { type: "stopped", savepoint };
}
