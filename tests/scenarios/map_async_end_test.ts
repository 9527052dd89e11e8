/**
 * Calls that are under way when the input ends or the job is stopped: none is lost, and what comes
 * behind them ends after them.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { map, reduce, scan } from "npm:rxjs@7.8.2";
import { memory } from "../../connectors/memory/memory.ts";
import { systemClock } from "../../runtime/clock.ts";
import { defineJob } from "../../runtime/job.ts";
import { seededRandom } from "../../runtime/random.ts";
import type { AsyncContext, Stream } from "../../runtime/stream.ts";
import { called, numbersBelow, taking } from "./called.ts";
import { hostedRun } from "./hosted_run.ts";

describe("mapAsync() at the end of the input", () => {
  const slow = taking((n) => 100 - n);

  it("loses no result, whatever comes behind it", async () => {
    const { values } = await called(
      numbersBelow(20),
      (numbers) => numbers.mapAsync("call", slow).pipe(map((n) => n * 2)),
    );
    assertEquals(values, numbersBelow(20).map((n) => n * 2));
  });

  it("completes what comes behind it after the last result", async () => {
    const sum = (numbers: Stream<number>) =>
      numbers.mapAsync("call", slow).pipe(reduce((sum, n) => sum + n, 0));
    assertEquals((await called(numbersBelow(20), sum)).values, [190]);
    const keyedSum = (numbers: Stream<number>) =>
      numbers.mapAsync("call", slow).mapAsync("again", slow).keyBy(() => "all")
        .process("pass", { state: {}, onEvent: (n) => [n] })
        .mapAsync("third", slow).pipe(reduce((sum, n) => sum + n, 0));
    const { values } = await called(numbersBelow(20), keyedSum, { workers: 2 });
    // One sum for each key group; all but one have seen nothing.
    assertEquals(values.filter((n) => n !== 0), [190]);
  });

  it("loses nothing on several workers", async () => {
    const random = seededRandom(4);
    const { values } = await called(numbersBelow(400), (numbers) =>
      numbers.keyBy((n) => n % 50)
        .process("pass", { state: {}, onEvent: (n) => [n] })
        .mapAsync("call", taking(() => Math.floor(random() * 100)), { ordered: false })
        .pipe(map((n) => n)), { workers: 3 });
    assert(values.length === 400, `${values.length} of 400 came out`);
    assertEquals(new Set(values).size, 400);
  });

  it("loses nothing over two calls side by side that meet in a third", async () => {
    const doubled = (numbers: Stream<number>) => {
      const one = numbers.mapAsync("one", taking((n) => n));
      const other = numbers.mapAsync("other", taking(() => 500));
      return one.merge(other).mapAsync("both", slow).pipe(scan((sum, n) => sum + n, 0))
        .pipe(reduce((_, sum) => sum, 0)).pipe(map((n) => n));
    };
    assertEquals((await called(numbersBelow(20), doubled)).values, [2 * 190]);
  });

  it("hands on what was read when the job is stopped", async () => {
    const numbers = memory.source({ shards: [numbersBelow(50)], bounded: false });
    const job = defineJob({
      name: "stopped",
      sources: { numbers },
      sinks: { out: memory.sink<number>() },
      build({ numbers }, { out }) {
        numbers.mapAsync("call", slow).pipe(map((n) => n * 2)).to(out);
      },
    });
    const { outcome, endedAt } = await hostedRun(job, { stopAt: 20 });
    assertEquals([outcome.kind, endedAt], ["finished", 100]);
    assertEquals(job.sinks.out.rows, numbersBelow(50).map((n) => n * 2));
  });
});

describe("mapAsync() in virtual time", () => {
  it("stands still while a call waits for something else than the clock", async () => {
    const call = async (n: number, { delay, signal }: AsyncContext) => {
      // One waits for the clock twice at once; the other for the real event loop, under a timeout.
      if (n === 0) await Promise.race([delay(10), delay("1h")]);
      else for (let turn = 0; turn < 20; turn++) await new Promise<void>(soon);
      return `${n} ${signal.aborted ? "aborted" : "done"}`;
    };
    const { values, deadLetters } = await called(
      [0, 1],
      (numbers) => numbers.mapAsync("call", call, { timeout: "1s" }),
    );
    assertEquals(deadLetters, []);
    assertEquals(values, ["0 done", "1 done"]);
  });
});

function soon(then: () => void): void {
  systemClock.defer(then);
}
