/**
 * Calls out of a job: order, capacity, timeouts and retries, all in virtual time.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { memory } from "../../connectors/memory/memory.ts";
import { defineJob } from "../../runtime/job.ts";
import { seededRandom } from "../../runtime/random.ts";
import type { AsyncContext, MapAsyncOptions } from "../../runtime/stream.ts";
import { called, numbersBelow, taking } from "./called.ts";
import { hostedRun } from "./hosted_run.ts";
import { timedSource } from "./timed_source.ts";

describe("mapAsync()", () => {
  it("keeps order: a slow call holds back those after it", async () => {
    const slowThird = taking((n) => n === 2 ? 50 : 10);
    const { rows } = await called(
      [0, 1, 2, 3, 4],
      (numbers) => numbers.mapAsync("call", slowThird),
    );
    assertEquals(rows, [[0, 10], [1, 10], [2, 50], [3, 50], [4, 50]]);
  });

  it("lets results go as they come when unordered", async () => {
    const slowThird = taking((n) => n === 2 ? 50 : 10);
    const { rows } = await called(
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
      const { values } = await called(
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
      const { values } = await called(
        numbersBelow(300),
        (numbers) => numbers.mapAsync("call", call, { capacity: 6, ordered }),
      );
      assertEquals(values.toSorted((a, b) => Number(a) - Number(b)), numbersBelow(300));
      assertEquals(most, 6);
    }
  });

  it("passes capacity on when a record becomes many before the call", async () => {
    const { values, endedAt } = await called([0, 1], (numbers) =>
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
    const result = await called(
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
