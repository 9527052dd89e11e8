/**
 * Event time as users meet it, by Flink's rules: what handlers see of the watermark, when timers
 * fire, and in which order.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { memory } from "../../connectors/memory/memory.ts";
import { defineJob } from "../../runtime/job.ts";
import type { EventTimeOptions } from "../../runtime/stream.ts";
import { runJob } from "../../runtime/testing/run_job.ts";
import { silentUntil, type Tick, ticks, told } from "./ticks.ts";
import { type Delivery, timedSource } from "./timed_source.ts";

type Timing = Omit<EventTimeOptions<Tick>, "timestamp">;

/** What a job tells of the ticks of its shards. */
async function story(timing: Timing, ...shards: Delivery<Tick>[][]): Promise<readonly string[]> {
  const job = defineJob({
    name: "story",
    sources: { ticks: timedSource<Tick>() },
    sinks: { told: memory.sink<string>() },
    build({ ticks }, { told: out }) {
      told(ticks.eventTime({ timestamp: (tick) => tick.time, ...timing })).to(out);
    },
  });
  const run = await runJob(job, { ticks: timedSource(...shards) });
  assertEquals(run.deadLetters, []);
  return run.output("told");
}

describe("the watermark in handlers", () => {
  it("is the newest timestamp before, minus 1 ms", async () => {
    assertEquals(await story({}, ticks(10, 20, 15, 30)), [
      "10@-Infinity",
      "20@9",
      "15@19",
      "30@19",
    ]);
  });

  it("lags by outOfOrderness", async () => {
    assertEquals(
      await story({ outOfOrderness: "5ms" }, ticks(10, 20, 30)),
      ["10@-Infinity", "20@4", "30@14"],
    );
  });

  it("is that of the slowest shard", async () => {
    const slow: Delivery<Tick>[] = [
      { at: 500, values: [{ time: 12 }] },
      { at: 2500, values: [{ time: 25 }] },
      silentUntil(9000),
    ];
    assertEquals(
      await story({}, ticks(10, 20, 30, 40), slow),
      ["10@-Infinity", "12@-Infinity", "20@9", "30@11", "25@11", "40@24"],
    );
  });

  it("waits for a shard that says nothing, unless it has ended", async () => {
    assertEquals(
      await story({}, ticks(10, 20, 30, 40), [silentUntil(1500)]),
      // As in Flink, the others decide when the next of them speaks.
      ["10@-Infinity", "20@-Infinity", "30@-Infinity", "40@29"],
    );
  });
});

describe("idleAfter", () => {
  it("lets other shards go on", async () => {
    const times = ticks(10, 20, 30, 40, 50);
    assertEquals(
      await story({ idleAfter: "1.5s" }, times, [silentUntil(60_000)]),
      ["10@-Infinity", "20@-Infinity", "30@19", "40@29", "50@39"],
    );
    assertEquals((await story({}, times, [silentUntil(60_000)])).at(-1), "50@-Infinity");
  });

  it("never takes the watermark back when a shard returns, and waits for it again", async () => {
    const busy: Delivery<Tick>[] = [10, 20, 30, 40, 50, 60, 70].map((time, second) => ({
      at: second * 500,
      values: [{ time }],
    }));
    const returning: Delivery<Tick>[] = [
      { at: 2100, values: [{ time: 15 }] },
      { at: 2200, values: [{ time: 55 }] },
      silentUntil(3900),
    ];
    const all = await story({ idleAfter: "1s" }, busy, returning);
    // 15 is behind the watermark and holds nothing back; 55 has caught up, and is waited for.
    assertEquals(all.slice(-4), ["15@49", "55@49", "60@49", "70@54"]);
  });
});

describe("a timer", () => {
  it("fires once the watermark reaches its time, and not 1 ms before", async () => {
    assertEquals(
      await story({}, ticks({ time: 10, set: { a: 20 } }, 20, 21, 22)),
      ["10@-Infinity", "20@9", "21@19", "a 20@20", "22@20"],
    );
  });

  it("is moved by setting it again, and gone when cleared", async () => {
    const input = ticks(
      { time: 10, set: { moved: 15, cleared: 15, kept: 15, sooner: 50 } },
      { time: 11, set: { moved: 25, sooner: 12 }, clear: "cleared" },
      { time: 12, clear: "nothing" },
      20,
      30,
    );
    assertEquals(
      (await story({}, input)).filter((text) => /^[a-z]/.test(text)),
      ["sooner 12@19", "kept 15@19", "moved 25@29"],
    );
  });

  it("belongs to its key and name", async () => {
    const input = ticks(
      { time: 10, key: "a", set: { x: 20, y: 21 } },
      { time: 11, key: "b", set: { x: 22 } },
      { time: 12, key: "b", clear: "y" },
      { time: 13, key: "a", clear: "x" },
      40,
    );
    const fired = (await story({}, input)).filter((text) => /^[a-z]/.test(text));
    assertEquals(fired.toSorted(), ["x 22@39", "y 21@39"]);
  });

  it("for a time that is over waits for the next watermark", async () => {
    const input = ticks(10, 30, { time: 20, set: { past: 5 } }, 25, 31, 32);
    assertEquals(
      await story({}, input),
      ["10@-Infinity", "30@9", "20@29", "25@29", "31@29", "past 5@30", "32@30"],
    );
  });

  it("set while timers fire takes part at once if it is due, before later ones", async () => {
    const input = ticks({ time: 10, set: { again: 20, after: 21 } }, 40, 50);
    assertEquals(await story({}, input), [
      "10@-Infinity",
      "40@9",
      "again 20@39",
      "due 17@39",
      "after 21@39",
      "50@39",
      "later 1020@Infinity",
    ]);
  });

  it("fires in order of time within a key", async () => {
    const set = { e: 35, b: 22, d: 30, a: 21, c: 22 };
    const fired = await story({}, ticks({ time: 10, set }, 40));
    assertEquals(fired.slice(2), ["a 21@39", "b 22@39", "c 22@39", "d 30@39", "e 35@39"]);
  });

  it("fires at the end of bounded input, whatever its time", async () => {
    const input = ticks({ time: 10, set: { far: Number.MAX_SAFE_INTEGER, near: 11 } });
    assertEquals((await story({}, input)).slice(1), [
      "near 11@Infinity",
      `far ${Number.MAX_SAFE_INTEGER}@Infinity`,
    ]);
  });

  it("can't be set for no time: the record is a dead letter", async () => {
    const job = defineJob({
      name: "no time",
      sources: { ticks: memory.source<Tick>([{ time: 1, set: { a: NaN } }, { time: 2 }]) },
      sinks: { told: memory.sink<string>() },
      build: ({ ticks }, { told: out }) => told(ticks).to(out),
    });
    const { deadLetters, output } = await runJob(job);
    assertEquals(output("told"), ["-Infinity@-Infinity"]);
    assertEquals(deadLetters.map(({ reason }) => reason), [
      'RangeError: Cannot set timer "a" of "told" for NaN: expected a finite time; ' +
      "records have one after eventTime()",
    ]);
  });
});
