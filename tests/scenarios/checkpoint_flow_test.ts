/**
 * What goes on over a restart besides the state of keys: sinks' transactions, broadcast state, side outputs, timers,
 * shards that were split, and ends.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { memory } from "../../connectors/memory/memory.ts";
import { memoryStore } from "../../runtime/checkpoint/memory_store.ts";
import { defineJob } from "../../runtime/job.ts";
import { side } from "../../runtime/side.ts";
import { store } from "../../runtime/state/state.ts";
import type { Stream } from "../../runtime/stream.ts";
import { JobDriver } from "../../runtime/testing/job_driver.ts";
import { ScriptedSource } from "../../runtime/testing/scripted_source.ts";
import { TransactionalSink } from "./transactional_sink.ts";

const WORKERS = [[1, 1], [1, 3], [3, 2], [2, 1]] as const;
const numbersFrom = (first: number, count: number) =>
  Array.from({ length: count }, (_, n) => ({ value: first + n }));
const byNumber = (a: string, b: string) => parseInt(a) - parseInt(b);

/** Counts per key into a transactional sink, fed by two stages. */
function counting({ bounded = false } = {}) {
  const numbers = new ScriptedSource<number>({ shards: ["a", "b"], bounded });
  const out = new TransactionalSink<string>();
  const job = defineJob({
    name: "counting",
    sources: { numbers },
    sinks: { out },
    onError: "stop",
    build({ numbers }, { out }) {
      numbers.keyBy((n) => n % 5).process("count", {
        state: { count: store.value(0) },
        onEvent(n, { state }) {
          if (n < 0) throw new Error("poison");
          return [`${n}: ${++state.count.value}`];
        },
      }).to(out);
    },
  });
  return { numbers, out, job };
}

/** What counting gives for the numbers below `count` in one shard. */
const counted = (count: number) =>
  Array.from({ length: count }, (_, n) => `${n}: ${Math.floor(n / 5) + 1}`);

describe("a transactional sink", () => {
  it("shows what was before a checkpoint, and each row once over a restart", async () => {
    for (const [before, after] of WORKERS) {
      const { numbers, out, job } = counting();
      const checkpoints = memoryStore();
      const first = await JobDriver.start(job, { workers: before, checkpoints });
      numbers.push("a", ...numbersFrom(0, 10));
      await first.settle();
      assertEquals(out.visible, []);
      await first.checkpoint();
      await first.settle();
      assertEquals(out.visible.toSorted(byNumber), counted(10));
      numbers.push("a", ...numbersFrom(10, 10));
      await first.settle();
      assertEquals([out.visible.length, out.written], [10, 20]);
      const second = await JobDriver.start(job, { workers: after, seed: 9, checkpoints });
      await second.checkpoint();
      await second.settle();
      assertEquals(out.visible.toSorted(byNumber), counted(20), `${before} to ${after}`);
    }
  });

  it("shows nothing of what came after the last checkpoint when the job fails", async () => {
    const { numbers, out, job } = counting();
    const checkpoints = memoryStore();
    const first = await JobDriver.start(job, { workers: 2, checkpoints });
    numbers.push("a", ...numbersFrom(0, 10));
    await first.settle();
    await first.checkpoint();
    numbers.push("a", ...numbersFrom(10, 5), { value: -1 });
    await assertRejects(() => first.settle(), Error, "poison");
    assertEquals(out.visible.toSorted(byNumber), counted(10));
  });

  it("shows all rows at the end of a bounded job, and the last checkpoint has nothing left to do", async () => {
    for (const workers of [1, 3]) {
      const { numbers, out, job } = counting({ bounded: true });
      const checkpoints = memoryStore();
      numbers.push("a", ...numbersFrom(0, 12));
      for (const shard of ["a", "b"]) numbers.end(shard);
      const first = await JobDriver.start(job, { workers, checkpoints });
      assertEquals((await first.stop()).kind, "finished");
      assertEquals(out.visible.toSorted(byNumber), counted(12));
      const second = await JobDriver.start(job, { workers: 2, checkpoints });
      assertEquals([second.ended, out.visible.length, out.written], [true, 12, 12]);
    }
  });

  it("goes on exactly where a job was stopped", async () => {
    for (const [before, after] of WORKERS) {
      const { numbers, out, job } = counting();
      const checkpoints = memoryStore();
      const first = await JobDriver.start(job, { workers: before, checkpoints });
      numbers.push("a", ...numbersFrom(0, 7));
      await first.settle();
      assertEquals((await first.stop()).kind, "finished");
      assertEquals(out.visible.toSorted(byNumber), counted(7));
      numbers.push("a", ...numbersFrom(7, 6));
      const second = await JobDriver.start(job, { workers: after, checkpoints });
      assertEquals((await second.stop()).kind, "finished");
      assertEquals([out.visible.toSorted(byNumber), out.written], [counted(13), 13]);
    }
  });
});

