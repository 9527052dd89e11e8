/**
 * Shards move between workers while the job runs: whatever the moment, nothing is lost, doubled or out of order, and event
 * time goes on as if they had stayed.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { scan } from "npm:rxjs@7.8.2";
import { memory } from "../../connectors/memory/memory.ts";
import { memoryStore } from "../../runtime/checkpoint/memory_store.ts";
import { fused } from "../../operators/fused.ts";
import { defineJob } from "../../runtime/job.ts";
import { type Random, seededRandom } from "../../runtime/random.ts";
import { store } from "../../runtime/state/state.ts";
import type { Stream } from "../../runtime/stream.ts";
import { JobDriver } from "../../runtime/testing/job_driver.ts";
import { ScriptedSource } from "../../runtime/testing/scripted_source.ts";
import { transactionalSink } from "../../runtime/testing/transactional_sink.ts";

interface Step {
  readonly key: string;
  readonly n: number;
  readonly at: number;
}

/** What stands between the source and the keys. */
type Front = (steps: Stream<Step>) => Stream<Step>;

const timed: Front = (steps) => steps.eventTime({ timestamp: ({ at }) => at, outOfOrderness: 20 });
const called: Front = (steps) =>
  steps.mapAsync("call", async (step, { delay }) => {
    await delay(step.at % 4);
    return step;
  });
const passed: Front = (steps) => steps.pipe(fused<Step, Step>((step, emit) => emit(step)));
const isEven = ({ n }: Step) => n % 2 === 0;
const some = (which: (step: Step) => boolean) =>
  fused<Step, Step>((step, emit) => {
    if (which(step)) emit(step);
  });

const FRONTS: Readonly<Record<string, Front>> = {
  "event time": timed,
  "event time once a period, with idleness": (steps) =>
    steps.eventTime({
      ...{ timestamp: ({ at }) => at, outOfOrderness: 20, emitEvery: 5, idleAfter: 30 },
    }),
  "event time, then calls": (steps) => called(timed(steps)),
  "calls, then event time": (steps) => timed(called(steps)),
  "two branches, one behind calls": (steps) => {
    const all = timed(steps);
    return all.pipe(some(isEven))
      .merge(called(all.pipe(some((step) => !isEven(step)))));
  },
  "two branches, each with a time of its own": (steps) =>
    timed(steps.pipe(some(isEven)))
      .merge(timed(called(steps.pipe(some((step) => !isEven(step)))))),
};

const SHARDS = ["a", "b", "c"];

/** Counts each key's steps, says which come late, and has a timer for each. */
function counting(
  front: Front,
  source = new ScriptedSource<Step>({ shards: SHARDS, bounded: true }),
) {
  const out = memory.sink<string>();
  const job = defineJob({
    name: "counting",
    maxParallelism: 8,
    sources: { steps: source },
    sinks: { out },
    build({ steps }, { out }) {
      front(steps).keyBy(({ key, n }) => `${key}${n % 2}`).process("count", {
        state: { count: store.value(0) },
        onEvent({ n, at }, { key, state, watermark, setTimer }) {
          setTimer(at + 10);
          return [`${key} ${n} #${++state.count.value}${at <= watermark ? " late" : ""}`];
        },
        onTimer: (_, { key, timestamp }) => [`${key} at ${timestamp}`],
      }).to(out);
    },
  });
  return { source, out, job };
}

/** Steps by round: each key in one shard, times out of order by less than is allowed. */
function rounds(random: Random, count = 8): [shard: string, step: Step][][] {
  const last = new Map<string, number>();
  return Array.from({ length: count }, (_, round) =>
    Array.from({ length: 12 }, (_, place) => {
      const number = Math.floor(random() * 9);
      const key = `k${number}`;
      const n = (last.get(key) ?? 0) + 1;
      last.set(key, n);
      const at = 100 * round + 8 * place + Math.floor(random() * 8);
      return [SHARDS[number % 3] ?? "a", { key, n, at }];
    }));
}

/** By key, what came out, in order. */
function byKey(rows: readonly string[]): Record<string, string[]> {
  const of: Record<string, string[]> = {};
  for (const row of rows) (of[row.split(" ")[0] ?? ""] ??= []).push(row);
  return of;
}

