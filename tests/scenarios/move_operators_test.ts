/**
 * Operators that have more than state of their keys, and key groups that move from under them: calls under way, broadcast
 * state, timers by the worker's clock, two inputs.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { memory } from "../../connectors/memory/memory.ts";
import { defineJob } from "../../runtime/job.ts";
import { type Random, seededRandom } from "../../runtime/random.ts";
import { store } from "../../runtime/state/state.ts";
import { JobDriver } from "../../runtime/testing/job_driver.ts";
import { ScriptedSource } from "../../runtime/testing/scripted_source.ts";
import type { GroupMove } from "../../runtime/worker/protocol.ts";
import { byKey, type Step } from "./counted_steps.ts";

const WORKERS = 3;
const GROUPS = 8;
const KEYS = 10;
const SEEDS = 25;

/** All groups, most of them to other workers. */
function moves(routing: readonly number[], random: Random): GroupMove[] {
  return routing.flatMap((from, group) => {
    const to = Math.floor(random() * WORKERS);
    return to === from ? [] : [{ group, from, to }];
  });
}

/** Steps of a round, each key in one shard. */
function round(random: Random, at: number): [shard: string, Step][] {
  return Array.from({ length: 12 }, (_, n) => {
    const key = Math.floor(random() * KEYS);
    return [key % 2 === 0 ? "a" : "b", { key: `k${key}`, n: 100 * at + n }];
  });
}

function source(): ScriptedSource<Step> {
  return new ScriptedSource<Step>({ shards: ["a", "b"], bounded: true });
}

function push(to: ScriptedSource<Step>, steps: readonly [string, Step][]): void {
  for (const [shard, value] of steps) to.push(shard, { value });
}

