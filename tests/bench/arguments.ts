/**
 * The options of the benchmark, of a single run and of the memory run, from their command lines.
 *
 * @module
 */

import { REPLAY_INPUTS, type ReplayInput, SCHEMA_KINDS, type SchemaKind } from "./bench_job.ts";
import {
  type EngineName,
  ENGINES_DEFAULT,
  FLINK_ENGINES,
  SCRIPT_ENGINES,
  type ScriptEngineName,
} from "./engine.ts";
import { type Workload, WORKLOADS } from "./workload.ts";

const RECORDS_DEFAULT = 1_000_000;
/** The arena of a file, some 220 bytes a record, must fit one buffer and 32-bit offsets. */
const RECORDS_MAX = 10_000_000;
const RECORDS_MIN = 1000;
const RUNS_DEFAULT = 3;
const RUNS_MAX = 100;
const PASSES_MAX = 1000;
const WORKERS_MAX = 64;
const SEED_MAX = 2 ** 31;
const MEMORY_RECORDS_DEFAULT = 100_000_000;
const MEMORY_RECORDS_MAX = 10_000_000_000;

/** What the benchmark is to do. */
export interface BenchOptions {
  readonly workloads: readonly Workload[];
  readonly engines: readonly EngineName[];
  readonly workers: readonly number[];
  readonly runs: number;
  /** Passes of every workload; undefined leaves each its own. */
  readonly passes: number | undefined;
  readonly records: number;
  readonly seed: number;
  readonly input: ReplayInput;
  /** Where to write all results as JSON. */
  readonly json: string | undefined;
}

/** What a process that runs one engine once is to do. */
export interface RunOptions {
  readonly engine: ScriptEngineName;
  readonly workload: Workload;
  readonly workers: number;
  readonly dataDir: string;
  readonly passes: number;
  readonly input: ReplayInput;
}

/** What a long run that shows memory is to do. */
export interface MemoryOptions {
  readonly workload: Workload;
  readonly workers: number;
  /** Records that go in; the file is replayed until there were so many. */
  readonly records: number;
  /** Records in the file. */
  readonly fileRecords: number;
  readonly seed: number;
  readonly schema: SchemaKind;
  readonly input: ReplayInput;
}

/**
 * Reads the benchmark's options.
 *
 * @throws {SyntaxError} if an option is unknown, given twice or without its value
 * @throws {RangeError} if a value is not one of those possible
 */
export function benchOptions(args: readonly string[]): BenchOptions {
  const options = namedOptions(
    args,
    ["workloads", "engines", "workers", "runs", "passes", "records", "seed", "input", "json"],
    ["flink"],
  );
  const list = (name: string) => options.get(name)?.split(",");
  const known = [...SCRIPT_ENGINES, ...FLINK_ENGINES];
  const engines = list("engines")?.map((name) => oneOf("engines", name, known)) ?? ENGINES_DEFAULT;
  const flink = options.has("flink") ? FLINK_ENGINES : [];
  return {
    workloads: list("workloads")?.map((name) => oneOf("workloads", name, WORKLOADS)) ?? WORKLOADS,
    engines: [...new Set([...engines, ...flink])],
    workers: list("workers")?.map((text) => integer("workers", text, 1, WORKERS_MAX)) ?? [1, 2],
    runs: optional(options, "runs", 1, RUNS_MAX) ?? RUNS_DEFAULT,
    passes: optional(options, "passes", 1, PASSES_MAX),
    records: optional(options, "records", RECORDS_MIN, RECORDS_MAX) ?? RECORDS_DEFAULT,
    seed: optional(options, "seed", 0, SEED_MAX) ?? 1,
    input: oneOf("input", options.get("input") ?? "memory", REPLAY_INPUTS),
    json: options.get("json"),
  };
}

