/**
 * Event time from stage to stage: over merges, connected streams, second keyBys, calls, and where
 * it is given anew.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { filter, map } from "npm:rxjs@7.8.2";
import { memory } from "../../connectors/memory/memory.ts";
import type { Source } from "../../connectors/source.ts";
import { defineJob } from "../../runtime/job.ts";
import type { Stream } from "../../runtime/stream.ts";
import { runJob } from "../../runtime/testing/run_job.ts";
import { silentUntil, type Tick, ticks, told } from "./ticks.ts";
import { timedSource } from "./timed_source.ts";

const timestamp = (tick: Tick) => tick.time;

/** What a job of two sources tells. */
async function story(
  build: (a: Stream<Tick>, b: Stream<Tick>) => Stream<unknown>,
  a: Source<Tick>,
  b: Source<Tick> = timedSource(),
  options: { workers?: number; seed?: number } = {},
): Promise<readonly string[]> {
  const job = defineJob({
    name: "story",
    sources: { a: timedSource<Tick>(), b: timedSource<Tick>() },
    sinks: { out: memory.sink<string>(), rest: memory.sink<unknown>() },
    build({ a, b }, { out, rest }) {
      build(a, b).pipe(map(String)).to(out);
      b.pipe(filter(() => false)).to(rest);
    },
  });
  const run = await runJob(job, { a, b }, options);
  assertEquals(run.deadLetters, []);
  return run.output("out");
}

describe("merge() of two timed streams", () => {
  const fast = timedSource(ticks(10, 20, 30, 40));
  const slow = timedSource([{ at: 500, values: [{ time: 12 }] }, silentUntil(9000)]);

  it("has the lower watermark of two sources", async () => {
    const merged = (a: Stream<Tick>, b: Stream<Tick>) =>
      told(a.eventTime({ timestamp }).merge(b.eventTime({ timestamp })));
    assertEquals(
      await story(merged, fast, slow),
      ["10@-Infinity", "12@-Infinity", "20@9", "30@11", "40@11"],
    );
  });

  it("has the lower watermark of two branches of one source", async () => {
    const merged = (a: Stream<Tick>) => {
      const early = a.pipe(filter((tick) => tick.time < 25)).eventTime({ timestamp });
      return told(early.merge(
        a.pipe(filter((tick) => tick.time >= 25)).eventTime({ timestamp, outOfOrderness: 8 }),
      ));
    };
    assertEquals(
      await story(merged, timedSource(ticks(10, 30, 20, 40, 24, 50, 21))),
      // From 30 on the lower one is 19, then 23: the first branch has come to 24 only.
      ["10@-Infinity", "30@-Infinity", "20@9", "40@19", "24@19", "50@23", "21@23"],
    );
  });

  it("has the watermark of the stream when the branches share it", async () => {
    const merged = (a: Stream<Tick>) => {
      const timed = a.eventTime({ timestamp });
      const odd = timed.pipe(filter((tick) => tick.time % 20 !== 0));
      return told(odd.merge(timed.pipe(filter((tick) => tick.time % 20 === 0))));
    };
    assertEquals(await story(merged, fast), ["10@-Infinity", "20@9", "30@19", "40@29"]);
  });
});

describe("connected streams", () => {
  it("have the lower watermark of both", async () => {
    const connected = (a: Stream<Tick>, b: Stream<Tick>) =>
      a.eventTime({ timestamp }).keyBy(() => "k")
        .connect(b.eventTime({ timestamp }).keyBy(() => "k"))
        .coFlatMap("both", {
          state: {},
          left: ({ time }, { watermark, setTimer }) => {
            setTimer("t", 11);
            return [`l${time}@${watermark}`];
          },
          right: ({ time }, { watermark }) => [`r${time}@${watermark}`],
          onTimer: (name, { timestamp, watermark }) => [`${name} ${timestamp}@${watermark}`],
        });
    const left = timedSource(ticks(10, 20, 30));
    const right = timedSource([
      { at: 500, values: [{ time: 5 }] },
      { at: 1500, values: [{ time: 13 }] },
      silentUntil(9000),
    ]);
    assertEquals(
      await story(connected, left, right),
      // The last one is for a time that is over, and waits for the end.
      ["l10@-Infinity", "r5@-Infinity", "l20@4", "r13@4", "t 11@12", "l30@12", "t 11@Infinity"],
    );
  });
});

