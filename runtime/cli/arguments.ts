/**
 * The command line of `deno task start`. Pure: texts in, options or a clear error out.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { checkpointStoreOf } from "../checkpoint/checkpoint_store_of.ts";
import type { CheckpointStore } from "../checkpoint/store.ts";
import { milliseconds } from "../duration.ts";
import { LOG_LEVELS, type LogLevel } from "../logger.ts";
import { PARAM_PREFIX } from "../params.ts";
import { SCALING_POLICIES, type ScalingPolicyName } from "../scaling/scaling_options.ts";
import { WORKERS } from "../scaling/starting_workers.ts";

/** What the command line asks for. */
export interface StartArguments {
  readonly help: boolean;
  /** Path or URL of the job's module; undefined runs the example. */
  readonly job: string | undefined;
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  /** Workers to start with; undefined, with `scaling`: as its bounds allow. */
  readonly workers: number | undefined;
  /** Workers over which each keyed stage is spread; undefined, with `scaling`: all. */
  readonly parallelism: number | undefined;
  /** Workers come and go; without it their number stays. */
  readonly scaling: ScalingArguments | undefined;
  readonly logLevel: LogLevel;
  readonly isolation: "web-worker" | "thread";
  readonly params: Readonly<Record<string, string>>;
  /** For the example: end by itself after so many. */
  readonly bookings: number | undefined;
  /** Where checkpoints are kept, how often they are taken, and what may be dropped of the one that the job begins with. */
  readonly checkpoints: CheckpointArguments | undefined;
  /** Print the plan instead of starting: for people, or as JSON. */
  readonly describe: "text" | "json" | undefined;
}

/** How the command line asks for workers that come and go. */
export interface ScalingArguments {
  readonly policy: ScalingPolicyName;
  readonly minWorkers: number | undefined;
  readonly maxWorkers: number | undefined;
}

/** How the command line asks for checkpoints. */
export interface CheckpointArguments {
  /** As `checkpointStoreOf` takes it. */
  readonly store: string;
  readonly intervalMs: number | undefined;
  readonly allowDroppedState: boolean;
  /** Which one the job begins with: that of a number, the newest that can be read, or none. */
  readonly from: number | "latest" | "none";
}

/** The command can't be run as it was given: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** What `--help` prints. */
export const HELP = `Run a Penstock job.

  deno task start                      the booking example, on an embedded Kinesis
  deno task start path/or/url/job.ts   your job

  --bookings N       the example ends by itself after N bookings; exit 1 if one was lost or doubled
  --workers N        Web Workers to start with (default ${WORKERS}); their number stays, unless one of these is there:
  --min-workers N    never fewer workers (default 1)
  --max-workers N    never more (default: one less than there are cores)
  --scaling POLICY   who says how many: ${SCALING_POLICIES.join(", ")} (default ${
  SCALING_POLICIES[0]
})
  --parallelism N    how many of a fixed number of workers share each keyed stage (default: all)
  --endpoint URL     where Kinesis is, such as an emulator; default: AWS
  --region NAME      AWS region; default: where the SDK finds it
  --param NAME=VALUE a job parameter, also from ${PARAM_PREFIX}NAME; may be repeated
  --isolation KIND   web-worker (default), or thread: survives a worker that runs out of memory
  --checkpoints DB   keep checkpoints in a SQLite file (PATH.db) or in S3 (s3://bucket/prefix), and begin with the last one
  --interval TIME    from one checkpoint to the next, such as 500ms, 10s or 1m (default 10s)
  --from N           begin with the checkpoint or savepoint of that number; latest (default), or none: begin anew
  --allow-dropped-state   begin although the job no longer has an operator, a state or a source of the checkpoint
  --describe         print what would run and how records are decoded, and end; with --json as JSON
  --log-level LEVEL  ${LOG_LEVELS.join(", ")} (default info; the example: warn)
  --help             this

Ctrl-C drains what was read, flushes the sinks, takes a last checkpoint and ends. Exit codes: 0 ended, 1 failed, 2 could not start.
`;

/**
 * Reads the command line.
 *
 * @param args the arguments, without program and script
 * @param env environment variables, for parameters
 * @throws {UsageError} if a flag is not known or its value can't be
 *
 * @example A job on four workers
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseStartArguments } from "./arguments.ts";
 * const { job, workers } = parseStartArguments(["job.ts", "--workers", "4"], {});
 * assertEquals([job, workers], ["job.ts", 4]);
 * ```
 */
export function parseStartArguments(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): StartArguments {
  const { values, positionals } = parsed(args);
  if (positionals.length > 1) {
    throw new UsageError(`Cannot start ${positionals.join(" and ")} at once: give one job`);
  }
  const [job] = positionals;
  const bookings = count("--bookings", values.bookings);
  if (bookings !== undefined && job !== undefined) {
    throw new UsageError(
      "Cannot use --bookings with a job: it is for the example, which runs without one",
    );
  }
  if (values.endpoint !== undefined && !URL.canParse(values.endpoint)) {
    throw new UsageError(
      `Cannot use --endpoint ${values.endpoint}: expected a URL such as http://127.0.0.1:4567`,
    );
  }
  if (values.json === true && values.describe !== true) {
    throw new UsageError("Cannot use --json without --describe: a job that runs prints lines");
  }
  return {
    help: values.help === true,
    job,
    endpoint: values.endpoint,
    region: values.region,
    ...workerArguments(values),
    logLevel: oneOf(
      "--log-level",
      values["log-level"] ?? (job === undefined ? "warn" : "info"),
      LOG_LEVELS,
    ),
    isolation: oneOf(
      "--isolation",
      values.isolation ?? "web-worker",
      ["web-worker", "thread"] as const,
    ),
    params: { ...paramsOfEnv(env), ...paramsOfFlags(values.param ?? []) },
    bookings,
    checkpoints: checkpointArguments(values),
    describe: values.describe !== true ? undefined : values.json === true ? "json" : "text",
  };
}

