/**
 * Keyed stages, tested through `runJob`: what they promise shows in what handlers see and when.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { memory } from "../../../connectors/memory/memory.ts";
import type { Source } from "../../../connectors/source.ts";
import { defineJob } from "../../../runtime/job.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { KeyedState } from "../../../runtime/state/keyed_state.ts";
import { store } from "../../../runtime/state/state.ts";
import { runJob, type RunJobOptions } from "../../../runtime/testing/run_job.ts";
import { buildTopology } from "../../../runtime/stream_builder.ts";
import { RowBatch } from "../../../runtime/transport/row_batch.ts";
import { InboundChannel } from "../../../runtime/worker/channel.ts";
import { Gate } from "../../../runtime/worker/gate.ts";
import { KeyedStage } from "../../../runtime/worker/keyed_stage.ts";
import { StageOutputs } from "../../../runtime/worker/stage_outputs.ts";
import { TurnQueue } from "../../../runtime/worker/turn_queue.ts";
import { HandClock } from "../hand_clock.ts";
import { cursorAt, RecordedFailures } from "./engine_parts.ts";
import { timedSource } from "../../scenarios/timed_source.ts";

interface Tick {
  readonly key: string;
  readonly at: number;
}

const tick = (key: string, at: number): Tick => ({ key, at });
const timestamp = ({ at }: Tick) => at;

/** Tells what a keyed stage sees of ticks, and sets a timer `delay` after each key's first one. */
async function seen(
  ticks: Source<Tick> | readonly Tick[],
  delay: number,
  options: RunJobOptions = {},
) {
  const job = defineJob({
    name: "demo",
    sources: { ticks: memory.source<Tick>([]) },
    sinks: { out: memory.sink<string>() },
    build({ ticks }, { out }) {
      ticks.eventTime({ timestamp }).keyBy(({ key }) => key).process("see", {
        state: { count: store.value(0) },
        onEvent({ at }, { key, state, watermark, setTimer }) {
          if (state.count.value++ === 0) setTimer("later", at + delay);
          return [`${key} ${at} after ${watermark}`];
        },
        onTimer: (
          _name,
          { key, timestamp, watermark },
        ) => [`${key} timer ${timestamp} at ${watermark}`],
      }).to(out);
    },
  });
  return (await runJob(job, { ticks }, options)).output("out");
}

