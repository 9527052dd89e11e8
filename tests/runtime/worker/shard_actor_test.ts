/**
 * Where a shard actor stands between rows and marks; the rest is tested with its stage (`source_stage_test.ts`).
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { memoryStore } from "../../../runtime/checkpoint/memory_store.ts";
import { defineJob } from "../../../runtime/job.ts";
import { JobDriver } from "../../../runtime/testing/job_driver.ts";
import { ScriptedSource, type ScriptedStep } from "../../../runtime/testing/scripted_source.ts";
import type { Sink, SinkMark } from "../../../connectors/sink.ts";

const BUSY_MS = 10;

/** What a sink is given, marks and rows in one list. After each row it wants no more for a while. */
function logged(log: string[]): Sink<number> {
  const written = (mark: SinkMark) => "at" in mark ? `until ${mark.at}` : mark.kind;
  return {
    guarantee: "at least once",
    kind: "log",
    name: "log",
    open: ({ clock }) =>
      Promise.resolve({
        write({ length, values }) {
          for (const value of values.slice(0, length)) log.push(String(value));
          return new Promise((resolve) => void clock.setTimer(BUSY_MS, resolve));
        },
        mark: (mark) => void log.push(written(mark)),
        flush: () => Promise.resolve(),
        close: () => Promise.resolve(),
        pending: () => 0,
      }),
  };
}

describe("ShardActor", () => {
  it("goes on behind the last row or mark that was handled, in the midst of a batch too", async () => {
    const idle = { event: { kind: "idle" } } as const;
    const active = { event: { kind: "active" } } as const;
    const at = (at: number) => ({ event: { kind: "advance", at } }) as const;
    const steps: readonly ScriptedStep<number>[] = [
      ...[at(1), idle, active, { value: 1 }, idle, active, idle, active, { value: 2 }],
      ...[{ value: 3 }, at(5), idle, active, at(6), { value: 4 }, idle],
    ];
    const start = () => {
      const log: string[] = [];
      const job = defineJob({
        name: "marks",
        sources: { source: new ScriptedSource<number>({ shards: [] }) },
        sinks: { out: logged(log) },
        build: ({ source }, { out }) => source.to(out),
      });
      const source = new ScriptedSource<number>({ shards: ["a"] });
      source.push("a", ...steps);
      return { log, job: { ...job, sources: { source } } };
    };
    const wait = async (driver: JobDriver, times: number) => {
      for (let i = 0; i < times; i++) await driver.advanceTo(driver.now + BUSY_MS);
    };
    const { job, log: whole } = start();
    await wait(await JobDriver.start(job), steps.length);
    const cuts = new Set<number>();
    for (let times = 0; times <= 6; times++) {
      const { job, log } = start();
      const checkpoints = memoryStore();
      const first = await JobDriver.start(job, { checkpoints });
      await wait(first, times);
      await first.checkpoint();
      await first.leave();
      const before = log.splice(0);
      const second = await JobDriver.start(job, { checkpoints, startTime: first.now });
      await wait(second, steps.length);
      const cut = whole.length - log.length;
      cuts.add(cut);
      // What the first run still did behind its checkpoint comes again, in the second one.
      assertEquals([...before.slice(0, cut), ...log], whole, `left after ${times}`);
    }
    // The first two lie between marks. Of splits, idleness that came twice would be said twice.
    assertEquals([...cuts], [4, 9, 14]);
  });
});
