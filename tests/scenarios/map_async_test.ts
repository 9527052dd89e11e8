/**
 * Calls out of a job: order, capacity, timeouts and retries, all in virtual time, and nothing lost
 * at the end of the input.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { map, reduce } from "npm:rxjs@7.8.2";
import { memory } from "../../connectors/memory/memory.ts";
import type { Sink } from "../../connectors/sink.ts";
import { defineJob } from "../../runtime/job.ts";
import { seededRandom } from "../../runtime/random.ts";
import type { AsyncContext, MapAsyncOptions, Stream } from "../../runtime/stream.ts";
import { hostedRun } from "./hosted_run.ts";
import { timedSource } from "./timed_source.ts";

const numbersBelow = (count: number) => Array.from({ length: count }, (_, n) => n);

/** A sink that keeps what it is given and when, in virtual time. */
function stampingSink(rows: [unknown, number][]): Sink<unknown> {
  return {
    kind: "stamping",
    name: "stamping",
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

/** Runs numbers through a part of a job. Gives what came out, and when. */
async function run(
  numbers: readonly number[],
  build: (numbers: Stream<number>) => Stream<unknown>,
  options: { workers?: number; seed?: number } = {},
) {
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
const taking = (ms: (n: number) => number) => async (n: number, { delay }: AsyncContext) => {
  await delay(ms(n));
  return n;
};

describe("mapAsync()", () => {
  it("keeps order: a slow call holds back those after it", async () => {
    const slowThird = taking((n) => n === 2 ? 50 : 10);
    const { rows } = await run([0, 1, 2, 3, 4], (numbers) => numbers.mapAsync("call", slowThird));
    assertEquals(rows, [[0, 10], [1, 10], [2, 50], [3, 50], [4, 50]]);
  });

  it("lets results go as they come when unordered", async () => {
    const slowThird = taking((n) => n === 2 ? 50 : 10);
    const { rows } = await run(
      [0, 1, 2, 3, 4],
      (numbers) => numbers.mapAsync("call", slowThird, { ordered: false }),
    );
    assertEquals(rows, [[0, 10], [1, 10], [3, 10], [4, 10], [2, 50]]);
  });

  it("never takes a result over a watermark, though unordered", async () => {
    const job = defineJob({
      name: "unordered",
      sources: {
        numbers: timedSource([{ at: 0, values: [10, 11] }, { at: 5, values: [20, 21] }]),
      },
      sinks: { out: memory.sink<string>() },
      build({ numbers }, { out }) {
        numbers.eventTime({ timestamp: (n) => n })
          .mapAsync("call", taking((n) => n === 10 ? 100 : 1), { ordered: false })
          .keyBy(() => "all")
          .process("look", {
            state: {},
            onEvent: (n, { watermark }) => [`${n}@${watermark}`],
          }).to(out);
      },
    });
    await hostedRun(job);
    // 20 and 21 are done long before 10, but the watermark 10 stands between.
    assertEquals(job.sinks.out.rows, ["11@-Infinity", "10@-Infinity", "20@10", "21@10"]);
  });

  it("keeps the order of each key on the way to a keyed stage", async () => {
    for (const [workers, seed] of [[1, 1], [2, 2], [3, 3]] as const) {
      const random = seededRandom(seed);
      const { values } = await run(
        numbersBelow(500),
        (numbers) =>
          numbers.mapAsync("call", taking(() => Math.floor(random() * 40)))
            .keyBy((n) => n % 7)
            .process("pass", { state: {}, onEvent: (n) => [n] }),
        { workers, seed },
      );
      for (const key of numbersBelow(7)) {
        const ofKey = values.filter((n) => Number(n) % 7 === key);
        assertEquals(ofKey, numbersBelow(500).filter((n) => n % 7 === key));
      }
    }
  });

  it("never makes more calls at once than its capacity, and uses all of it", async () => {
    for (const ordered of [true, false]) {
      let underway = 0;
      let most = 0;
      const call = async (n: number, { delay }: AsyncContext) => {
        most = Math.max(most, ++underway);
        await delay(n % 5);
        underway--;
        return n;
      };
      const { values } = await run(
        numbersBelow(300),
        (numbers) => numbers.mapAsync("call", call, { capacity: 6, ordered }),
      );
      assertEquals(values.toSorted((a, b) => Number(a) - Number(b)), numbersBelow(300));
      assertEquals(most, 6);
    }
  });

  it("passes capacity on when a record becomes many before the call", async () => {
    const { values, endedAt } = await run([0, 1], (numbers) =>
      numbers.keyBy(() => "all")
        .process("many", { state: {}, onEvent: () => numbersBelow(10) })
        .mapAsync("call", taking(() => 10), { capacity: 2 }));
    assertEquals(values, [...numbersBelow(10), ...numbersBelow(10)]);
    assertEquals(endedAt, 100);
  });
});

describe("mapAsync() when calls fail", () => {
  async function failing(
    call: (n: number, context: AsyncContext, log: (text: string) => void) => Promise<unknown>,
    options: MapAsyncOptions,
  ) {
    const log: string[] = [];
    const result = await run(
      [1, 2, 3],
      (numbers) =>
        numbers.mapAsync(
          "call",
          (n, context) => call(n, context, (text) => log.push(text)),
          options,
        ),
    );
    const letters = result.deadLetters.map(({ operator, origin, reason, value }) => [
      operator,
      origin,
      reason,
      value,
    ]);
    return { ...result, log, letters };
  }

  it("tries again, waiting twice as long each time", async () => {
    const rows = await failing(async (n, { attempt }, log) => {
      if (n === 2) log(`attempt ${attempt}`);
      if (n === 2 && attempt < 4) throw new Error("not yet");
      return await Promise.resolve(n);
    }, { retry: { attempts: 4, delay: "100ms" } });
    assertEquals(rows.log, ["attempt 1", "attempt 2", "attempt 3", "attempt 4"]);
    assertEquals(rows.rows, [[1, 0], [2, 100 + 200 + 400], [3, 700]]);
    assertEquals(rows.letters, []);
  });

  it("makes a dead letter when the last attempt fails, and loses nothing else", async () => {
    const { rows, letters, log } = await failing((n, { attempt }, log) => {
      if (n !== 2) return Promise.resolve(n);
      log(`attempt ${attempt}`);
      throw new Error(`no ${attempt}`);
    }, { retry: { attempts: 2 } });
    assertEquals(letters, [["call", "numbers/shard-0@1", "Error: no 2", 2]]);
    assertEquals(rows, [[1, 0], [3, 100]]);
    assertEquals(log.length, 2);
  });

  it("ends a call that takes too long, and tells it so", async () => {
    const { rows, letters, log } = await failing(async (n, { delay, signal }, log) => {
      signal.addEventListener("abort", () => log(`abort ${n}`));
      await delay(n === 2 ? "1m" : 5);
      if (!signal.aborted) return n;
      throw new Error("too late to matter");
    }, { timeout: "1s", retry: { attempts: 3 } });
    assertEquals(letters, [[
      "call",
      "numbers/shard-0@1",
      "TimeoutError: No answer within 1000 ms",
      2,
    ]]);
    assertEquals(rows, [[1, 5], [3, 1000]]);
    assertEquals(log, ["abort 2"]);
  });

  it("counts all retries in the timeout, and calls no more once it is over", async () => {
    const { log, letters, endedAt } = await failing((n, { attempt }, log) => {
      if (n === 1) log(`attempt ${attempt}`);
      return n === 1 ? Promise.reject(new Error("no")) : Promise.resolve(n);
    }, { timeout: "1s", retry: { attempts: 10, delay: "400ms" } });
    assertEquals(log, ["attempt 1", "attempt 2"]);
    assertEquals(letters.map(([, , reason]) => reason), ["TimeoutError: No answer within 1000 ms"]);
    assertEquals(endedAt, 1000);
  });
});

describe("mapAsync() at the end of the input", () => {
  const slow = taking((n) => 100 - n);

  it("loses no result, whatever comes behind it", async () => {
    const { values } = await run(
      numbersBelow(20),
      (numbers) => numbers.mapAsync("call", slow).pipe(map((n) => n * 2)),
    );
    assertEquals(values, numbersBelow(20).map((n) => n * 2));
  });

  it("completes what comes behind it after the last result", async () => {
    const sum = (numbers: Stream<number>) =>
      numbers.mapAsync("call", slow).pipe(reduce((sum, n) => sum + n, 0));
    assertEquals((await run(numbersBelow(20), sum)).values, [190]);
    const keyedSum = (numbers: Stream<number>) =>
      numbers.mapAsync("call", slow).mapAsync("again", slow).keyBy(() => "all")
        .process("pass", { state: {}, onEvent: (n) => [n] })
        .mapAsync("third", slow).pipe(reduce((sum, n) => sum + n, 0));
    const { values } = await run(numbersBelow(20), keyedSum, { workers: 2 });
    // One sum for each key group; all but one have seen nothing.
    assertEquals(values.filter((n) => n !== 0), [190]);
  });

  it("loses nothing on several workers", async () => {
    const random = seededRandom(4);
    const { values } = await run(numbersBelow(400), (numbers) =>
      numbers.keyBy((n) => n % 50)
        .process("pass", { state: {}, onEvent: (n) => [n] })
        .mapAsync("call", taking(() => Math.floor(random() * 100)), { ordered: false })
        .pipe(map((n) => n)), { workers: 3 });
    assert(values.length === 400, `${values.length} of 400 came out`);
    assertEquals(new Set(values).size, 400);
  });
});
