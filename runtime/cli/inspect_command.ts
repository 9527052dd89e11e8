/**
 * Looking into one checkpoint: what it consists of, or what it has of one key.
 *
 * @module
 */

import type { CheckpointCatalogue } from "../checkpoint/catalogue.ts";
import { storeLabel } from "../checkpoint/store.ts";
import { inspectedKey, keyText } from "./inspected_key.ts";
import { inspectedCheckpoint, inspectedText } from "./inspected_checkpoint.ts";
import { jobsIn, type LookingAround, quoted, withCatalogue } from "./looking_store.ts";
import { type PenstockCommand } from "./penstock_arguments.ts";
import { UsageError } from "./arguments.ts";
import type { Console } from "./run_command.ts";

/** What is inspected. */
export type InspectCommand = Extract<PenstockCommand, { kind: "inspect" }>;

/**
 * Prints what a checkpoint has, or what it has of one key. Resolves with the exit code: 1 if no operator has that key.
 *
 * @throws {UsageError} if no job is named and there is not just one
 * @throws {Error} if there is no such checkpoint, or it can't be read
 */
export async function inspectUnderConsole(
  command: InspectCommand,
  terminal: Pick<Console, "print" | "printError">,
  around: LookingAround,
): Promise<number> {
  const { id, json, key } = command;
  const job = await onlyJob(command, around);
  const loaded = await withCatalogue(
    command,
    job,
    around,
    (catalogue) => loadedCheckpoint(catalogue, id),
  );
  if (loaded === undefined) {
    throw new Error(
      `Cannot inspect job "${job}" in ${
        storeLabel(command.store)
      }: its checkpoints have been removed`,
    );
  }
  const { kind, id: number } = loaded.manifest;
  if (key === undefined) {
    const summary = inspectedCheckpoint(loaded);
    terminal.print(json ? jsonText(summary) : inspectedText(summary));
    return 0;
  }
  const found = inspectedKey(loaded, key);
  if (found.length === 0) {
    terminal.printError(
      `Cannot show key "${key}": no operator has it in ${kind} ${number} of job "${job}"`,
    );
    return 1;
  }
  terminal.print(json ? jsonText(found) : found.map(keyText).join("\n\n"));
  return 0;
}

function loadedCheckpoint(catalogue: CheckpointCatalogue, id: number | undefined) {
  return id === undefined ? catalogue.latest() : catalogue.load(id);
}

async function onlyJob(command: InspectCommand, around: LookingAround): Promise<string> {
  const [job, ...more] = await jobsIn(command, around);
  const label = storeLabel(command.store);
  if (job === undefined) throw new Error(`Cannot inspect ${label}: there are no checkpoints in it`);
  if (more.length === 0) return job;
  throw new UsageError(
    `Cannot tell whose checkpoint to inspect in ${label}: there are jobs ${
      quoted([job, ...more])
    }; name one`,
  );
}

/** JSON; maps as arrays of pairs, sets as arrays, and what JSON can't say as texts. */
function jsonText(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (inner instanceof Map || inner instanceof Set) return [...inner];
    if (typeof inner === "bigint") return String(inner);
    if (typeof inner === "number" && !Number.isFinite(inner)) return String(inner);
    return inner;
  }, 2);
}
