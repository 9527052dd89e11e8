/**
 * Event time, ends and transport of a broadcast input: it takes part in the operator's clock, nothing overtakes its
 * records, and what can't go to all workers goes to none.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { memory } from "../../connectors/memory/memory.ts";
import { defineJob } from "../../runtime/job.ts";
import { store } from "../../runtime/state/state.ts";
import { runJob } from "../../runtime/testing/run_job.ts";
import { timedSource } from "./timed_source.ts";

const RUNS = [[1, 1], [2, 2], [3, 3], [3, 4]] as const;
const key = () => "k";

/** Sets a timer 10 later for each number; tells numbers, timers and rules with the clock. */
const clocked = (idleAfter?: number) =>
  defineJob({
    name: "clocked",
    sources: { numbers: memory.source<number>([]), rules: memory.source<number>([]) },
    sinks: { out: memory.sink<string>() },
    build({ numbers, rules }, { out }) {
      const timestamp = (n: number) => n;
      numbers.eventTime({ timestamp }).keyBy(key)
        .connectBroadcast(
          rules.eventTime({ timestamp, ...(idleAfter === undefined ? {} : { idleAfter }) }),
        )
        .process("tell", {
          state: {},
          broadcast: { last: store.value(0) },
          onEvent(n, { watermark, setTimer, broadcast }): string[] {
            setTimer(`of ${n}`, n + 10);
            return [`${n} at ${watermark}, rule ${broadcast.last.value}`];
          },
          onBroadcast(n, { watermark, timestamp, broadcast }) {
            broadcast.last.value = n;
            return [`rule ${timestamp} at ${watermark}`];
          },
          onTimer: (name, { watermark, broadcast }) => [
            `${name} at ${watermark}, rule ${broadcast.last.value}`,
          ],
        }).to(out);
    },
  });

const at = (...all: [at: number, value: number][]) =>
  timedSource(all.map(([at, value]) => ({ at, values: [value] })));

describe("the clock of an operator with a broadcast", () => {
  it("is the lesser of both inputs' watermarks", async () => {
    const rules = at([1000, 5], [3000, 15], [5000, 40], [9000, 41]);
    const numbers = at([0, 10], [2000, 30], [4000, 50], [6000, 60]);
    for (const workers of [1, 3]) {
      const run = await runJob(clocked(), { numbers, rules }, { workers });
      assertEquals([...new Set(run.output("out"))], [
        "10 at -Infinity, rule 0",
        "rule 5 at -Infinity",
        "30 at 4, rule 5",
        "rule 15 at 4",
        "50 at 14, rule 15",
        "rule 40 at 14",
        "of 10 at 39, rule 40",
        "60 at 39, rule 40",
        "rule 41 at 39",
        "of 30 at 40, rule 41",
        "of 50 at Infinity, rule 41",
        "of 60 at Infinity, rule 41",
      ]);
    }
  });

  it("goes on without a broadcast that is idle", async () => {
    const rules = timedSource([{ at: 0, values: [5] }, { at: 20_000, values: [] }]);
    const numbers = at([1000, 10], [10_000, 30], [11_000, 31]);
    for (
      const [idleAfter, expected] of [[1000, "31 at 29, rule 5"], [
        undefined,
        "31 at 4, rule 5",
      ]] as const
    ) {
      const run = await runJob(clocked(idleAfter), { numbers, rules }, { workers: 2 });
      assert(run.output("out").includes(expected), `Found ${run.output("out")}`);
    }
  });
});

describe("records of a broadcast", () => {
  it("are not overtaken by watermarks or the end, however many they are", async () => {
    const COUNT = 5000;
    const job = defineJob({
      name: "overtaking",
      sources: { numbers: memory.source<number>([]), rules: memory.source<number>([]) },
      sinks: { late: memory.sink<string>(), counts: memory.sink<number>() },
      build({ numbers, rules }, { late, counts }) {
        const timed = { timestamp: (n: number) => n };
        const told = numbers.eventTime(timed).keyBy(key).connectBroadcast(rules.eventTime(timed))
          .process("tell", {
            state: {},
            broadcast: { seen: store.value(0) },
            onEvent() {},
            onBroadcast: (n, { broadcast }) => {
              broadcast.seen.value++;
              return [n];
            },
          });
        const seen = told.keyBy((n) => n % 10).process("see", {
          state: { count: store.value(0), end: store.value(false) },
          onEvent(n, { watermark, timestamp, state, setTimer }) {
            state.count.value++;
            setTimer("end", 1e9);
            return watermark >= timestamp ? [`${n} behind ${watermark}`] : [];
          },
          onTimer: (_, { state }) => [`count ${state.count.value}`],
        });
        seen.to(late);
        told.to(counts);
      },
    });
    const rules = memory.source({
      shards: [[], []].map((_, shard) =>
        Array.from({ length: COUNT / 2 }, (_, n) => 2 * n + shard)
      ),
    });
    for (const [workers, seed] of RUNS) {
      const run = await runJob(job, { numbers: [COUNT], rules }, { workers, seed });
      assertEquals(run.output("late"), new Array(10).fill(`count ${workers * COUNT / 10}`));
      assertEquals(run.output("counts").length, workers * COUNT);
    }
  });

  it("that can't be sent to another worker go to none, and are one dead letter", async () => {
    const job = defineJob({
      name: "uncloneable",
      sources: {
        numbers: memory.source<number>([]),
        rules: memory.source<{ n: number; f?: () => void }>([]),
      },
      sinks: { out: memory.sink<string>() },
      build({ numbers, rules }, { out }) {
        numbers.keyBy((n) => n).connectBroadcast(rules).process("tell", {
          state: {},
          broadcast: {},
          onEvent() {},
          onBroadcast: ({ n }) => [`rule ${n}`],
        }).to(out);
      },
    });
    const rules = [{ n: 1 }, { n: 2, f: () => {} }, { n: 3 }];
    const run = await runJob(job, { numbers: [1], rules }, { workers: 3 });
    assertEquals(run.output("out").toSorted(), [1, 1, 1, 3, 3, 3].map((n) => `rule ${n}`));
    const [letter, ...more] = run.deadLetters;
    assertEquals([letter?.operator, letter?.key, letter?.origin], [
      "rules/broadcast",
      undefined,
      "rules/shard-0@1",
    ]);
    assertMatch(letter?.reason ?? "", /cannot be cloned: field "f"/);
    assertEquals(more, []);
  });
});
