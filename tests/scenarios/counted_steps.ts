/**
 * A job that counts steps by key in two stages, with state and timers of every kind, rounds of steps for it, and what must
 * come out of them.
 *
 * @module
 */

import { memory, type MemorySink } from "../../connectors/memory/memory.ts";
import { defineJob, type Job } from "../../runtime/job.ts";
import type { Random } from "../../runtime/random.ts";
import { store } from "../../runtime/state/state.ts";
import { JobDriver } from "../../runtime/testing/job_driver.ts";
import { ScriptedSource } from "../../runtime/testing/scripted_source.ts";
import type { GroupMove } from "../../runtime/worker/protocol.ts";

export interface Step {
  readonly key: string;
  readonly n: number;
}

const GROUPS = 8;
/** The key of steps that say how late it is. */
const TICK = "tick";

/** Counts each key's steps with state of every kind, tells of them when a timer fires, and passes them to a second stage. */
export function counting(): {
  readonly steps: ScriptedSource<Step>;
  readonly out: MemorySink<string>;
  readonly job: Job<{ steps: ScriptedSource<Step> }, { out: MemorySink<string> }>;
} {
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
export function someMoves(
  routing: readonly number[],
  workers: number,
  random: Random,
): GroupMove[] {
  return routing.flatMap((from, group) => {
    const to = Math.floor(random() * workers);
    return to !== from && random() < 0.5 ? [{ group, from, to }] : [];
  });
}

/** By key, what came out, in order. */
export function byKey(rows: readonly string[]): Record<string, string[]> {
  const of: Record<string, string[]> = {};
  for (const row of rows) (of[row.split(" ")[0] ?? ""] ??= []).push(row);
  return of;
}

/** Steps that are taken together, and the time when they are done. */
export interface Round {
  readonly steps: readonly [shard: string, step: Step][];
  readonly at: number;
}

/** Keys of one shard each, so that the order of their steps is known. */
export function rounds(random: Random, count = 12, length = 10, keys = 12): Round[] {
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

/** What a test does to the job while it takes rounds. */
export interface Disturbance {
  /** When the steps of a round are there, and nothing has waited for what comes of them. */
  readonly amongSteps?: (driver: JobDriver) => Promise<void>;
  /** When it has been said how late it is, and nothing has waited for what comes of that. */
  readonly amongTimers?: (driver: JobDriver) => Promise<void>;
  /** When all has come of a round; gives what drives the job from then on. */
  readonly afterRound?: (driver: JobDriver, round: Round) => Promise<JobDriver>;
}

/** Lets a job take all rounds, to its end; gives what drove it last. */
export async function takeAll(
  all: readonly Round[],
  source: Source,
  driver: JobDriver,
  { amongSteps, amongTimers, afterRound }: Disturbance = {},
): Promise<JobDriver> {
  for (const round of all) {
    take(source, round);
    await amongSteps?.(driver);
    await driver.settle();
    tick(source, round);
    await amongTimers?.(driver);
    await driver.settle();
    if (afterRound !== undefined) driver = await afterRound(driver, round);
  }
  for (const shard of ["a", "b"]) source.end(shard);
  await driver.settle();
  return driver;
}

/** Keeps a checkpoint every other time, and every other time that it has, lets the job start again from it. */
export async function maybeStartAgain(
  driver: JobDriver,
  random: Random,
  start: () => Promise<JobDriver>,
): Promise<JobDriver> {
  if (random() < 0.5) return driver;
  await driver.checkpoint();
  if (random() < 0.5) return driver;
  await driver.leave();
  return await start();
}

/** What comes out of all rounds without any move. */
export async function undisturbed(all: readonly Round[]): Promise<Record<string, string[]>> {
  const { steps, out, job } = counting();
  await takeAll(all, steps, await JobDriver.start(job));
  return byKey(out.rows);
}
