import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { seededRandom } from "../../../runtime/random.ts";
import { KeyedState } from "../../../runtime/state/keyed_state.ts";
import { type StateSpecs, store, type ValueState } from "../../../runtime/state/state.ts";
import type { Key } from "../../../runtime/key.ts";
import type { Emits, KeyedContext } from "../../../runtime/stream.ts";
import type { TimerQueue } from "../../../runtime/time/timers.ts";
import type { TimerHandler } from "../../../runtime/topology.ts";
import { HandlerOperator } from "../../../runtime/worker/keyed_operator.ts";
import { PartitionActor } from "../../../runtime/worker/partition_actor.ts";
import { HandClock } from "../hand_clock.ts";
import { cursorAt, RecordedChain, RecordedFailures } from "./engine_parts.ts";

type Handle = (
  value: unknown,
  context: KeyedContext<Key, StateSpecs>,
  sum: ValueState<number>,
) => Emits<unknown>;

/** An operator with a sum, on one actor. */
function operator(handle: Handle, onTimer?: TimerHandler, right: Handle = handle) {
  const state = new KeyedState({ sum: store.value(0) }, seededRandom(1));
  const actor = new PartitionActor(0, undefined, state.timersOf(0));
  const clock = new HandClock(1000);
  const failures = new RecordedFailures();
  const chain = new RecordedChain();
  const cursor = cursorAt(7, { timestamp: 50 });
  const bound = (handle: Handle) => (value: unknown, context: KeyedContext<Key, StateSpecs>) =>
    handle(value, context, context.state["sum"] as ValueState<number>);
  const handlers = new HandlerOperator(
    "sum",
    {
      kind: "handlers",
      state: { sum: store.value(0) },
      handlers: [bound(handle), bound(right)],
      onTimer,
    },
    state,
    clock,
    cursor,
    failures,
  );
  const fire = (timers: TimerQueue, time: number) => {
    for (let timer = timers.takeDue(time); timer; timer = timers.takeDue(time)) {
      state.enterSlot(timer.slot);
      handlers.timer(actor, timer, chain);
      state.leave(timer.slot);
    }
  };
  return {
    actor,
    state,
    failures,
    chain,
    clock,
    row: (key: Key, value: unknown, input = 0) => {
      const slot = state.enterKey(key, actor.group);
      handlers.row(actor, input, slot, value, chain);
      state.leave(slot);
    },
    /** When timers of a key are due, by name. */
    timers: (key: Key, ...names: string[]) =>
      names.map((name) => actor.timers.at(state.keys.find(key), name)),
    fire: (watermark: number) => {
      actor.watermark = watermark;
      fire(actor.timers, watermark);
    },
    /** The clock goes there, and its timers fire. */
    tick: (time: number) => {
      clock.pass(time - clock.now());
      fire(actor.processing, time);
    },
  };
}

const add: Handle = (value, _, sum) => [sum.value += Number(value)];

