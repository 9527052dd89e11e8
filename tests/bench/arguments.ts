/**
 * The options of the benchmark and of a single run, from their command lines.
 *
 * @module
 */

import { type EngineName, ENGINES } from "./engine.ts";
import { type Workload, WORKLOADS } from "./workload.ts";

const RECORDS_DEFAULT = 1_000_000;
/** The arena of a file, some 220 bytes a record, must fit one buffer and 32-bit offsets. */
const RECORDS_MAX = 10_000_000;
const RECORDS_MIN = 1000;
const RUNS_MAX = 100;
const PASSES_MAX = 1000;
const WORKERS_MAX = 64;
const SEED_MAX = 2 ** 31;

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
  readonly flink: boolean;
  /** Where to write all results as JSON. */
  readonly json: string | undefined;
}

/** What a process that runs one engine once is to do. */
export interface RunOptions {
  readonly engine: EngineName;
  readonly workload: Workload;
  readonly workers: number;
  readonly dataDir: string;
  readonly passes: number;
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
    ["workloads", "engines", "workers", "runs", "passes", "records", "seed", "json"],
    ["flink"],
  );
  const list = (name: string) => options.get(name)?.split(",");
  const number = (name: string, value: number | undefined, least: number, most: number) => {
    const text = options.get(name);
    return text === undefined ? value : integer(name, text, least, most);
  };
  return {
    workloads: list("workloads")?.map((name) => oneOf("workloads", name, WORKLOADS)) ?? WORKLOADS,
    engines: list("engines")?.map((name) => oneOf("engines", name, ENGINES)) ?? ENGINES,
    workers: list("workers")?.map((text) => integer("workers", text, 1, WORKERS_MAX)) ?? [1, 2],
    runs: number("runs", undefined, 1, RUNS_MAX) ?? 3,
    passes: number("passes", undefined, 1, PASSES_MAX),
    records: number("records", undefined, RECORDS_MIN, RECORDS_MAX) ?? RECORDS_DEFAULT,
    seed: number("seed", undefined, 0, SEED_MAX) ?? 1,
    flink: options.has("flink"),
    json: options.get("json"),
  };
}

/**
 * Reads the options of a single run; all are required.
 *
 * @throws {SyntaxError} if an option is unknown, missing, given twice or without its value
 * @throws {RangeError} if a value is not one of those possible
 */
export function runOptions(args: readonly string[]): RunOptions {
  const options = namedOptions(args, ["engine", "workload", "workers", "data", "passes"], []);
  const required = (name: string) => {
    const text = options.get(name);
    if (text === undefined) throw new SyntaxError(`Cannot run: option --${name} is missing`);
    return text;
  };
  return {
    engine: oneOf("engine", required("engine"), ENGINES),
    workload: oneOf("workload", required("workload"), WORKLOADS),
    workers: integer("workers", required("workers"), 1, WORKERS_MAX),
    dataDir: required("data"),
    passes: integer("passes", required("passes"), 1, PASSES_MAX),
  };
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