describe("KeyedStage", () => {
  it("keeps the order of each key, on any number of workers and in any order of turns", async () => {
    const ticks = Array.from({ length: 3000 }, (_, at) => tick(`k${at % 37}`, at));
    const ofKey = (lines: readonly string[], key: string) =>
      lines.filter((line) => line.startsWith(`${key} `) && line.includes("after")).map((line) =>
        Number(line.split(" ")[1])
      );
    for (const [workers, seed] of [[1, 1], [2, 2], [4, 3]] as const) {
      const lines = await seen(ticks, 1, { workers, seed });
      for (let number = 0; number < 37; number++) {
        const expected = ticks.filter(({ key }) => key === `k${number}`).map(timestamp);
        assertEquals(ofKey(lines, `k${number}`), expected);
      }
    }
  });

  it("shows a record the watermark from before it, and fires timers between the records around them", async () => {
    const deliveries = [[tick("a", 10)], [tick("b", 20)], [tick("b", 30)], [tick("a", 40)]];
    const ticks = timedSource(deliveries.map((values, number) => ({ at: number * 100, values })));
    for (const workers of [1, 3]) {
      const lines = await seen(ticks, 15, { workers });
      const of = (key: string) => lines.filter((line) => line.startsWith(key));
      assertEquals(of("a"), ["a 10 after -Infinity", "a timer 25 at 29", "a 40 after 29"]);
      assertEquals(of("b"), ["b 20 after 9", "b 30 after 19", "b timer 35 at 39"]);
    }
  });

  it("fires all timers at the end of bounded input, in order of time", async () => {
    const lines = await seen([tick("a", 30), tick("b", 10), tick("c", 20)], 1000);
    assertEquals(lines.slice(3), [
      "b timer 1010 at Infinity",
      "c timer 1020 at Infinity",
      "a timer 1030 at Infinity",
    ]);
  });

  it("counts rows and keys with state", async () => {
    const job = defineJob({
      name: "demo",
      sources: { ticks: memory.source<Tick>([tick("a", 1), tick("b", 1), tick("a", 2)]) },
      sinks: { out: memory.sink<number>() },
      build({ ticks }, { out }) {
        ticks.keyBy(({ key }) => key).process("count", {
          state: { count: store.value(0) },
          onEvent: (_, { state }) => [state.count.value += 1],
        }).to(out);
      },
    });
    const { stages } = (await runJob(job, {}, { workers: 2 })).status;
    assertEquals(stages["count"], { rows: 3, waiting: 0, keys: 2, watermark: Infinity });
  });

  it("is waited for again by the stage behind it as soon as one of its shards is no longer idle", async () => {
    const job = defineJob({
      name: "demo",
      sources: { first: memory.source<Tick>([]), other: memory.source<Tick>([]) },
      sinks: { out: memory.sink<string>() },
      build({ first, other }, { out }) {
        const pass = { state: {}, onEvent: (tick: Tick) => [tick] };
        first.eventTime({ timestamp, idleAfter: "1s" }).keyBy(({ key }) => key).process(
          "pass",
          pass,
        )
          .merge(other.eventTime({ timestamp }))
          .keyBy(({ key }) => key)
          .process("see", {
            state: {},
            onEvent: ({ key, at }, { watermark }) => [`${key} ${at} after ${watermark}`],
          })
          .to(out);
      },
    });
    // Both shards fall idle, so that the first stage goes to the further one's watermark: 99. Then the one behind comes
    // back, which does not move it.
    const shards = timedSource<Tick>(
      [{ at: 0, values: [tick("fast", 100)] }, { at: 9000, values: [] }],
      [{ at: 0, values: [tick("slow", 10)] }, { at: 5000, values: [tick("slow", 50)] }, {
        at: 9000,
        values: [],
      }],
    );
    const first: Source<Tick> = { ...shards, watermarks: "channels" };
    const other = timedSource<Tick>([
      { at: 0, values: [tick("other", 20)] },
      { at: 5300, values: [tick("other", 300)] },
      { at: 5400, values: [tick("other", 301)] },
      { at: 9000, values: [tick("other", 302)] },
    ]);
    for (const workers of [1, 2]) {
      const lines = (await runJob(job, { first, other }, { workers })).output("out");
      const others = lines.filter((line) => line.startsWith("other"));
      assert(others.includes("other 301 after 99"), others.join(", "));
      assertEquals(others.at(-1), "other 302 after 300");
    }
  });

  it("lets go of keys that have no state once their rows are handled", () => {
    const job = defineJob({
      name: "demo",
      sources: { ticks: memory.source<Tick>([]) },
      sinks: { out: memory.sink<Tick>() },
      build: ({ ticks }, { out }) =>
        ticks.keyBy(({ key }) => key).process("copy", { state: {}, onEvent: (tick) => [tick] })
          .to(out),
    });
    const topology = buildTopology(job, { params: undefined, logger: silentLogger });
    const head = topology.nodes.find((node) => node.kind === "keyed")?.id ?? -1;
    const clock = new HandClock();
    const queue = new TurnQueue(clock, () => {});
    const [cursor, failures] = [cursorAt(0), new RecordedFailures()];
    const outputs = new StageOutputs("copy", head, {
      ...{ topology, clock, queue, failures, cursor, halted: new Gate(), deadLetters: undefined },
      restored: undefined,
      ...{ edges: new Map(), sinks: new Map(), outside: { enter() {}, leave() {} } },
    }, () => {});
    const state = new KeyedState({}, seededRandom(1));
    const rows: unknown[] = [];
    const channel = new InboundChannel(() => {});
    const stage = new KeyedStage({
      ...{ name: "copy", worker: 0, routing: [0, 0], queue, cursor, state, outputs },
      clock,
      restored: undefined,
      inputs: [{
        channels: [channel],
        origins: { splits: new Map(), channels: [] },
        restored: undefined,
      }],
      inputsOf: () => [],
      epochOf(epoch) {
        throw new Error(`No barrier was sent, and yet epoch ${epoch} is asked for`);
      },
      operator: {
        row: (_actor, _input, slot, value) => void rows.push([state.keyAt(slot), value]),
        timer() {},
        complete() {},
        close() {},
      },
      ended() {},
    });
    const batch = new RowBatch();
    for (const [row, key] of ["a", "b", "a"].entries()) {
      batch.values.push(row);
      batch.keys.push(key);
      batch.groups.push(key === "a" ? 0 : 1);
    }
    stage.take(channel, { kind: "rows", input: 0, rows: batch });
    assertEquals(state.keys.size, 2);
    clock.runDeferred();
    assertEquals(rows, [["a", 0], ["a", 2], ["b", 1]]);
    assertEquals(state.keys.size, 0);
    stage.close();
  });
});
