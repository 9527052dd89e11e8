/**
 * What a job of the benchmark is told, in the query of its module's URL: a worker imports the job by it and knows nothing
 * else. Written and read here, so that both ends agree.
 *
 * @module
 */

import type { Workload } from "./workload.ts";

/** In which library's words a job says what its records are like. */
export const SCHEMA_KINDS = ["fields", "zod", "zod-strict"] as const;
/** One of them. */
export type SchemaKind = (typeof SCHEMA_KINDS)[number];

/** Where a job's records are before the engine asks for them; what reading a file takes counts as the engine's. */
export const REPLAY_INPUTS = ["memory", "file"] as const;
/** One of them. */
export type ReplayInput = (typeof REPLAY_INPUTS)[number];

/** The options of a job. */
export interface BenchJobOptions {
  /** The folder with the generated files. */
  readonly dataDir: string;
  /** How often the file is replayed, one pass after the other. */
  readonly passes: number;
  readonly schema: SchemaKind;
  readonly input: ReplayInput;
}

/**
 * The URL of a workload's job with its options.
 *
 * @example There and back
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { benchJobOptions, benchJobUrl } from "./bench_job.ts";
 * const options = { dataDir: "/data/1 M", passes: 3, schema: "zod", input: "memory" } as const;
 * assertEquals(benchJobOptions(benchJobUrl("count", options)), options);
 * ```
 */
export function benchJobUrl(workload: Workload, options: BenchJobOptions): string {
  const url = new URL(`./jobs/${workload}.ts`, import.meta.url);
  for (const [name, value] of Object.entries(options)) url.searchParams.set(name, `${value}`);
  return url.href;
}

/**
 * The options in a job's URL. Whoever starts a job by hand may leave out `schema` (fields) and `input` (memory).
 *
 * @throws {TypeError} if the folder is not said
 * @throws {RangeError} if an option is none of those possible
 */
export function benchJobOptions(url: string): BenchJobOptions {
  const { searchParams, pathname } = new URL(url);
  const dataDir = searchParams.get("dataDir");
  if (dataDir === null) throw new TypeError(`Cannot open ${pathname}: add ?dataDir=DIR&passes=N`);
  const passes = Number(searchParams.get("passes"));
  if (!Number.isSafeInteger(passes) || passes < 1) {
    throw new RangeError(
      `Cannot open ${pathname} with passes=${searchParams.get("passes")}: expected 1 or more`,
    );
  }
  return {
    dataDir,
    passes,
    schema: oneOf(searchParams, "schema", SCHEMA_KINDS, "fields"),
    input: oneOf(searchParams, "input", REPLAY_INPUTS, "memory"),
  };
}

function oneOf<T extends string>(
  params: URLSearchParams,
  name: string,
  known: readonly T[],
  otherwise: T,
): T {
  const text = params.get(name) ?? otherwise;
  const found = known.find((value) => value === text);
  if (found === undefined) {
    throw new RangeError(
      `Cannot open a job with ${name}=${text}: expected one of ${known.join(", ")}`,
    );
  }
  return found;
}
