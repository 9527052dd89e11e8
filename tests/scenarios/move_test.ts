/**
 * Key groups move between workers while the job runs: whatever the moment, every key goes on with its state and timers, in
 * its order, and nothing is lost or doubled.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { memory } from "../../connectors/memory/memory.ts";
import { memoryStore } from "../../runtime/checkpoint/memory_store.ts";
import { defineJob } from "../../runtime/job.ts";
import { type Random, seededRandom } from "../../runtime/random.ts";
import { store } from "../../runtime/state/state.ts";
import { JobDriver } from "../../runtime/testing/job_driver.ts";
import { ScriptedSource } from "../../runtime/testing/scripted_source.ts";
import type { GroupMove } from "../../runtime/worker/protocol.ts";

interface Step {
  readonly key: string;
  readonly n: number;
}

const GROUPS = 8;
/** The key of steps that say how late it is. */
const TICK = "tick";

/** Counts each key's steps with state of every kind, tells of them when a timer fires, and passes them to a second stage. */
function counting() {
  const steps = new ScriptedSource<Step>({ shards: ["a", "b"], bounded: true });
  const out = memory.sink<string>();
  const job = defineJob({
    name: "counting",
    maxParallelism: GROUPS,
    sources: { steps },
    sinks: { out },
    build({ steps }, { out }) {
      // Event time moves between groups of steps: what a timer sees does not depend on who is faster.
      steps.eventTime({
        timestamp: ({ n }) => n,
        watermark: ({ key, n }) => key === TICK ? n : undefined,
      })
        .keyBy(({ key }) => key)
        .process("first", {
          state: {
            count: store.value(0),
            seen: store.list<number>(),
            last: store.map<string, number>(),
          },
          onEvent({ n }, { key, state, setTimer }) {
            state.count.value++;
            state.seen.add(n);
            state.last.set("last", n);
            setTimer("later", n + 10);
            return [{ key, text: `${key} ${state.count.value}` }];
          },
          onTimer(_, { key, state, timestamp }) {
            const text = `${key} at ${timestamp}: ${[...state.seen]} ${state.last.get("last")}`;
            state.seen.clear();
            if (state.count.value % 3 === 0) state.count.clear();
            return [{ key, text }];
          },
        })
        .keyBy(({ key }) => `${key}'`)
        .process("second", {
          state: { count: store.value(0) },
          onEvent({ text }, { state }) {
            return [`${text} #${++state.count.value}`];
          },
        })
        .to(out);
    },
  });
  return { steps, out, job };
}

/** Some groups to other workers. */
function someMoves(routing: readonly number[], workers: number, random: Random): GroupMove[] {
  return routing.flatMap((from, group) => {
    const to = Math.floor(random() * workers);
    return to !== from && random() < 0.5 ? [{ group, from, to }] : [];
  });
}

/** By key, what came out, in order. */
function byKey(rows: readonly string[]): Record<string, string[]> {
  const of: Record<string, string[]> = {};
  for (const row of rows) (of[row.split(" ")[0] ?? ""] ??= []).push(row);
  return of;
}

/** Steps that are taken together, and the time when they are done. */
interface Round {
  readonly steps: readonly [shard: string, step: Step][];
  readonly at: number;
}

/** Keys of one shard each, so that the order of their steps is known. */
function rounds(random: Random, count = 12, length = 10, keys = 12): Round[] {
  return Array.from({ length: count }, (_, round) => ({
    at: 10 * round + 9,
    steps: Array.from({ length }, (_, at) => {
      const key = Math.floor(random() * keys);
      return [key % 2 === 0 ? "a" : "b", { key: `k${key}`, n: 10 * round + at % 9 }];
    }),
  }));
}

type Source = ReturnType<typeof counting>["steps"];

function take(source: Source, { steps }: Round): void {
  for (const [shard, value] of steps) source.push(shard, { value });
}

function tick(source: Source, { at }: Round): void {
  for (const shard of ["a", "b"]) source.push(shard, { value: { key: TICK, n: at } });
}

function end(source: Source): void {
  for (const shard of ["a", "b"]) source.end(shard);
}

/** What comes out of all rounds without any move. */
async function undisturbed(all: readonly Round[]) {
  const { steps, out, job } = counting();
  const driver = await JobDriver.start(job);
  for (const round of all) {
    take(steps, round);
    await driver.settle();
    tick(steps, round);
    await driver.settle();
  }
  end(steps);
  await driver.settle();
  return byKey(out.rows);
}

describe("key groups that move", () => {
  it("keep state, timers and order, at any moment", async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = seededRandom(seed);
      const all = rounds(random);
      const { steps: source, out, job } = counting();
      const workers = 2 + (seed % 3);
      const driver = await JobDriver.start(job, { workers, seed });
      let moved = 0;
      const move = async () => {
        const moves = someMoves(driver.routing, workers, random);
        if (moves.length === 0) return;
        moved += (await driver.move(moves))?.groups ?? 0;
        for (const { group, to } of moves) assertEquals(driver.routing[group], to);
      };
      for (const round of all) {
        take(source, round);
        await move();
        await driver.settle();
        tick(source, round);
        await move();
        await driver.settle();
      }
      end(source);
      await driver.settle();
      assert(driver.ended);
      assert(moved > 10, `${moved} groups moved`);
      assertEquals(byKey(out.rows), await undisturbed(all), `seed ${seed}`);
    }
  });

  it("hold back what comes behind the barrier until their keys are there", async () => {
    for (let seed = 1; seed <= 12; seed++) {
      const random = seededRandom(2000 + seed);
      // So many that they still come in when the groups are handed over; and keys that come and go meanwhile.
      const all = rounds(random, 3, 3000, 40);
      const { steps: source, out, job } = counting();
      const driver = await JobDriver.start(job, { workers: 3, seed });
      for (const round of all) {
        take(source, round);
        for (let moved = 0; moved < 3; moved++) {
          const moves = someMoves(driver.routing, 3, random);
          if (moves.length > 0) await driver.move(moves);
        }
        await driver.settle();
        tick(source, round);
        await driver.settle();
      }
      end(source);
      await driver.settle();
      assertEquals(byKey(out.rows), await undisturbed(all), `seed ${seed}`);
    }
  });

  it("are in the next checkpoint with all they have, and only once", async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = seededRandom(1000 + seed);
      const all = rounds(random);
      const { steps: source, out, job } = counting();
      const checkpoints = memoryStore();
      let workers = 3;
      let driver = await JobDriver.start(job, { workers, seed, checkpoints });
      for (const round of all) {
        take(source, round);
        const moves = random() < 0.5 ? someMoves(driver.routing, workers, random) : [];
        if (moves.length > 0) await driver.move(moves);
        await driver.settle();
        tick(source, round);
        await driver.settle();
        if (random() < 0.5) continue;
        await driver.checkpoint();
        if (random() < 0.5) continue;
        await driver.leave();
        workers = 1 + Math.floor(random() * 3);
        driver = await JobDriver.start(job, { workers, seed: seed + round.at, checkpoints });
      }
      end(source);
      await driver.settle();
      assertEquals(byKey(out.rows), await undisturbed(all), `seed ${seed}`);
    }
  });
});
