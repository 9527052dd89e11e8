/**
 * Commands to a running job, and what is printed of their outcome.
 *
 * @module
 */

import { storeLabel } from "../checkpoint/store.ts";
import type { ControlAnswer, ControlRequest } from "../control/control_protocol.ts";
import type { KeptCheckpoint } from "../supervisor/checkpoint_shelf.ts";
import type { StateOf } from "./list_command.ts";
import { jobsIn, type LookingAround, quoted } from "./looking_store.ts";
import type { PenstockCommand } from "./penstock_arguments.ts";
import type { Console } from "./run_command.ts";

/** A command to a running job. */
export type ControlCommand = Extract<PenstockCommand, { kind: "savepoint" | "stop" }>;

/** How running jobs are reached. */
export interface JobReach {
  /** Asks a job of the command's store. */
  readonly ask: (job: string, request: ControlRequest) => Promise<ControlAnswer>;
  readonly stateOf: StateOf;
}

/**
 * Has a running job take a savepoint, or stop. Resolves with the exit code when that is done.
 *
 * @throws {Error} if the job can't be reached, or can't do it
 */
export async function controlUnderConsole(
  command: ControlCommand,
  terminal: Pick<Console, "print">,
  around: LookingAround,
  { ask, stateOf }: JobReach,
): Promise<number> {
  const job = command.job ?? await onlyRunning(command, around, stateOf);
  const request: ControlRequest = command.kind === "savepoint"
    ? { type: "savepoint" }
    : { type: "stop", drain: command.drain, savepoint: command.savepoint };
  const answer = await ask(job, request);
  switch (answer.type) {
    case "kept":
      terminal.print(savepointText(job, answer.savepoint));
      return 0;
    case "stopped":
      terminal.print(`Job "${job}" has stopped`);
      if (answer.savepoint !== undefined) terminal.print(savepointText(job, answer.savepoint));
      return 0;
    case "failed": {
      const what = command.kind === "savepoint" ? "take a savepoint of" : "stop";
      throw new Error(`Cannot ${what} job "${job}": ${answer.reason}`);
    }
    case "status":
      throw new Error(`Cannot ${command.kind} job "${job}": it has told its status instead`);
  }
}

/** The job that runs, of those that have checkpoints. */
async function onlyRunning(
  command: ControlCommand,
  around: LookingAround,
  stateOf: StateOf,
): Promise<string> {
  const jobs = await jobsIn(command, around);
  const states = await Promise.all(jobs.map(stateOf));
  const running = jobs.filter((_, index) => states[index] !== undefined);
  const [only, ...more] = running;
  if (only !== undefined && more.length === 0) return only;
  const found = running.length > 0
    ? `${quoted(running)} run; name one`
    : jobs.length === 0
    ? "no job has checkpoints there yet; name it"
    : `of ${quoted(jobs)} none runs on this machine, as this user; go to where it runs`;
  throw new Error(
    `Cannot tell which job to ${command.kind === "stop" ? "stop" : "take a savepoint of"} on ${
      storeLabel(command.store)
    }: ${found}`,
  );
}

function savepointText(job: string, { id, store, writtenBytes }: KeptCheckpoint): string {
  return `Savepoint ${id} of job "${job}" in ${store}, ${
    writtenBytes.toLocaleString("en-US")
  } bytes; start from it with --from ${id}`;
}