describe("the next keyed stage", () => {
  it("gets what timers put out before the watermark that fired them", async () => {
    const input = Array.from({ length: 60 }, (_, n) => ({
      time: n * 10,
      key: `key-${n % 7}`,
      set: { [`t${n % 3}`]: n * 10 + 15 },
    }));
    const twice = (a: Stream<Tick>) =>
      told(a.eventTime({ timestamp }), "first").keyBy((text) => text.length).process("second", {
        state: {},
        onEvent: (text, { timestamp, watermark }) => [{ text, timestamp, watermark }],
      }).pipe(map((seen) => JSON.stringify({ ...seen, late: seen.timestamp <= seen.watermark })));
    for (const [workers, seed] of [[1, 1], [2, 2], [2, 3], [3, 4]] as const) {
      const source = timedSource(ticks(...input.slice(0, 30)), ticks(...input.slice(30)));
      const seen = (await story(twice, source, timedSource(), { workers, seed })).map((text) =>
        JSON.parse(text)
      );
      assertEquals(seen.length > 90, true);
      for (const { text, timestamp, late } of seen) {
        assert(!late, `${text} came late on ${workers} workers, seed ${seed}`);
        // A timer's outputs carry its time, a record's outputs the record's.
        assertEquals(timestamp, Number(text.match(/(\d+)@/)?.[1]));
      }
    }
  });
});

describe("eventTime() further down", () => {
  it("replaces times and watermarks from before", async () => {
    const anew = (a: Stream<Tick>) =>
      told(a.eventTime({ timestamp }).eventTime({ timestamp: (tick) => tick.time * 100 }));
    assertEquals(await story(anew, timedSource(ticks(1, 2, 3))), [
      "100@-Infinity",
      "200@99",
      "300@199",
    ]);
  });

  it("stays in its branch", async () => {
    const branches = (a: Stream<Tick>) =>
      told(a.eventTime({ timestamp })).merge(told(a, "without"));
    const seen = await story(branches, timedSource(ticks(1, 2)));
    assertEquals(seen.toSorted(), [
      "-Infinity@-Infinity",
      "-Infinity@-Infinity",
      "1@-Infinity",
      "2@0",
    ]);
  });

  it("replaces them behind a keyed stage too", async () => {
    const anew = (a: Stream<Tick>) => {
      const first = a.eventTime({ timestamp }).keyBy(() => "k")
        .process("first", { state: {}, onEvent: (tick) => [tick] });
      return told(first.eventTime({ timestamp: (tick) => tick.time * 100, outOfOrderness: 50 }));
    };
    assertEquals(
      await story(anew, timedSource(ticks(1, 2, { time: 3, set: { end: 10_000 } }))),
      ["100@-Infinity", "200@49", "300@149", "end 10000@Infinity"],
    );
  });

  it("goes on without a worker that has no records, after idleAfter", async () => {
    const anew = (a: Stream<Tick>) => {
      const first = a.keyBy(() => "one key").process("first", {
        state: {},
        onEvent: (tick) => [tick],
      });
      return told(first.eventTime({ timestamp, idleAfter: "1s" }));
    };
    const seen = await story(anew, timedSource(ticks(10, 20, 30, 40)), timedSource(), {
      workers: 2,
    });
    assertEquals(seen.at(-1), "40@29");
  });

  it("has its watermark as soon as the result of a call is there", async () => {
    const called = (a: Stream<Tick>, b: Stream<Tick>) =>
      told(
        a.mapAsync("call", async (tick, { delay }) => {
          await delay(100);
          return tick;
        }).eventTime({ timestamp }),
      ).merge(b.pipe(map((tick) => `b${tick.time}`)));
    const a = timedSource([...ticks(10, { time: 20, set: { t: 15 } }), silentUntil(60_000)]);
    const b = timedSource([{ at: 1500, values: [{ time: 7 }] }]);
    assertEquals(await story(called, a, b), ["10@-Infinity", "20@9", "t 15@19", "b7"]);
  });
});