describe("a checkpoint", () => {
  it("may be asked for again while one is under way, on many workers and in any order of turns", async () => {
    for (let seed = 1; seed <= 12; seed++) {
      const { numbers, out, job } = counting();
      const checkpoints = memoryStore();
      const first = await JobDriver.start(job, { workers: 3, seed, checkpoints });
      numbers.push("a", ...numbersFrom(0, 40));
      await Promise.all([first.checkpoint(), first.checkpoint(), first.checkpoint()]);
      await first.settle();
      const second = await JobDriver.start(job, { workers: 2, seed, checkpoints });
      await second.stop();
      assertEquals(out.visible.toSorted(byNumber), counted(40), `seed ${seed}`);
    }
  });

  it("is whole while a source, and stages behind it, have ended and others go on", async () => {
    const rowsOf = async (seed: number, before: number, after: number, merged: boolean) => {
      const few = new ScriptedSource<number>({ shards: ["x"], bounded: true });
      const many = new ScriptedSource<number>({ shards: ["a", "b"] });
      const out = new TransactionalSink<string>();
      const count = (name: string, numbers: Stream<number>) =>
        numbers.keyBy((n) => n % 5).process(name, {
          state: { count: store.value(0) },
          onEvent: (n, { state }) => [`${n}: ${++state.count.value}`],
        });
      const job = defineJob({
        name: "ended",
        sources: { few, many },
        sinks: { out },
        build({ few, many }, { out }) {
          if (merged) return count("count", few.merge(many)).to(out);
          count("count few", few).to(out);
          count("count many", many).to(out);
        },
      });
      const checkpoints = memoryStore();
      few.push("x", ...numbersFrom(0, 5));
      few.end("x");
      const first = await JobDriver.start(job, { workers: before, seed, checkpoints });
      await first.settle();
      many.push("a", ...numbersFrom(5, 5));
      await Promise.all([first.checkpoint(), first.checkpoint()]);
      many.push("a", ...numbersFrom(10, 5));
      await first.settle();
      const second = await JobDriver.start(job, { workers: after, seed, checkpoints });
      await second.checkpoint();
      await second.settle();
      return out.visible.toSorted(byNumber);
    };
    const apart = [
      ...counted(5),
      ...counted(10).map((line) => {
        const [n, count] = line.split(": ");
        return `${Number(n) + 5}: ${count}`;
      }),
    ];
    for (const [before, after] of WORKERS) {
      for (let seed = 1; seed <= 5; seed++) {
        const of = `${before} to ${after}, seed ${seed}`;
        assertEquals(await rowsOf(seed, before, after, true), counted(15), of);
        assertEquals(await rowsOf(seed, before, after, false), apart, of);
      }
    }
  });
});