/**
 * Reads the options of a single run; all but `--input` are required.
 *
 * @throws {SyntaxError} if an option is unknown, missing, given twice or without its value
 * @throws {RangeError} if a value is not one of those possible
 */
export function runOptions(args: readonly string[]): RunOptions {
  const names = ["engine", "workload", "workers", "data", "passes", "input"];
  const options = namedOptions(args, names, []);
  const required = (name: string) => {
    const text = options.get(name);
    if (text === undefined) throw new SyntaxError(`Cannot run: option --${name} is missing`);
    return text;
  };
  return {
    engine: oneOf("engine", required("engine"), SCRIPT_ENGINES),
    workload: oneOf("workload", required("workload"), WORKLOADS),
    workers: integer("workers", required("workers"), 1, WORKERS_MAX),
    dataDir: required("data"),
    passes: integer("passes", required("passes"), 1, PASSES_MAX),
    input: oneOf("input", options.get("input") ?? "memory", REPLAY_INPUTS),
  };
}

/**
 * Reads the options of the memory run.
 *
 * @throws {SyntaxError} if an option is unknown, given twice or without its value
 * @throws {RangeError} if a value is not one of those possible
 */
export function memoryOptions(args: readonly string[]): MemoryOptions {
  const names = ["workload", "workers", "records", "file-records", "seed", "schema", "input"];
  const options = namedOptions(args, names, []);
  const records = optional(options, "records", RECORDS_MIN, MEMORY_RECORDS_MAX) ??
    MEMORY_RECORDS_DEFAULT;
  return {
    workload: oneOf("workload", options.get("workload") ?? "passthrough", WORKLOADS),
    workers: optional(options, "workers", 1, WORKERS_MAX) ?? 2,
    records,
    fileRecords: optional(options, "file-records", RECORDS_MIN, RECORDS_MAX) ?? RECORDS_DEFAULT,
    seed: optional(options, "seed", 0, SEED_MAX) ?? 1,
    schema: oneOf("schema", options.get("schema") ?? "fields", SCHEMA_KINDS),
    input: oneOf("input", options.get("input") ?? "memory", REPLAY_INPUTS),
  };
}

/** The value of a numeric option, or undefined if it is not given. */
function optional(
  options: ReadonlyMap<string, string>,
  name: string,
  least: number,
  most: number,
): number | undefined {
  const text = options.get(name);
  return text === undefined ? undefined : integer(name, text, least, most);
}

function namedOptions(
  args: readonly string[],
  valued: readonly string[],
  flags: readonly string[],
): Map<string, string> {
  const options = new Map<string, string>();
  for (let at = 0; at < args.length; at++) {
    const [, name = "", inline] = /^--([^=]*)(?:=(.*))?$/s.exec(args[at] ?? "") ?? [];
    const flag = flags.includes(name);
    if (!flag && !valued.includes(name)) {
      const known = [...valued, ...flags].map((name) => `--${name}`).join(", ");
      throw new SyntaxError(`Cannot read argument ${args[at]}: expected one of ${known}`);
    }
    if (options.has(name)) throw new SyntaxError(`Cannot read option --${name}: it is given twice`);
    const value = inline ?? (flag ? "" : args[++at]);
    if (value === undefined || (flag && inline !== undefined)) {
      throw new SyntaxError(`Cannot read option --${name}: it takes ${flag ? "no" : "a"} value`);
    }
    options.set(name, value);
  }
  return options;
}

function oneOf<T extends string>(name: string, text: string, known: readonly T[]): T {
  const found = known.find((value) => value === text);
  if (found === undefined) {
    throw new RangeError(
      `Cannot take ${JSON.stringify(text)} for --${name}: expected ${known.join(", ")}`,
    );
  }
  return found;
}

function integer(name: string, text: string, least: number, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(value >= least && value <= most)) {
    throw new RangeError(
      `Cannot take ${JSON.stringify(text)} for --${name}: expected ${least} to ${most}`,
    );
  }
  return value;
}
