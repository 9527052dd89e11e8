/**
 * The command line of `penstock`. Pure: texts in, a command or a clear error out.
 *
 * @module
 */

import { parseArgs } from "node:util";
import type { AwsSettings } from "../../connectors/source.ts";
import type { CheckpointStore } from "../checkpoint/store.ts";
import { parseStartArguments, type StartArguments, storeNamed, UsageError } from "./arguments.ts";

/** What the command line asks for. */
export type PenstockCommand =
  | { readonly kind: "help" }
  | { readonly kind: "run"; readonly args: StartArguments }
  | { readonly kind: "savepoint" } & StoreQuestion
  | { readonly kind: "stop"; readonly drain: boolean; readonly savepoint: boolean } & StoreQuestion
  | { readonly kind: "list"; readonly json: boolean } & StoreQuestion
  | {
    readonly kind: "inspect";
    readonly json: boolean;
    /** The one that a start would use unless said. */
    readonly id: number | undefined;
    /** The key whose state is shown, as a text. */
    readonly key: string | undefined;
  } & StoreQuestion;

/** Which job of which store a command is about. */
export interface StoreQuestion {
  readonly store: CheckpointStore;
  readonly aws: AwsSettings;
  /** The job's name; all, or the only one, unless said. */
  readonly job: string | undefined;
}

/** What `--help` prints. */
export const PENSTOCK_HELP = `Run Penstock jobs and look after their checkpoints.

  deno task penstock run JOB [--checkpoints STORE] [--from N] ...     as deno task start JOB; see run --help
  deno task penstock savepoint --checkpoints STORE [NAME]
  deno task penstock stop --checkpoints STORE [NAME] [--drain] [--savepoint]
  deno task penstock list --checkpoints STORE [NAME] [--json]
  deno task penstock inspect --checkpoints STORE [NAME] [N] [--key KEY] [--json]

  savepoint      asks the running job for a checkpoint that depends on no other and stays until somebody removes it
  stop           asks it to read no further, process and write what was read, take a last checkpoint, and end
    --drain      as if the input were over: timers fire and operators complete
    --savepoint  and keep a savepoint of that moment
  list           jobs, whether they run, and their checkpoints: number, kind, time, size, workers, whether they can be
                 read (all of each is read), and which one a start goes on from
  inspect        what a checkpoint has: operators, their state, keys, bytes and timers, positions, sinks
    --key KEY    what each operator has of that key instead; exit code 1 if none has any

  STORE          a SQLite file (PATH.db, file:PATH) or s3://bucket/prefix, as the job was started with
  NAME           the job's name in defineJob; may be left out where there is one only
  N              the number of a checkpoint or savepoint; without it the one that a start goes on from. Where NAME is left
                 out, a number is N
  --endpoint URL, --region NAME   where S3 is; default: where the SDK finds it

savepoint and stop reach jobs on this machine that this user has started with run or deno task start.
Exit codes: 0 done, 1 failed, 2 wrong arguments, or a job that could not start.
`;

const FLAGS = {
  savepoint: [],
  stop: ["drain", "savepoint"],
  list: ["json"],
  inspect: ["json", "key"],
} as const;

/**
 * Reads the command line.
 *
 * @param args the arguments, without program and script
 * @param env environment variables, for a job's parameters
 * @throws {UsageError} if there is no such command, a flag is not known or its value can't be
 *
 * @example A savepoint of a running job
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parsePenstockArguments } from "./penstock_arguments.ts";
 * const command = parsePenstockArguments(["savepoint", "orders", "--checkpoints", "orders.db"], {});
 * assertEquals(command.kind === "savepoint" && command.job, "orders");
 * ```
 */
export function parsePenstockArguments(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): PenstockCommand {
  const [command, ...rest] = args;
  switch (command) {
    case undefined:
      throw new UsageError(
        "Cannot do nothing: expected run, savepoint, stop, list or inspect; see --help",
      );
    case "help":
    case "--help":
    case "-h":
      return { kind: "help" };
    case "run": {
      const parsed = parseStartArguments(rest, env);
      if (parsed.job === undefined && !parsed.help) {
        throw new UsageError(
          "Cannot run no job: give the path or URL of a module that exports one; see run --help",
        );
      }
      return { kind: "run", args: parsed };
    }
    case "savepoint":
    case "stop":
    case "list":
    case "inspect":
      return storeCommand(command, rest);
    default:
      throw new UsageError(
        `Cannot do "${command}": expected run, savepoint, stop, list or inspect; see --help`,
      );
  }
}

function storeCommand(kind: keyof typeof FLAGS, args: readonly string[]): PenstockCommand {
  const { values, positionals } = parsed(kind, args);
  if (values.help === true) return { kind: "help" };
  if (values.checkpoints === undefined) {
    throw new UsageError(`Cannot ${kind} without --checkpoints STORE: say where they are kept`);
  }
  const { job, id } = namesIn(kind, positionals);
  const question = {
    store: storeNamed("--checkpoints", values.checkpoints),
    aws: { endpoint: values.endpoint, region: values.region },
    job,
  };
  const json = values.json === true;
  switch (kind) {
    case "savepoint":
      return { kind, ...question };
    case "stop":
      return {
        ...{ kind, ...question },
        drain: values.drain === true,
        savepoint: values.savepoint === true,
      };
    case "list":
      return { kind, ...question, json };
    case "inspect":
      return { kind, ...question, json, id, key: values.key };
  }
}

/** What stands beside flags: a job's name, and for `inspect` a number. */
function namesIn(
  kind: keyof typeof FLAGS,
  words: readonly string[],
): { readonly job: string | undefined; readonly id: number | undefined } {
  const isNumber = (text: string | undefined) => text !== undefined && /^[1-9]\d{0,14}$/.test(text);
  const [first, second, ...more] = words;
  const mayHaveId = kind === "inspect";
  if (more.length > 0 || (second !== undefined && !(mayHaveId && isNumber(second)))) {
    const expected = mayHaveId ? "a job's name and a number" : "one job's name";
    throw new UsageError(
      `Cannot ${kind} ${words.join(" ")}: expected at most ${expected}; see --help`,
    );
  }
  if (second !== undefined) return { job: first, id: Number(second) };
  return mayHaveId && isNumber(first)
    ? { job: undefined, id: Number(first) }
    : { job: first, id: undefined };
}

function parsed(kind: keyof typeof FLAGS, args: readonly string[]) {
  let result;
  try {
    result = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: "boolean", short: "h" },
        checkpoints: { type: "string" },
        endpoint: { type: "string" },
        region: { type: "string" },
        drain: { type: "boolean" },
        savepoint: { type: "boolean" },
        json: { type: "boolean" },
        key: { type: "string" },
      },
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`Cannot read the command line: ${reason}; see --help`, { cause: error });
  }
  const known: readonly string[] = ["help", "checkpoints", "endpoint", "region", ...FLAGS[kind]];
  const strange = Object.keys(result.values).find((flag) => !known.includes(flag));
  if (strange === undefined) return result;
  throw new UsageError(`Cannot use --${strange} with ${kind}; see --help`);
}