describe("key groups that move", () => {
  it("wait for calls of their records, whose answers nothing overtakes", async () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const random = seededRandom(seed);
      const steps = source();
      const out = memory.sink<string>();
      const job = defineJob({
        name: "calls",
        maxParallelism: GROUPS,
        sources: { steps },
        sinks: { out },
        build({ steps }, { out }) {
          steps.keyBy(({ key }) => key).process("count", {
            state: { count: store.value(0) },
            onEvent: ({ key }, { state }) => [{ key, count: ++state.count.value }],
          }).mapAsync("ask", async (of, { delay }) => {
            await delay((of.count * 7919) % 40);
            return of;
          }).keyBy(({ key }) => `${key}'`).process("after", {
            state: { last: store.value(0) },
            onEvent({ key, count }, { state }) {
              const before = state.last.value;
              state.last.value = count;
              return [`${key} ${before} ${count}`];
            },
          }).to(out);
        },
      });
      const driver = await JobDriver.start(job, { workers: WORKERS, seed });
      const counts = new Map<string, number>();
      for (let at = 0; at < 6; at++) {
        const of = round(random, at);
        for (const [, { key }] of of) counts.set(key, (counts.get(key) ?? 0) + 1);
        push(steps, of);
        if (at % 2 === 0) await driver.settle();
        await driver.move(moves(driver.routing, random));
      }
      for (const shard of ["a", "b"]) steps.end(shard);
      await driver.advanceTo(driver.now + 10_000);
      assert(driver.ended);
      const expected = [...counts].map(([key, count]) => [
        key,
        Array.from({ length: count }, (_, n) => `${key} ${n} ${n + 1}`),
      ]);
      assertEquals(byKey(out.rows), Object.fromEntries(expected), `seed ${seed}`);
    }
  });

  it("are visited once by a broadcast record, and see its state", async () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const random = seededRandom(seed);
      const steps = source();
      const rules = new ScriptedSource<number>({ shards: ["r"], bounded: true });
      const out = memory.sink<string>();
      const job = defineJob({
        name: "rules",
        maxParallelism: GROUPS,
        sources: { steps, rules },
        sinks: { out },
        build({ steps, rules }, { out }) {
          steps.keyBy(({ key }) => key).connectBroadcast(rules).process("apply", {
            state: { count: store.value(0), bonus: store.value(0) },
            broadcast: { sum: store.value(0) },
            onEvent: ({ key }, { state, broadcast }) => [
              `${key} ${++state.count.value} ${state.bonus.value} ${broadcast.sum.value}`,
            ],
            onBroadcast(rule, { broadcast, forEachKey }) {
              broadcast.sum.value += rule;
              forEachKey((_, { bonus }) => {
                bonus.value += rule;
              });
            },
          }).to(out);
        },
      });
      const driver = await JobDriver.start(job, { workers: WORKERS, seed });
      const expected: string[] = [];
      const keys = new Map<string, { count: number; bonus: number }>();
      let sum = 0;
      for (let at = 1; at <= 6; at++) {
        const of = round(random, at);
        for (const [, { key }] of of) {
          const has = keys.get(key) ?? { count: 0, bonus: 0 };
          keys.set(key, has);
          expected.push(`${key} ${++has.count} ${has.bonus} ${sum}`);
        }
        push(steps, of);
        await driver.move(moves(driver.routing, random));
        await driver.settle();
        rules.push("r", { value: at });
        sum += at;
        for (const has of keys.values()) has.bonus += at;
        await driver.move(moves(driver.routing, random));
        await driver.settle();
      }
      for (const shard of ["a", "b"]) steps.end(shard);
      rules.end("r");
      await driver.settle();
      assert(driver.ended);
      assertEquals(byKey(out.rows), byKey(expected), `seed ${seed}`);
    }
  });

  it("keep timers by the worker's clock", async () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const random = seededRandom(seed);
      const steps = source();
      const out = memory.sink<string>();
      const job = defineJob({
        name: "reminders",
        maxParallelism: GROUPS,
        sources: { steps },
        sinks: { out },
        build({ steps }, { out }) {
          steps.keyBy(({ key }) => key).process("remind", {
            state: { count: store.value(0) },
            onEvent(_, { state, processingTime, setProcessingTimer }) {
              if (++state.count.value === 1) setProcessingTimer("later", processingTime + 50);
            },
            onTimer(_, { key, state, timestamp }) {
              const { value } = state.count;
              state.count.clear();
              return [`${key} ${timestamp} ${value}`];
            },
          }).to(out);
        },
      });
      const driver = await JobDriver.start(job, { workers: WORKERS, seed });
      const expected: string[] = [];
      for (let at = 0; at < 6; at++) {
        const of = round(random, at);
        const counts = new Map<string, number>();
        for (const [, { key }] of of) counts.set(key, (counts.get(key) ?? 0) + 1);
        for (const [key, count] of counts) expected.push(`${key} ${100 * at + 50} ${count}`);
        push(steps, of);
        await driver.settle();
        await driver.move(moves(driver.routing, random));
        await driver.advanceTo(100 * at + 49);
        assertEquals(out.rows.length, expected.length - counts.size);
        await driver.move(moves(driver.routing, random));
        await driver.advanceTo(100 * (at + 1));
      }
      await driver.stop();
      assertEquals(byKey(out.rows), byKey(expected), `seed ${seed}`);
    }
  });

  it("stay where they are when the job is stopped before the barrier", async () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const random = seededRandom(seed);
      const steps = source();
      const out = memory.sink<string>();
      const job = defineJob({
        name: "stopped",
        maxParallelism: GROUPS,
        sources: { steps },
        sinks: { out },
        build({ steps }, { out }) {
          steps.keyBy(({ key }) => key).process("count", {
            state: { count: store.value(0) },
            onEvent: ({ key }, { state }) => [`${key} ${++state.count.value}`],
          }).to(out);
        },
      });
      const driver = await JobDriver.start(job, { workers: WORKERS, seed });
      push(steps, round(random, 0));
      await driver.settle();
      const before = driver.routing;
      const stopped = driver.stop();
      const moved = driver.move(moves(before, random)).catch((error: Error) => error.message);
      assertEquals((await stopped).kind, "finished");
      const found = await moved;
      assert(found === undefined || /draining|finished/.test(String(found)), String(found));
      assertEquals(driver.routing, before);
    }
  });
});
