import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { defineJob } from "../../../runtime/job.ts";
import { memory } from "../../../connectors/memory/memory.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { KeyedState } from "../../../runtime/state/keyed_state.ts";
import { buildTopology } from "../../../runtime/stream_builder.ts";
import { Gate } from "../../../runtime/worker/gate.ts";
import { PartitionActor } from "../../../runtime/worker/partition_actor.ts";
import { StageOutputs } from "../../../runtime/worker/stage_outputs.ts";
import { TimerFiring } from "../../../runtime/worker/timer_firing.ts";
import { TurnQueue } from "../../../runtime/worker/turn_queue.ts";
import { HandClock } from "../hand_clock.ts";
import { cursorAt, RecordedChain, RecordedFailures } from "./engine_parts.ts";

function firing(onTimer: (name: string, outputs: StageOutputs, actor: PartitionActor) => void) {
  const job = defineJob({
    name: "demo",
    sources: { numbers: memory.source<number>([]) },
    sinks: { out: memory.sink<number>() },
    build: ({ numbers }, { out }) =>
      numbers.keyBy((n) => n).process("all", { state: {}, onEvent: (n) => [n] }).to(out),
  });
  const topology = buildTopology(job, { params: undefined, logger: silentLogger });
  const head = topology.nodes.find((node) => node.kind === "keyed")?.id ?? -1;
  const clock = new HandClock();
  const cursor = cursorAt(7);
  const outputs = new StageOutputs("all", head, {
    ...{ topology, clock, cursor, queue: new TurnQueue(clock, () => {}) },
    ...{ failures: new RecordedFailures(), halted: new Gate(), deadLetters: undefined },
    ...{ edges: new Map(), sinks: new Map(), outside: { enter() {}, leave() {} } },
    restored: undefined,
  }, () => {});
  const state = new KeyedState({}, seededRandom(1));
  const actor = new PartitionActor(0, undefined, state.timersOf(0));
  const fired: unknown[] = [];
  const timers = new TimerFiring({
    ...{ name: "all", state, cursor, outputs },
    operator: {
      row() {},
      timer(actor, { name }) {
        fired.push([cursor.key, name, cursor.timestamp, cursor.origin.shard]);
        onTimer(name, outputs, actor);
      },
      complete() {},
      close() {},
    },
  });
  for (const [at, key] of ["a", "b", "c"].entries()) {
    const slot = state.enterKey(key, 0);
    actor.timers.set(slot, `t${at}`, at);
    state.leave(slot);
  }
  const fire = (time: number, most = 10) =>
    timers.fire(actor, "event", time, most, new RecordedChain());
  return { fire, fired, state, outputs };
}

describe("TimerFiring", () => {
  it("stands at each timer's key and time, and lets keys go that have nothing else", () => {
    const { fire, fired, state } = firing(() => {});
    assertEquals([fire(1), state.keys.size], [2, 1]);
    assertEquals(fired, [["a", "t0", 0, ""], ["b", "t1", 1, ""]]);
  });

  it("fires so many at most, those among them that were set meanwhile", () => {
    const { fire, fired } = firing((name, _, actor) => {
      if (name === "t0") actor.timers.set(1, "new", -5);
    });
    assertEquals([fire(99, 2), fire(99, 5), fire(99, 5)], [2, 2, 0]);
    assertEquals(fired.map((of) => Array.isArray(of) && of[1]), ["t0", "new", "t1", "t2"]);
  });

  it("stops when the stage is blocked", () => {
    const { fire, outputs } = firing((name, outputs) => {
      if (name === "t1") outputs.valve.close();
    });
    assertEquals([fire(99), fire(99)], [2, 0]);
    outputs.valve.open();
    assertEquals(fire(99), 1);
  });
});