describe("HandlerOperator", () => {
  it("gives each key its own state, which both inputs share", () => {
    const { row, chain, state } = operator(
      add,
      undefined,
      (value, _, sum) => [sum.value -= Number(value)],
    );
    row("a", 1);
    row("b", 10);
    row("a", 5, 1);
    assertEquals([chain.outputs, state.kept, state.keys.size], [[1, 10, -4], 2, 2]);
  });

  it("shows key, time and watermark of the record, and of the timer that fires", () => {
    const seen: unknown[] = [];
    const see = ({ key, timestamp, watermark }: KeyedContext<Key, StateSpecs>) =>
      void seen.push([key, timestamp, watermark]);
    const { row, fire, actor } = operator(
      (_, context) => {
        context.setTimer("later", 80);
        see(context);
      },
      (_, context) => see(context),
    );
    actor.watermark = 40;
    row("a", 1);
    fire(99);
    assertEquals(seen, [["a", 50, 40], ["a", 80, 99]]);
  });

  it("emits nothing, an array or a sequence", () => {
    const { row, chain, failures } = operator((value) => value as Emits<unknown>);
    for (const value of [undefined, [], [1, undefined], new Set([2, 3])]) row("a", value);
    assertEquals([chain.outputs, failures.letters], [[1, undefined, 2, 3], []]);
  });

  it("makes a dead letter of a record whose handler returns something else", () => {
    const { row, chain, failures } = operator((value) => value as Emits<unknown>);
    for (const value of ["text", 5, null, { length: 1 }]) row("a", value);
    assertEquals(chain.outputs, []);
    const found = failures.letters.map(({ reason }) => /found (\w+)/.exec(reason)?.[1]);
    assertEquals(found, ["string", "number", "object", "object"]);
  });

  it("takes back state and timers of a handler that throws, and emits none of its outputs", () => {
    const { row, chain, failures, actor, timers } = operator(
      function* (value, { setTimer, clearTimer }, sum) {
        sum.value += 1;
        yield sum.value;
        setTimer("moved", Number(value));
        setTimer("new", 1);
        if (sum.value === 1) setTimer("cleared", 30);
        else {
          clearTimer("new");
          clearTimer("cleared");
          clearTimer("unknown");
          throw new RangeError("boom");
        }
      },
      () => {},
    );
    row("a", 20);
    row("a", 99);
    row("a", 98);
    const left = timers("a", "moved", "new", "cleared", "unknown");
    assertEquals([chain.outputs, left, actor.timers.size], [[1], [20, 1, 30, undefined], 3]);
    assertEquals(failures.reasons, new Array(2).fill("sum in/s0@7: RangeError: boom"));
    assertEquals(failures.letters[1]?.value, 98);
  });

  it("leaves nothing of a key whose first record failed", () => {
    const { row, actor, state } = operator((_, { setTimer }, sum) => {
      sum.value = 1;
      setTimer("later", 5);
      throw new Error("boom");
    }, () => {});
    row("a", 1);
    assertEquals([state.kept, state.keys.size, actor.timers.size], [0, 0, 0]);
  });

  it("takes back what a timer did that throws; the timer itself is gone", () => {
    const { row, fire, timers, failures, chain } = operator(
      (_, { setTimer }, sum) => {
        sum.value = 1;
        setTimer("later", 5);
      },
      (name, { state, setTimer }) => {
        (state["sum"] as ValueState<number>).value = 100;
        setTimer("next", 9);
        throw new Error(name);
      },
    );
    row("a", 1);
    fire(5);
    row("a", 1);
    assertEquals([timers("a", "later", "next"), chain.outputs], [[5, undefined], []]);
    const [letter] = failures.letters;
    assertEquals([letter?.operator, letter?.reason, letter?.value], ["sum", "Error: later", {
      key: "a",
      name: "later",
      at: 5,
    }]);
  });

  it("refuses a timer without onTimer, and one for no time", () => {
    const without = operator((_, { setTimer }) => setTimer("later", 5));
    without.row("a", 1);
    const reason = 'TypeError: Cannot set timer "later" of "sum": the operator has no onTimer';
    assertEquals(without.failures.letters[0]?.reason, reason);

    const { row, failures, actor } = operator(
      (value, { setTimer }) => setTimer("later", Number(value)),
      () => {},
    );
    for (const at of [NaN, Infinity, -Infinity]) row("a", at);
    assertEquals([failures.letters.length, actor.timers.size], [3, 0]);
  });

  it("has timers of both kinds, by name and by time, and says in onTimer which it is", () => {
    const seen: unknown[] = [];
    const { row, fire, tick, actor, clock, state } = operator(
      (_, { setTimer, setProcessingTimer, clearTimer, clearProcessingTimer, timeDomain }) => {
        seen.push(timeDomain);
        for (const at of [80, 60, 80, 70]) setTimer(at);
        for (const at of [1080, 1060, 1080]) setProcessingTimer(at);
        setTimer("60", 65);
        setProcessingTimer("60", 1070);
        clearTimer(70);
        clearProcessingTimer(1060);
        clearTimer("80");
        clearProcessingTimer(5);
      },
      (name, context) => {
        const { timeDomain, timestamp, processingTime, key } = context;
        seen.push([timeDomain, name, timestamp, processingTime, key]);
      },
    );
    row("a", 1);
    assertEquals([actor.timers.size, actor.processing.size, state.keys.size], [3, 2, 1]);
    tick(1079);
    fire(99);
    clock.pass(2);
    tick(1081);
    row("a", 1);
    assertEquals(seen, [
      undefined,
      ["processing", "60", 1070, 1079, "a"],
      ["event", "", 60, 1079, "a"],
      ["event", "60", 65, 1079, "a"],
      ["event", "", 80, 1079, "a"],
      ["processing", "", 1080, 1081, "a"],
      undefined,
    ]);
  });

  it("takes back what a failed turn did to timers by time and of the clock", () => {
    const { row, actor, state } = operator((value, context) => {
      context.setTimer(10);
      context.setProcessingTimer("p", Number(value));
      if (value === 5) return;
      context.setTimer(20);
      context.clearTimer(10);
      context.clearProcessingTimer("p");
      context.setProcessingTimer(30);
      throw new Error("boom");
    }, () => {});
    row("a", 7);
    assertEquals([actor.timers.size, actor.processing.size, state.keys.size], [0, 0, 0]);
    row("a", 5);
    row("a", 7);
    const found = state.timersOf(0).of(state.keys.find("a"));
    assertEquals(found.map(({ name, at }) => [name, at]), [["", 10], ["p", 5]]);
  });

  it("refuses a timer with an empty name, and says which kind it was", () => {
    const cases: [(context: KeyedContext<Key, StateSpecs>) => void, string][] = [
      [({ setTimer }) => setTimer("", 5), 'Cannot set timer "" of "sum": found no name'],
      [({ setTimer }) => setTimer(NaN), 'Cannot set a timer of "sum" for NaN'],
      [
        ({ setProcessingTimer }) => setProcessingTimer("p", Infinity),
        'Cannot set processing-time timer "p" of "sum" for Infinity: expected a finite time; processingTime is one',
      ],
    ];
    for (const [set, reason] of cases) {
      const { row, failures, actor } = operator((_, context) => set(context), () => {});
      row("a", 1);
      assertEquals(failures.letters[0]?.reason.includes(reason), true, failures.reasons[0]);
      assertEquals([actor.timers.size, actor.processing.size], [0, 0]);
    }
    const without = operator((_, { setProcessingTimer }) => setProcessingTimer(5));
    without.row("a", 1);
    const reason =
      'TypeError: Cannot set a processing-time timer of "sum": the operator has no onTimer';
    assertEquals(without.failures.letters[0]?.reason, reason);
  });
});
