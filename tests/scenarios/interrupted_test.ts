/**
 * What a job that goes on from a checkpoint must neither lose nor do twice, beside rows and state.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { memory } from "../../connectors/memory/memory.ts";
import { memoryStore } from "../../runtime/checkpoint/memory_store.ts";
import { defineJob } from "../../runtime/job.ts";
import { JobDriver } from "../../runtime/testing/job_driver.ts";
import { ScriptedSource } from "../../runtime/testing/scripted_source.ts";
import { reduce } from "../runtime/deps.ts";

describe("a job that is interrupted", () => {
  it("says again what waited behind a call, behind that call", async () => {
    for (const workers of [1, 2]) {
      const events = new ScriptedSource<number>({ shards: ["a", "b"], watermarks: "channels" });
      const out = memory.sink<string>();
      const job = defineJob({
        name: "held",
        sources: { events },
        sinks: { out },
        build: ({ events }, { out }) =>
          events
            .mapAsync("call", async (n, { delay }) => {
              await delay(100);
              return n;
            })
            .keyBy(() => "all")
            .process("look", {
              state: {},
              onEvent: (n, { watermark }) => [`${n} after ${watermark}`],
            })
            .to(out),
      });
      const checkpoints = memoryStore();
      const first = await JobDriver.start(job, { checkpoints });
      events.push("b", { event: { kind: "advance", at: 3 } });
      await first.settle();
      events.push("b", { event: { kind: "idle" } });
      events.push("a", { value: 1 }, { event: { kind: "advance", at: 7 } });
      // Behind the row's call they all wait.
      await first.settle();
      await first.checkpoint();
      await first.leave();
      assertEquals(out.rows, []);
      const options = { workers, startTime: first.now, checkpoints };
      const second = await JobDriver.start(job, options);
      await second.advanceTo(second.now + 100);
      events.push("a", { value: 2 });
      await second.settle();
      await second.advanceTo(second.now + 100);
      assertEquals(out.rows, ["1 after -Infinity", "2 after 7"], `${workers} workers`);
      await second.stop();
    }
  });

  it("lets operators complete once, though it is started again after its end", async () => {
    const numbers = new ScriptedSource<number>({ shards: ["a"], bounded: true });
    const out = memory.sink<number>();
    const job = defineJob({
      name: "ended",
      sources: { numbers },
      sinks: { out },
      maxParallelism: 4,
      build: ({ numbers }, { out }) =>
        numbers
          .keyBy((n) => n)
          .process("pass", { state: {}, onEvent: (n) => [n] })
          .pipe(reduce((sum: number, n: number) => sum + n, 0))
          .to(out),
    });
    const checkpoints = memoryStore();
    const first = await JobDriver.start(job, { checkpoints });
    numbers.push("a", { value: 5 });
    numbers.end("a");
    await first.settle();
    assertEquals([first.ended, out.rows.toSorted()], [true, [0, 0, 0, 5]]);
    const second = await JobDriver.start(job, { workers: 3, checkpoints });
    await second.settle();
    assertEquals([second.ended, out.rows.length], [true, 4]);
  });

  it("loses what comes after the last checkpoint when it is left, and frees its sinks", async () => {
    const numbers = new ScriptedSource<number>({ shards: ["a"] });
    const out = memory.sink<number>();
    const job = defineJob({
      name: "left",
      sources: { numbers },
      sinks: { out },
      build: ({ numbers }, { out }) => numbers.to(out),
    });
    const driver = await JobDriver.start(job, { checkpoints: memoryStore() });
    await driver.leave();
    numbers.push("a", { value: 1 });
    assertEquals([driver.ended, out.rows], [true, []]);
  });
});
