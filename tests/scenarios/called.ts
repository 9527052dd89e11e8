/**
 * Numbers through a job that calls out, and what came of it in virtual time.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { memory } from "../../connectors/memory/memory.ts";
import type { Sink } from "../../connectors/sink.ts";
import type { DeadLetter } from "../../runtime/dead_letter.ts";
import { defineJob } from "../../runtime/job.ts";
import type { AsyncContext, Stream } from "../../runtime/stream.ts";
import { hostedRun } from "./hosted_run.ts";

/** 0, 1, 2 and so on. */
export function numbersBelow(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}

/** A sink that keeps what it is given and when, in virtual time. */
function stampingSink(rows: [unknown, number][]): Sink<unknown> {
  return {
    kind: "stamping",
    name: "stamping",
    guarantee: "at least once",
    open: ({ clock }) =>
      Promise.resolve({
        write(batch) {
          for (const value of batch.values.slice(0, batch.length)) rows.push([value, clock.now()]);
          return undefined;
        },
        flush: () => Promise.resolve(),
        close: () => Promise.resolve(),
        pending: () => 0,
      }),
  };
}

/** What came of it. */
export interface Called {
  /** What was written, and when, ms. */
  readonly rows: readonly (readonly [unknown, number])[];
  readonly values: readonly unknown[];
  readonly deadLetters: readonly DeadLetter[];
  readonly endedAt: number;
}

/** Runs numbers through a part of a job. Gives what came out, and when. */
export async function called(
  numbers: readonly number[],
  build: (numbers: Stream<number>) => Stream<unknown>,
  options: { workers?: number; seed?: number } = {},
): Promise<Called> {
  const rows: [unknown, number][] = [];
  const job = defineJob({
    name: "calling",
    sources: { numbers: memory.source(numbers) },
    sinks: { out: stampingSink(rows) },
    build: ({ numbers }, { out }) => build(numbers).to(out),
  });
  const { outcome, deadLetters, endedAt } = await hostedRun(job, options);
  assertEquals(outcome.kind, "finished");
  return { rows, values: rows.map(([value]) => value), deadLetters, endedAt };
}

/** A call that takes so many milliseconds. */
export function taking(
  ms: (n: number) => number,
): (n: number, context: AsyncContext) => Promise<number> {
  return async (n, { delay }) => {
    await delay(ms(n));
    return n;
  };
}
