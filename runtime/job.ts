/**
 * Jobs: a value that says what is read, what is written and how the one becomes the other. A job's module is imported
 * by every worker, so that it must come out the same each time.
 *
 * @module
 */

import type { Sink } from "../connectors/sink.ts";
import type { Source } from "../connectors/source.ts";
import type { StandardSchema } from "../operators/standard_schema.ts";
import type { DeadLetter, ErrorPolicy } from "./dead_letter.ts";
import type { Logger } from "./logger.ts";
import type { Stream } from "./stream.ts";

/** Sources by name. */
export type SourceMap = Readonly<Record<string, Source<unknown>>>;
/** Sinks by name. */
export type SinkMap = Readonly<Record<string, Sink<never>>>;
/** The streams of a job's sources. */
export type Streams<S extends SourceMap> = {
  readonly [N in keyof S]: S[N] extends Source<infer T> ? Stream<T> : never;
};

/** What `build` is given besides streams and sinks. */
export interface BuildContext<P> {
  /** The job's parameters, validated by `params`. */
  readonly params: P;
  readonly logger: Logger;
}

/** A job. */
export interface Job<S extends SourceMap = SourceMap, O extends SinkMap = SinkMap, P = unknown> {
  readonly name: string;
  /** Schema of the job's parameters, which come from flags and the environment. */
  readonly params?: StandardSchema<P>;
  readonly sources: S;
  readonly sinks: O;
  /** Where dead letters go; without it they are only logged and counted. */
  readonly deadLetters?: Sink<DeadLetter>;
  /**
   * After a record failed: `"resume"` (default) makes a dead letter of it and goes on, `"restart"` starts the job
   * again from where its sources start, `"stop"` ends it.
   */
  readonly onError?: ErrorPolicy;
  /** Key groups of each keyed stage: the most workers that can share one. 1 to 32768, default 128. */
  readonly maxParallelism?: number;
  build(streams: Streams<S>, sinks: O, context: BuildContext<P>): void;
}

/**
 * Defines a job; the module's default export. Types of streams and sinks follow from `sources` and `sinks`.
 *
 * @throws {TypeError} if name, sources, sinks or build are not what they must be
 * @throws {RangeError} if `maxParallelism` is out of range
 *
 * @example Doubling numbers
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { map } from "npm:rxjs@7.8.2";
 * import { defineJob, memory, runJob } from "../mod.ts";
 *
 * const job = defineJob({
 *   name: "double",
 *   sources: { numbers: memory.source([1, 2, 3]) },
 *   sinks: { doubled: memory.sink<number>() },
 *   build({ numbers }, { doubled }) {
 *     numbers.pipe(map((n) => n * 2)).to(doubled);
 *   },
 * });
 * const run = await runJob(job);
 * assertEquals(run.output("doubled"), [2, 4, 6]);
 * ```
 */
export function defineJob<const S extends SourceMap, const O extends SinkMap, P = unknown>(
  job: Job<S, O, P>,
): Job<S, O, P> {
  const { name, maxParallelism } = job;
  if (typeof name !== "string" || name === "") {
    throw new TypeError(
      `Cannot define a job as its name is ${JSON.stringify(name)}: give it a text`,
    );
  }
  if (
    maxParallelism !== undefined &&
    !(Number.isInteger(maxParallelism) && maxParallelism >= 1 && maxParallelism <= 32768)
  ) {
    throw new RangeError(
      `Cannot define job "${name}" as maxParallelism is ${maxParallelism}: give it a whole number from 1 to 32768`,
    );
  }
  if (!isJob(job)) {
    throw new TypeError(`Cannot define job "${name}": it needs sources, sinks and a build method`);
  }
  return job;
}

/** Whether a value, such as a module's default export, is a job. */
export function isJob(value: unknown): value is Job {
  return typeof value === "object" && value !== null && "name" in value &&
    typeof value.name === "string" &&
    "sources" in value && typeof value.sources === "object" && value.sources !== null &&
    "sinks" in value && typeof value.sinks === "object" && value.sinks !== null &&
    "build" in value && typeof value.build === "function";
}
