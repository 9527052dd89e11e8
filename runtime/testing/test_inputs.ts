/**
 * What stands in for a job's sources in a test.
 *
 * @module
 */

import type { Source } from "../../connectors/source.ts";
import type { SourceMap } from "../job.ts";

/** What sources deliver in a test: their values, as one shard, or a source that stands in, such as a simulated stream. */
export type TestInputs<S extends SourceMap> = {
  readonly [N in keyof S]?: S[N] extends Source<infer T> ? readonly T[] | Source<T> : never;
};

/**
 * The sources of a job with inputs in their place. A source without input delivers nothing, unless it is bounded: then it
 * is read.
 *
 * @param ofValues makes a source of values
 * @throws {RangeError} if an input is for no source of the job, or never ends
 */
export function standIns(
  job: string,
  sources: SourceMap,
  inputs: Readonly<Record<string, unknown>>,
  ofValues: (values: readonly unknown[]) => Source<unknown>,
): SourceMap {
  for (const name of Object.keys(inputs)) {
    if (!(name in sources)) {
      throw new RangeError(`Cannot run job "${job}" with input "${name}": it has no such source`);
    }
  }
  const standIn = (name: string, source: Source<unknown>): Source<unknown> => {
    const input = inputs[name];
    if (Array.isArray(input)) return ofValues(input);
    if (input === undefined) return source.bounded ? source : ofValues([]);
    const given = input as Source<unknown>;
    if (given.bounded) return given;
    // Virtual time would go on for ever, from one look for new shards to the next.
    throw new RangeError(
      `Cannot run job "${job}" with input "${name}": it never ends; give a bounded source`,
    );
  };
  return Object.fromEntries(
    Object.entries(sources).map(([name, source]) => [name, standIn(name, source)]),
  );
}
