import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { seededRandom } from "../../../runtime/random.ts";
import { KeyedState } from "../../../runtime/state/keyed_state.ts";
import { type StateSpecs, store, type ValueState } from "../../../runtime/state/state.ts";
import type { Emits, Key, KeyedContext } from "../../../runtime/stream.ts";
import type { TimerHandler } from "../../../runtime/topology.ts";
import { HandlerOperator } from "../../../runtime/worker/keyed_operator.ts";
import { PartitionActor } from "../../../runtime/worker/partition_actor.ts";
import { cursorAt, RecordedChain, RecordedFailures } from "./engine_parts.ts";

type Handle = (
  value: unknown,
  context: KeyedContext<Key, StateSpecs>,
  sum: ValueState<number>,
) => Emits<unknown>;

/** An operator with a sum, on one actor. */
function operator(handle: Handle, onTimer?: TimerHandler, right: Handle = handle) {
  const actor = new PartitionActor(0);
  const state = new KeyedState({ sum: store.value(0) }, seededRandom(1));
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
    cursor,
    failures,
  );
  const running = (key: Key, run: (slot: number) => void) => {
    const slot = state.enterKey(key, actor.group);
    run(slot);
    state.leave(slot);
  };
  return {
    actor,
    state,
    failures,
    chain,
    row: (key: Key, value: unknown, input = 0) =>
      running(key, (slot) => handlers.row(actor, input, slot, value, chain)),
    fire: (watermark: number) => {
      actor.watermark = watermark;
      for (
        let timer = actor.timers.takeDue(watermark);
        timer;
        timer = actor.timers.takeDue(watermark)
      ) {
        const due = timer;
        running(due.key, (slot) => handlers.timer(actor, due, slot, chain));
      }
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
    const { row, chain, failures, actor } = operator(
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
    const timers = ["moved", "new", "cleared", "unknown"].map((name) => actor.timers.at("a", name));
    assertEquals([chain.outputs, timers, actor.timers.size], [[1], [20, 1, 30, undefined], 3]);
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
    const { row, fire, actor, failures, chain } = operator(
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
    assertEquals([actor.timers.at("a", "later"), actor.timers.at("a", "next"), chain.outputs], [
      5,
      undefined,
      [],
    ]);
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
});
