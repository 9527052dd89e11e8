/**
 * Listing the jobs of a store and their checkpoints.
 *
 * @module
 */

import type { CheckpointCatalogue } from "../checkpoint/catalogue.ts";
import { CheckpointDamagedError } from "../checkpoint/frame.ts";
import { CheckpointMissingError, storeLabel } from "../checkpoint/store.ts";
import { jobsIn, type LookingAround, withCatalogue } from "./looking_store.ts";
import type { StoreQuestion } from "./penstock_arguments.ts";
import type { Console } from "./run_command.ts";
import { textColumns } from "./text_columns.ts";

/** A job in a list. */
export interface ListedJob {
  readonly job: string;
  /** What the job says of itself, such as `running`, if it runs on this machine and answers. */
  readonly state: string | undefined;
  /** Newest first. */
  readonly checkpoints: readonly ListedLine[];
}

/** A checkpoint in a list. What its manifest says is undefined where that can't be read. */
export interface ListedLine {
  readonly id: number;
  readonly kind: "checkpoint" | "savepoint" | undefined;
  /** When it was made, ms since the epoch. */
  readonly at: number | undefined;
  /** Bytes of all its parts, those that it shares with others included. */
  readonly bytes: number | undefined;
  /** On how many workers the job ran. */
  readonly workers: number | undefined;
  /** Why it can't be read; undefined if it can. */
  readonly damage: string | undefined;
  /** Whether a start without `--from` goes on from it. */
  readonly isNext: boolean;
}

/** The state of a job that runs on this machine, as it says itself; undefined if none answers. */
export type StateOf = (job: string) => Promise<string | undefined>;

/**
 * Prints the jobs of a store and their checkpoints, newest first; all parts are read and verified. Resolves with the exit
 * code.
 *
 * @throws {CheckpointStoreError} if the store can't be read
 */
export async function listUnderConsole(
  question: StoreQuestion & { readonly json: boolean },
  terminal: Pick<Console, "print">,
  around: LookingAround,
  stateOf: StateOf,
): Promise<number> {
  const listed: ListedJob[] = [];
  for (const job of await jobsIn(question, around)) {
    const checkpoints = await withCatalogue(question, job, around, listedLines);
    listed.push({ job, state: await stateOf(job), checkpoints });
  }
  if (question.json) terminal.print(JSON.stringify(listed, undefined, 2));
  else if (listed.length > 0) terminal.print(listed.map(listText).join("\n\n"));
  else terminal.print(`There are no checkpoints in ${storeLabel(question.store)}`);
  return 0;
}

/** All of them, read as a start would read them. */
async function listedLines(catalogue: CheckpointCatalogue): Promise<ListedLine[]> {
  const lines: ListedLine[] = [];
  // A start goes on from the newest that can be read, and never back behind one of a newer Penstock.
  let isNextOpen = true;
  for (const found of await catalogue.list()) {
    const { id } = found;
    let damage = "damage" in found ? found.damage : undefined;
    try {
      if (damage === undefined) await catalogue.load(id);
    } catch (error) {
      // One that is removed meanwhile is none any more.
      if (error instanceof CheckpointMissingError) continue;
      if (!(error instanceof CheckpointDamagedError)) throw error;
      damage = error;
    }
    const manifest = "manifest" in found ? found.manifest : undefined;
    const isNext = isNextOpen && damage === undefined;
    if (damage === undefined || damage.isNewer) isNextOpen = false;
    lines.push({
      id,
      kind: manifest?.kind,
      at: manifest?.at,
      bytes: manifest?.parts.reduce((sum, part) => sum + part.bytes, 0),
      workers: manifest?.workers,
      damage: damage?.reason,
      isNext,
    });
  }
  return lines;
}

/**
 * A job's checkpoints as lines for a terminal. Pure.
 *
 * @example One checkpoint
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { listText } from "./list_command.ts";
 * const line = { id: 7, kind: "savepoint" as const, at: 0, bytes: 1200, workers: 2, damage: undefined, isNext: true };
 * assertEquals(
 *   listText({ job: "orders", state: "running", checkpoints: [line] }),
 *   "orders (running)\n  7  savepoint  1970-01-01T00:00:00Z  1,200 bytes  2 workers  readable; a start goes on from it",
 * );
 * ```
 */
export function listText({ job, state, checkpoints }: ListedJob): string {
  const rows = checkpoints.map(({ id, kind, at, bytes, workers, damage, isNext }) => [
    String(id),
    kind ?? "unknown",
    at === undefined ? "" : timeText(at),
    bytes === undefined ? "" : `${bytes.toLocaleString("en-US")} bytes`,
    workers === undefined ? "" : `${workers} worker${workers === 1 ? "" : "s"}`,
    damage === undefined
      ? isNext ? "readable; a start goes on from it" : "readable"
      : `damaged: ${damage}`,
  ]);
  const heading = state === undefined ? job : `${job} (${state})`;
  return [heading, ...textColumns(rows).map((line) => `  ${line}`)].join("\n");
}

/** A time for people, in UTC to the second. */
export function timeText(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}