function workerArguments(
  values: ReturnType<typeof parsed>["values"],
): Pick<StartArguments, "workers" | "parallelism" | "scaling"> {
  const given = count("--workers", values.workers);
  const spread = count("--parallelism", values.parallelism);
  const minWorkers = count("--min-workers", values["min-workers"]);
  const maxWorkers = count("--max-workers", values["max-workers"]);
  if (minWorkers === undefined && maxWorkers === undefined && values.scaling === undefined) {
    const workers = given ?? WORKERS;
    const parallelism = spread ?? workers;
    if (parallelism <= workers) return { workers, parallelism, scaling: undefined };
    throw new UsageError(
      `Cannot spread over --parallelism ${parallelism} with ${workers} workers: give at least as many --workers`,
    );
  }
  const policy = oneOf("--scaling", values.scaling ?? SCALING_POLICIES[0], SCALING_POLICIES);
  const [least, most] = [minWorkers ?? 1, maxWorkers ?? Infinity];
  if (least > most) {
    throw new UsageError(
      `Cannot use --min-workers ${least} with --max-workers ${most}: expected at most ${most}`,
    );
  }
  if (given !== undefined && (given < least || given > most)) {
    const range = most === Infinity ? `${least} or more` : `${least} to ${most}`;
    throw new UsageError(
      `Cannot use --workers ${given}, the number to start with: expected ${range}, as --min-workers and ` +
        "--max-workers say",
    );
  }
  if (spread !== undefined) {
    throw new UsageError(
      `Cannot use --parallelism ${spread} while workers come and go: all of them share each keyed stage; leave ` +
        "it out, or --min-workers, --max-workers and --scaling",
    );
  }
  return {
    workers: given,
    parallelism: undefined,
    scaling: { policy, minWorkers, maxWorkers },
  };
}

function checkpointArguments(
  values: ReturnType<typeof parsed>["values"],
): CheckpointArguments | undefined {
  const { checkpoints, interval, from = "latest" } = values;
  if (checkpoints === undefined) {
    const flag = (["interval", "from", "allow-dropped-state"] as const)
      .find((name) => values[name] !== undefined);
    if (flag === undefined) return undefined;
    throw new UsageError(`Cannot use --${flag} without --checkpoints: say where they are kept`);
  }
  storeNamed("--checkpoints", checkpoints);
  if (interval !== undefined && !isDuration(interval)) {
    throw new UsageError(
      `Cannot use --interval ${interval}: expected a time above 0 such as 500ms, 10s or 1m`,
    );
  }
  return {
    store: checkpoints,
    intervalMs: interval === undefined ? undefined : milliseconds(interval),
    allowDroppedState: values["allow-dropped-state"] === true,
    from: from === "latest" || from === "none" ? from : checkpointNumber(from),
  };
}

function checkpointNumber(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new UsageError(
    `Cannot use --from ${text}: expected a checkpoint's number, latest or none; penstock list shows which there are`,
  );
}

/**
 * The store that a flag names.
 *
 * @throws {UsageError} if it names none
 */
export function storeNamed(flag: string, text: string): CheckpointStore {
  try {
    return checkpointStoreOf(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`Cannot use ${flag} ${text}: ${reason}`, { cause: error });
  }
}

function isDuration(text: string): text is `${number}s` {
  return /^[1-9]\d{0,8}(ms|s|m|h|d)$/.test(text);
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: "boolean", short: "h" },
        endpoint: { type: "string" },
        region: { type: "string" },
        workers: { type: "string" },
        parallelism: { type: "string" },
        "min-workers": { type: "string" },
        "max-workers": { type: "string" },
        scaling: { type: "string" },
        "log-level": { type: "string" },
        isolation: { type: "string" },
        param: { type: "string", multiple: true },
        bookings: { type: "string" },
        checkpoints: { type: "string" },
        interval: { type: "string" },
        from: { type: "string" },
        "allow-dropped-state": { type: "boolean" },
        describe: { type: "boolean" },
        json: { type: "boolean" },
      },
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`Cannot read the command line: ${reason}; see --help`, { cause: error });
  }
}

function count(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(text)) {
    throw new UsageError(`Cannot use ${flag} ${text}: expected a whole number from 1`);
  }
  return Number(text);
}

function oneOf<const T extends string>(flag: string, text: string, choices: readonly T[]): T {
  for (const choice of choices) if (choice === text) return choice;
  throw new UsageError(`Cannot use ${flag} ${text}: expected one of ${choices.join(", ")}`);
}

function paramsOfFlags(flags: readonly string[]): Record<string, string> {
  return Object.fromEntries(flags.map((flag) => {
    const at = flag.indexOf("=");
    if (at < 1) throw new UsageError(`Cannot use --param ${flag}: expected NAME=VALUE`);
    return [flag.slice(0, at), flag.slice(at + 1)];
  }));
}

function paramsOfEnv(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      name.startsWith(PARAM_PREFIX) ? [[name.slice(PARAM_PREFIX.length), value]] : []
    ),
  );
}
