/**
 * Chains of operators between two cuts, tested through `runJob`: one stage with branches, merges and ends.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { kinesis } from "../../../connectors/kinesis/kinesis.ts";
import { memory } from "../../../connectors/memory/memory.ts";
import { fused } from "../../../operators/fused.ts";
import { defineJob } from "../../../runtime/job.ts";
import type { Stream } from "../../../runtime/stream.ts";
import { runJob } from "../../../runtime/testing/run_job.ts";
import { simulatedStream } from "../../../runtime/testing/simulated_stream.ts";
import { z } from "../../deps.ts";
import { filter, map, reduce, scan } from "../deps.ts";

/** What comes out of a stage over the numbers 1 to 5. */
async function outcome(build: (numbers: Stream<number>) => Stream<unknown>) {
  const job = defineJob({
    name: "demo",
    sources: { numbers: memory.source([1, 2, 3, 4, 5]) },
    sinks: { out: memory.sink<unknown>() },
    build: ({ numbers }, { out }) => build(numbers).to(out),
  });
  const run = await runJob(job);
  return {
    output: run.output("out"),
    letters: run.deadLetters.map(({ operator, reason }) => `${operator}: ${reason}`),
  };
}

const double = fused<number, number>((n, emit) => emit(2 * n));
const evenOnly = fused<number, number>((n, emit, refusals) =>
  n % 2 === 0 ? emit(n) : refusals.refuse(n, `${n} is odd`)
);
const failAt = (bad: number) =>
  map((n: number) => {
    if (n === bad) throw new RangeError(`no ${n}`);
    return n;
  });

describe("StageOutputs", () => {
  it("runs our operators and those of RxJS in the order in which they are written", async () => {
    const plus = (n: number) => map((m: number) => m + n);
    const { output } = await outcome((numbers) =>
      numbers.pipe(plus(1), double, plus(1)).pipe(double, double, plus(0.5))
    );
    assertEquals(output, [1, 2, 3, 4, 5].map((n) => 4 * (2 * (n + 1) + 1) + 0.5));
  });

  it("makes dead letters of what an operator refuses or throws for, and lets other branches have the record", async () => {
    const { output, letters } = await outcome((numbers) =>
      numbers.pipe(evenOnly).merge(numbers.pipe(failAt(3))).merge(numbers.pipe(double))
    );
    assertEquals(output, [1, 2, 2, 2, 4, 6, 4, 4, 8, 5, 10]);
    const odd = ["1 is odd", "3 is odd", "5 is odd"].map((reason) => `numbers/pipe: ${reason}`);
    assertEquals(letters, [...odd.slice(0, 2), "numbers/pipe: RangeError: no 3", ...odd.slice(2)]);
  });

  it("compiles what is behind a merge once: both sides share its memory", async () => {
    const { output } = await outcome((numbers) =>
      numbers.pipe(filter((n) => n > 3)).merge(numbers.pipe(filter((n) => n < 3))).pipe(
        scan((sum, n) => sum + n, 0),
      )
    );
    assertEquals(output, [1, 3, 7, 12]);
  });

  it("lets operators emit that wait for the end, one behind another", async () => {
    const { output } = await outcome((numbers) =>
      numbers.pipe(reduce((sum, n) => sum + n, 0)).pipe(double).pipe(
        reduce((sum, n) => sum + n, 100),
      )
    );
    assertEquals(output, [130]);
  });

  it("refuses records without a time where one is taken", async () => {
    const times = new Map([[2, NaN], [4, Infinity]]);
    const { output, letters } = await outcome((numbers) =>
      numbers.eventTime({ timestamp: (n) => times.get(n) ?? n })
    );
    assertEquals(output, [1, 3, 5]);
    const reason = (time: number) =>
      `numbers/eventTime: Cannot take the record's time: timestamp() gave ${time}, expected milliseconds since the epoch`;
    assertEquals(letters, [reason(NaN), reason(Infinity)]);
  });

  it("sends what is invalid to its own stream where that is used", async () => {
    const job = defineJob({
      name: "demo",
      sources: { bytes: kinesis.source("numbers") },
      sinks: { out: memory.sink<number | string>() },
      build({ bytes }, { out }) {
        const numbers = bytes.flatMapJson("$.n", z.number());
        numbers.merge(numbers.invalid.pipe(map(({ reason }) => reason.split(":")[0] ?? ""))).to(
          out,
        );
      },
    });
    const records = ['{"n":1}', "{", '{"n":"two"}'].map((data) => ({ partitionKey: "a", data }));
    const run = await runJob(job, { bytes: simulatedStream({ shards: 1, records }) });
    assertEquals(run.deadLetters, []);
    assertEquals(run.output("out"), [
      1,
      "Cannot parse the record's payload as JSON",
      'Cannot accept the string "two" at $.n',
    ]);
  });
});