describe("a restart", () => {
  it("keeps broadcast state and side outputs going", async () => {
    for (const [before, after] of WORKERS) {
      const payments = new ScriptedSource<{ key: string; amount: number }>({ shards: ["p"] });
      const rules = new ScriptedSource<{ rule: string; least: number }>({ shards: ["r"] });
      const [out, large, told] = [
        memory.sink<string>(),
        memory.sink<string>(),
        memory.sink<string>(),
      ];
      const job = defineJob({
        name: "rules",
        sources: { payments, rules },
        sinks: { out, large, told },
        build({ payments, rules }, { out, large, told }) {
          const matched = payments.keyBy(({ key }) => key).connectBroadcast(rules)
            .process("match", {
              state: { sum: store.value(0) },
              broadcast: { rules: store.map<string, number>(), count: store.value(0) },
              sides: { large: side<string>() },
              onEvent({ amount }, { key, state, broadcast, side }): string[] {
                const sum = state.sum.value += amount;
                for (const [rule, least] of broadcast.rules.entries()) {
                  if (sum >= least) side.large(`${key} ${sum} ${rule}`);
                }
                return [`${key} ${sum} of ${broadcast.count.value}`];
              },
              onBroadcast({ rule, least }, { broadcast }): string[] {
                broadcast.rules.set(rule, least);
                broadcast.count.value++;
                return [];
              },
            });
          matched.to(out);
          matched.sides.large.to(large);
          matched.sides.large.keyBy(() => "all").process("told", {
            state: { lines: store.value(0) },
            onEvent: (line, { state }) => [`${++state.lines.value}. ${line}`],
          }).to(told);
        },
      });
      const checkpoints = memoryStore();
      const first = await JobDriver.start(job, { workers: before, checkpoints });
      rules.push("r", { value: { rule: "ten", least: 10 } });
      await first.settle();
      payments.push("p", { value: { key: "a", amount: 11 } }, { value: { key: "b", amount: 2 } });
      await first.settle();
      await first.checkpoint();
      rules.push("r", { value: { rule: "twelve", least: 12 } });
      await first.settle();
      const rowsBefore = [out, large, told].map(({ rows }) => rows.length);
      assertEquals(rowsBefore, [2, 1, 1]);
      const second = await JobDriver.start(job, { workers: after, seed: 3, checkpoints });
      await second.settle();
      payments.push("p", { value: { key: "a", amount: 1 } }, { value: { key: "b", amount: 3 } });
      await second.settle();
      assertEquals(
        out.rows.slice(2).toSorted(),
        ["a 12 of 2", "b 5 of 2"],
        `${before} to ${after}`,
      );
      assertEquals(large.rows.slice(1), ["a 12 ten", "a 12 twelve"]);
      assertEquals(told.rows.slice(1), ["2. a 12 ten", "3. a 12 twelve"]);
    }
  });

  it("reads children after parents whose split it has not seen the end of, and each record once", async () => {
    for (const [before, after] of WORKERS) {
      for (const when of ["before the split", "between", "after"]) {
        const { numbers, out, job } = counting();
        const checkpoints = memoryStore();
        const first = await JobDriver.start(job, { workers: before, checkpoints });
        numbers.push("a", ...numbersFrom(0, 10));
        await first.settle();
        if (when === "before the split") await first.checkpoint();
        numbers.add("left", ["a"]);
        numbers.add("right", ["a"]);
        numbers.push("left", ...numbersFrom(10, 5));
        numbers.end("a");
        if (when === "between") await first.checkpoint();
        await first.settle();
        if (when === "after") await first.checkpoint();
        numbers.push("right", ...numbersFrom(15, 5));
        await first.settle();
        const second = await JobDriver.start(job, { workers: after, seed: 4, checkpoints });
        await second.stop();
        const of = `${when}, ${before} to ${after}`;
        assertEquals(out.visible.map((line) => parseInt(line)).toSorted((a, b) => a - b), [
          ...Array.from({ length: 20 }, (_, n) => n),
        ], of);
        const counts = out.visible.map((line) => line.split(": ")[1]).toSorted();
        assertEquals(counts, counted(20).map((line) => line.split(": ")[1]).toSorted(), of);
      }
    }
  });

  it("keeps timers of event time and of processing time, and watermarks", async () => {
    for (const [before, after] of WORKERS) {
      const ticks = new ScriptedSource<{ key: string; at: number }>({ shards: ["a"] });
      const out = memory.sink<string>();
      const job = defineJob({
        name: "timers",
        sources: { ticks },
        sinks: { out },
        build({ ticks }, { out }) {
          ticks.eventTime({ timestamp: ({ at }) => at }).keyBy(({ key }) => key).process("time", {
            state: { seen: store.value(0) },
            onEvent({ at }, { key, state, watermark, processingTime, ...context }) {
              state.seen.value++;
              context.setTimer("event", at + 10);
              context.setProcessingTimer("clock", processingTime + 100);
              return [`${key} ${at} after ${watermark}`];
            },
            onTimer: (name, { key, state, timestamp }) => [
              `${key} ${name} ${timestamp} of ${state.seen.value}`,
            ],
          }).to(out);
        },
      });
      const checkpoints = memoryStore();
      const first = await JobDriver.start(job, { workers: before, checkpoints });
      ticks.push("a", { value: { key: "x", at: 5 } }, { value: { key: "y", at: 8 } });
      await first.settle();
      await first.checkpoint();
      const rowsBefore = out.rows.length;
      const second = await JobDriver.start(job, {
        workers: after,
        seed: 3,
        startTime: 50,
        checkpoints,
      });
      assertEquals(out.rows.length, rowsBefore);
      ticks.push("a", { value: { key: "z", at: 17 } });
      await second.settle();
      const of = `${before} to ${after}`;
      assertEquals(out.rows.slice(rowsBefore).toSorted(), ["x event 15 of 1", "z 17 after 7"], of);
      await second.advanceTo(99);
      assertEquals(out.rows.length, rowsBefore + 2);
      await second.advanceTo(100);
      assertEquals(out.rows.slice(rowsBefore + 2).toSorted(), [
        "x clock 100 of 1",
        "y clock 100 of 1",
      ], of);
    }
  });
});
