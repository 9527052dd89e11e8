/**
 * Calls that are under way at a checkpoint: after a restart they are made again, and what comes of them goes on once.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { memory } from "../../connectors/memory/memory.ts";
import { memoryStore } from "../../runtime/checkpoint/memory_store.ts";
import { defineJob } from "../../runtime/job.ts";
import { store } from "../../runtime/state/state.ts";
import type { AsyncContext, Stream } from "../../runtime/stream.ts";
import { JobDriver } from "../../runtime/testing/job_driver.ts";
import { ScriptedSource } from "../../runtime/testing/scripted_source.ts";

const WORKERS = [[1, 1], [1, 3], [3, 2], [2, 1]] as const;
const SHARDS = ["a", "b"];
/** Even numbers are answered by the time of the checkpoint, odd ones are not. */
const CHECKPOINT_AT = 20;

interface Case {
  readonly ordered: boolean;
  readonly keyed: boolean;
}

/** Numbers through a call, in the source's stage or behind a key. */
function calling({ ordered, keyed }: Case) {
  const numbers = new ScriptedSource<number>({ shards: SHARDS });
  const out = memory.sink<string>();
  const calls: number[] = [];
  const answer = async (n: number, { delay }: AsyncContext) => {
    calls.push(n);
    await delay(n % 2 === 0 ? 10 : 100);
    return `${n}`;
  };
  const job = defineJob({
    name: "calling",
    sources: { numbers },
    sinks: { out },
    build({ numbers }, { out }) {
      const before: Stream<number> = keyed
        ? numbers.keyBy((n) => n % 4).process("count", {
          state: { count: store.value(0) },
          onEvent(n, { state }) {
            state.count.value++;
            return [n];
          },
        })
        : numbers;
      before.mapAsync("call", answer, { ordered }).to(out);
    },
  });
  return { numbers, out, calls, job };
}

describe("calls that are under way at a checkpoint", () => {
  for (
    const of of [
      { ordered: true, keyed: false },
      { ordered: false, keyed: false },
      { ordered: true, keyed: true },
      { ordered: false, keyed: true },
    ]
  ) {
    const where = of.keyed ? "behind a key" : "in a source's stage";
    it(`are made again ${where}, ${of.ordered ? "in order" : "in any order"}`, async () => {
      for (const [before, after] of WORKERS) {
        const { numbers, out, calls, job } = calling(of);
        const checkpoints = memoryStore();
        const first = await JobDriver.start(job, { workers: before, checkpoints });
        for (const shard of SHARDS) {
          const values = shard === "a" ? [0, 1, 2, 3] : [4, 5, 6, 7];
          numbers.push(shard, ...values.map((value) => ({ value })));
        }
        await first.settle();
        await first.advanceTo(CHECKPOINT_AT);
        await first.checkpoint();
        const done = [...out.rows];
        assert(done.length > 0 && done.length < 8, `${done.length} of 8 before the checkpoint`);
        const called = calls.splice(0);
        assertEquals(called.toSorted(), [0, 1, 2, 3, 4, 5, 6, 7]);

        const second = await JobDriver.start(job, { workers: after, seed: 5, checkpoints });
        assertEquals(
          calls.toSorted(),
          called.filter((n) => !done.includes(`${n}`)).toSorted(),
          `${before} to ${after}`,
        );
        numbers.push("a", { value: 8 });
        await second.advanceTo(1000);
        assertEquals(out.rows.toSorted(), Array.from({ length: 9 }, (_, n) => `${n}`));
        const rows = out.rows.slice(done.length).map(Number);
        if (of.ordered && !of.keyed) {
          for (const shard of [[0, 1, 2, 3, 8], [4, 5, 6, 7]]) {
            const own = rows.filter((n) => shard.includes(n));
            assertEquals(own, own.toSorted(), "in the order of the shard");
          }
        }
        await second.checkpoint();
        // Answered: nothing is called for a third time.
        calls.splice(0);
        const third = await JobDriver.start(job, { workers: before, seed: 6, checkpoints });
        await third.advanceTo(2000);
        assertEquals([calls, out.rows.length], [[], 9]);
      }
    });
  }

  it("hold up the watermark that was behind them, which comes again after them", async () => {
    for (const after of [1, 2]) {
      const numbers = new ScriptedSource<number>({ shards: ["a"] });
      const out = memory.sink<string>();
      const job = defineJob({
        name: "held",
        sources: { numbers },
        sinks: { out },
        build({ numbers }, { out }) {
          numbers.eventTime({ timestamp: (n) => n })
            .mapAsync("call", async (n, { delay }) => {
              await delay(100);
              return n;
            })
            .keyBy(() => "all")
            .process("timed", {
              state: {},
              onEvent(n, { watermark, setTimer }) {
                setTimer(`${n}`, n + 5);
                return [`${n} at ${watermark}`];
              },
              onTimer: (_name, { timestamp }) => [`due ${timestamp}`],
            }).to(out);
        },
      });
      const checkpoints = memoryStore();
      const first = await JobDriver.start(job, { checkpoints });
      numbers.push("a", { value: 10 }, { value: 20 });
      await first.settle();
      await first.checkpoint();
      assertEquals(out.rows, []);
      const second = await JobDriver.start(job, { workers: after, checkpoints });
      await second.advanceTo(500);
      assertEquals(out.rows, ["10 at -Infinity", "20 at -Infinity", "due 15"]);
    }
  });
});