/** Some shard to some other worker, if there is one. */
function someMove(driver: JobDriver, workers: number, random: Random) {
  const all = driver.shardsOf.flatMap((shards, from) => shards.map((of) => ({ ...of, from })));
  const move = all[Math.floor(random() * all.length)];
  const to = Math.floor(random() * workers);
  return move === undefined || move.from === to ? undefined : { ...move, to };
}

type Rounds = ReturnType<typeof rounds>;

async function undisturbed(front: Front, all: Rounds) {
  const { source, out, job } = counting(front);
  const driver = await JobDriver.start(job);
  for (const round of all) {
    for (const [shard, value] of round) source.push(shard, { value });
    await driver.advanceTo(driver.now + 20);
  }
  for (const shard of SHARDS) source.end(shard);
  await driver.advanceTo(driver.now + 100);
  assert(driver.ended);
  return byKey(out.rows);
}

describe("shards that move", () => {
  for (const [name, front] of Object.entries(FRONTS)) {
    it(`change nothing of what comes out, at any moment: ${name}`, async () => {
      let moved = 0;
      for (let seed = 1; seed <= 15; seed++) {
        const random = seededRandom(seed);
        const all = rounds(random);
        const { source, out, job } = counting(front);
        const workers = 2 + seed % 3;
        const driver = await JobDriver.start(job, { workers, seed });
        const move = async () => {
          const which = someMove(driver, workers, random);
          if (which === undefined) return;
          const done = await driver.moveShard(which);
          assertEquals(done && { source: done.source, shard: done.shard, to: done.to }, {
            ...{ source: which.source, shard: which.shard, to: which.to },
          });
          assert(driver.shardsOf[which.to]?.some(({ shard }) => shard === which.shard));
          moved++;
        };
        for (const round of all) {
          for (const [shard, value] of round) {
            source.push(shard, { value });
            if (random() < 0.1) await move();
          }
          await move();
          await driver.advanceTo(Math.max(driver.now, driver.now + 20));
        }
        for (const shard of SHARDS) source.end(shard);
        await driver.advanceTo(driver.now + 100);
        assert(driver.ended);
        const expected = await undisturbed(front, all);
        assertEquals(sorted(byKey(out.rows)), sorted(expected), `seed ${seed}`);
        assertEquals(steps(out.rows), stepsOf(expected), `seed ${seed}`);
      }
      assert(moved > 50, `${moved} shards moved`);
    });

    it(`are in the next checkpoint once, where they are read now: ${name}`, async () => {
      for (let seed = 1; seed <= 15; seed++) {
        const random = seededRandom(300 + seed);
        const all = rounds(random);
        const { source, out, job } = counting(front);
        const checkpoints = memoryStore();
        let workers = 3;
        let driver = await JobDriver.start(job, { workers, seed, checkpoints });
        for (const [number, round] of all.entries()) {
          for (const [shard, value] of round) source.push(shard, { value });
          for (let left = Math.floor(random() * 3); left > 0; left--) {
            const which = someMove(driver, workers, random);
            if (which !== undefined) await driver.moveShard(which);
          }
          // Calls are answered by then: what is written twice after a restart would have to be told apart.
          await driver.advanceTo(driver.now + 20);
          if (random() < 0.4) continue;
          await driver.checkpoint();
          if (random() < 0.4) continue;
          await driver.leave();
          workers = 1 + Math.floor(random() * 3);
          const startTime = driver.now;
          driver = await JobDriver.start(job, {
            workers,
            seed: seed + number,
            checkpoints,
            startTime,
          });
        }
        for (const shard of SHARDS) source.end(shard);
        await driver.advanceTo(driver.now + 100);
        assert(driver.ended);
        assertEquals(
          sorted(byKey(out.rows)),
          sorted(await undisturbed(front, all)),
          `seed ${seed}`,
        );
      }
    });
  }

  for (const drain of [false, true]) {
    it(`are not lost when the job is stopped meanwhile${drain ? " and drained" : ""}`, async () => {
      let between = 0;
      for (let seed = 1; seed <= 60; seed++) {
        const random = seededRandom(600 + seed);
        const all = rounds(random, 4);
        const { source, out, job } = counting(called);
        const checkpoints = memoryStore();
        const driver = await JobDriver.start(job, { workers: 3, seed, checkpoints });
        for (const [shard, value] of (all[0] ?? [])) source.push(shard, { value });
        await driver.settle();
        for (const [shard, value] of (all[1] ?? [])) source.push(shard, { value });
        const move = someMove(driver, 3, random);
        const moving = move && driver.moveShard(move);
        for (let left = Math.floor(random() * 80); left > 0; left--) await Promise.resolve();
        const outcome = await driver.stop(drain);
        assertEquals(outcome.kind, "finished");
        if (move !== undefined && await moving === undefined) between++;
        const again = await JobDriver.start(job, { workers: 2, seed, checkpoints });
        for (const round of all.slice(2)) {
          for (const [shard, value] of round) source.push(shard, { value });
        }
        for (const shard of SHARDS) source.end(shard);
        await again.advanceTo(again.now + 100);
        assert(again.ended);
        // Where time was drained, all that comes later is late.
        const found = steps(out.rows.map((row) => drain ? row.replace(" late", "") : row));
        assertEquals(found, stepsOf(await undisturbed(called, all)), `seed ${seed}`);
      }
      assert(between > 10, `${between} moves came to nothing`);
    });
  }

  it("end while they move, and their children go on in their place", async () => {
    let moved = 0;
    let stayed = 0;
    for (let seed = 1; seed <= 90; seed++) {
      const random = seededRandom(900 + seed);
      const all = rounds(random, 3);
      const [first = [], second = [], third = []] = all;
      const { source, out, job } = counting(timed);
      source.add("left", ["a"]);
      source.add("whole", ["left", "b"]);
      const driver = await JobDriver.start(job, { workers: 3, seed });
      for (const [shard, value] of first) source.push(shard, { value });
      if (random() < 0.5) await driver.settle();
      const place = (shard: string) => shard === "a" ? "left" : shard;
      const moving = someMove(driver, 3, random);
      const before = random() < 0.5;
      for (let left = Math.floor(random() * 10); left > 0; left--) await Promise.resolve();
      if (before) source.end("a");
      const running = moving && driver.moveShard(moving);
      for (let left = Math.floor(random() * 40); left > 0; left--) await Promise.resolve();
      if (!before) source.end("a");
      for (const [shard, value] of second) source.push(place(shard), { value });
      if (running !== undefined && await running === undefined) stayed++;
      else moved++;
      const later = random() < 0.5 ? someMove(driver, 3, random) : undefined;
      source.end("left");
      source.end("b");
      for (const [shard, value] of third) {
        source.push(shard === "c" ? "c" : "whole", { value });
      }
      if (later !== undefined) await driver.moveShard(later);
      source.end("whole");
      source.end("c");
      await driver.settle();
      assert(driver.ended, `seed ${seed}`);
      assertEquals(
        sorted(byKey(out.rows)),
        sorted(await undisturbed(timed, all)),
        `seed ${seed}`,
      );
      assertEquals(out.rows.filter((row) => row.endsWith("late")), []);
    }
    assert(moved > 10 && stayed > 3, `${moved} moved, ${stayed} stayed`);
  });

  it("stay idle, and come back on time", async () => {
    const outputs: string[][] = [];
    for (const moves of [false, true]) {
      const { source, out, job } = counting((steps) =>
        steps.eventTime({ timestamp: ({ at }) => at, emitEvery: 10, idleAfter: 30 })
      );
      const driver = await JobDriver.start(job, { workers: 2 });
      const step = (shard: string, n: number, at: number) =>
        source.push(shard, { value: { key: shard, n, at } });
      const move = async (shard: string) => {
        const from = driver.shardsOf.findIndex((of) => of.some((other) => other.shard === shard));
        if (moves) await driver.moveShard({ source: "steps", shard, from, to: 1 - from });
      };
      const seen: string[] = [];
      const look = (what: string) => seen.push(`${what}: ${out.rows.toSorted()}`);
      for (const shard of SHARDS) step(shard, 1, 100);
      await driver.advanceTo(10);
      await move("b");
      step("a", 2, 120);
      step("c", 2, 120);
      await driver.advanceTo(40);
      look("b and c are not idle yet");
      await move("a");
      await driver.advanceTo(50);
      step("a", 3, 200);
      await move("b");
      await driver.advanceTo(55);
      look("b and c are not idle, though they soon are");
      await driver.advanceTo(65);
      look("b and c are idle");
      await driver.advanceTo(100);
      await move("b");
      step("a", 4, 300);
      await driver.advanceTo(120);
      look("b is still idle");
      step("b", 3, 350);
      step("c", 3, 320);
      step("a", 5, 400);
      await driver.advanceTo(140);
      look("all are there again");
      await driver.advanceTo(300);
      look("all are idle");
      for (const shard of SHARDS) source.end(shard);
      await driver.settle();
      look("the end");
      outputs.push(seen);
    }
    assertEquals(outputs[1], outputs[0]);
    assert(new Set(outputs[0]).size > 5, "each look sees something else");
  });

  it("hold back the sink's writer where they are read, and no other", async () => {
    const source = new ScriptedSource<number>({ shards: SHARDS });
    const marks: string[] = [];
    const out = transactionalSink<number>({
      name: "out",
      onMark: (writer, at) => marks.push(`${writer}: ${at}`),
    });
    const job = defineJob({
      name: "marked",
      sources: { numbers: source },
      sinks: { out },
      build: ({ numbers }, { out }) => numbers.to(out),
    });
    const driver = await JobDriver.start(job, { workers: 2 });
    const say = async (shard: string, at: number) => {
      source.push(shard, { event: { kind: "advance", at } });
      await driver.settle();
      return marks.splice(0);
    };
    assertEquals(await say("a", 5), []);
    assertEquals(await say("c", 100), ["0: 5"]);
    assertEquals(await say("b", 50), ["1: 50"]);
    await driver.moveShard({ source: "numbers", shard: "a", from: 0, to: 1 });
    assertEquals(marks, []);
    assertEquals(await say("c", 110), ["0: 110"]);
    assertEquals(await say("b", 60), []);
    assertEquals(await say("a", 70), ["1: 60"]);
    await driver.moveShard({ source: "numbers", shard: "a", from: 1, to: 0 });
    assertEquals(await say("b", 80), ["1: 80"]);
    assertEquals(await say("a", 120), []);
    assertEquals(await say("c", 130), ["0: 120"]);
    await driver.stop();
  });

  it("are called for once more by their new worker only after a restart", async () => {
    const { source, out, job } = counting(called);
    const checkpoints = memoryStore();
    const slow = { ...job };
    const first = await JobDriver.start(slow, { workers: 2, checkpoints });
    source.push("a", { value: { key: "k", n: 1, at: 3 } });
    await first.settle();
    await first.checkpoint();
    await first.leave();
    assertEquals(out.rows, []);
    const second = await JobDriver.start(slow, { workers: 2, checkpoints });
    const from = second.shardsOf.findIndex((of) => of.some(({ shard }) => shard === "a"));
    assertEquals(
      (await second.moveShard({ source: "steps", shard: "a", from, to: 1 - from }))?.to,
      1 - from,
    );
    await second.advanceTo(100);
    assertEquals(out.rows, ["k1 1 #1"]);
    await second.leave();
  });

  it("stay where operators remember what is no state, and where there is no such worker", async () => {
    const remembering = counting((steps) => steps.pipe(scan((_: Step, step: Step) => step)));
    const driver = await JobDriver.start(remembering.job, { workers: 2 });
    await assertRejects(
      () => driver.moveShard({ source: "steps", shard: "a", from: 0, to: 1 }),
      Error,
      'RxJS operators behind "steps" remember what is no state',
    );
    await driver.stop();
    const plain = await JobDriver.start(counting(passed).job, { workers: 2 });
    for (const [from, to] of [[1, 0], [0, 2], [0, 0], [0, -1]] as const) {
      await assertRejects(
        () => plain.moveShard({ source: "steps", shard: "a", from, to }),
        RangeError,
        "it is read by worker 0 of 2",
      );
    }
    assertEquals(
      await plain.moveShard({ source: "steps", shard: "gone", from: 0, to: 1 }),
      undefined,
    );
    await plain.stop();
    await assertRejects(
      () => plain.moveShard({ source: "steps", shard: "a", from: 0, to: 1 }),
      Error,
      "not running",
    );
  });
});

/** Timers of a key are in the order of their times; steps and timers of the same moment meet in any order. */
function sorted(rows: Record<string, string[]>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(rows).map(([key, of]) => [key, of.toSorted()]));
}

/** By key, its steps alone, in order. */
function steps(rows: readonly string[]): Record<string, string[]> {
  return byKey(rows.filter((row) => row.includes("#")));
}

function stepsOf(rows: Record<string, string[]>): Record<string, string[]> {
  return steps(Object.values(rows).flat());
}
