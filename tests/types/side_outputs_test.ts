/**
 * What the compiler infers of side outputs and broadcast state, and what it refuses.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  defineJob,
  type MapState,
  memory,
  type ReadonlyListState,
  type ReadonlyMapState,
  type ReadonlyValueState,
  runJob,
  side,
  store,
  type Stream,
} from "../../mod.ts";
import { expectType } from "./expect_type.ts";

interface Order {
  readonly id: string;
  readonly total: number;
}
interface Rule {
  readonly name: string;
  readonly most: number;
}
const sources = {
  orders: memory.source<Order>([{ id: "a", total: 3 }]),
  rules: memory.source<Rule>([{ name: "low", most: 2 }]),
};
const orderId = (order: Order) => order.id;

describe("side outputs", () => {
  it("have the declared types, in handlers and as streams", async () => {
    const job = defineJob({
      name: "sides",
      sources,
      sinks: {
        names: memory.sink<string>(),
        orders: memory.sink<Order>(),
        all: memory.sink<unknown>(),
      },
      build({ orders, rules }, { names, orders: out, all }) {
        const checked = orders.keyBy(orderId).process("check", {
          state: {},
          sides: { names: side<string>(), orders: side<Order>() },
          onEvent(order, { side, setTimer }) {
            expectType<(value: string) => void>()(side.names, true);
            expectType<(value: Order) => void>()(side.orders, true);
            side.names(order.id);
            side.orders(order);
            setTimer("end", 1);
            // @ts-expect-error no such side, and an error when it runs
            if (order.total < 0) side.nope;
            // @ts-expect-error names are texts
            if (order.total < 0) side.names(1);
            return [order.total];
          },
          onTimer(name, { side }) {
            side.names(name);
            return [true];
          },
        });
        type Sides = { readonly names: Stream<string>; readonly orders: Stream<Order> };
        expectType<Stream<number | boolean> & { readonly sides: Sides }>()(checked, true);
        checked.to(all);
        checked.sides.names.to(names);
        checked.sides.orders.to(out);
        // @ts-expect-error it has texts
        const orders_: Stream<Order> = checked.sides.names;
        assertEquals(typeof orders_.to, "function");

        const joined = orders.keyBy(orderId).connect(rules.keyBy((rule) => rule.name))
          .coFlatMap("join", {
            state: {},
            sides: { names: side<string>() },
            left: (order, { side }) => side.names(order.id),
            right: (rule, { side }) => side.names(rule.name),
          });
        expectType<Stream<never> & { readonly sides: { readonly names: Stream<string> } }>()(
          joined,
          true,
        );
        joined.sides.names.to(names);

        const without = orders.keyBy(orderId).process("none", {
          state: {},
          onEvent(order, context) {
            // @ts-expect-error no sides are declared
            if (order.total < 0) context.side.names;
          },
        });
        expectType<Stream<never>>()(without, true);
      },
    });
    const run = await runJob(job);
    assertEquals(run.output("names").toSorted(), ["a", "a", "end", "low"]);
    assertEquals(run.output("all"), [3, true]);
  });

  it("are declared by side()", () => {
    defineJob({
      name: "refused",
      sources,
      sinks: {},
      build({ orders }) {
        orders.keyBy(orderId).process("check", {
          state: {},
          // @ts-expect-error state is none
          sides: { names: store.value(0) },
          onEvent() {},
        });
      },
    });
  });
});

describe("broadcast state", () => {
  it("is written in onBroadcast and read elsewhere; outputs are what all handlers put out", async () => {
    const job = defineJob({
      name: "broadcast",
      sources,
      sinks: { all: memory.sink<unknown>() },
      build({ orders, rules }, { all }) {
        const matched = orders.keyBy(orderId).connectBroadcast(rules).process("match", {
          state: { sum: store.value(0) },
          broadcast: {
            rules: store.map<string, Rule>(),
            count: store.value(0),
            names: store.list<string>(),
          },
          sides: { names: side<string>() },
          onEvent(order, { state, broadcast, key, side, setTimer }) {
            expectType<Order>()(order, true);
            expectType<string>()(key, true);
            expectType<ReadonlyMapState<string, Rule>>()(broadcast.rules, true);
            expectType<ReadonlyValueState<number>>()(broadcast.count, true);
            expectType<ReadonlyListState<string>>()(broadcast.names, true);
            expectType<Rule | undefined>()(broadcast.rules.get("a"), true);
            side.names(order.id);
            setTimer("end", 1);
            if (order.total < 0) {
              // @ts-expect-error read-only here
              broadcast.rules.set("a", { name: "a", most: 1 });
              // @ts-expect-error read-only here
              broadcast.count.value = 1;
              // @ts-expect-error read-only here
              broadcast.names.add("a");
            }
            state.sum.value += order.total;
            return [state.sum.value];
          },
          onBroadcast(rule, { broadcast, forEachKey, side, timestamp, ...context }) {
            expectType<Rule>()(rule, true);
            expectType<MapState<string, Rule>>()(broadcast.rules, true);
            expectType<number>()(timestamp, true);
            broadcast.rules.set(rule.name, rule);
            side.names(rule.name);
            // @ts-expect-error a broadcast record has no key
            assertEquals(context.key, undefined);
            // @ts-expect-error nor timers
            assertEquals(context.setTimer, undefined);
            forEachKey((key, { sum }) => {
              expectType<string>()(key, true);
              expectType<number>()(sum.value, true);
              return [sum.value];
            });
            // @ts-expect-error of another type than what onEvent puts out
            forEachKey((key) => [key].filter(() => false));
            return [rule];
          },
          onTimer(name, { broadcast }) {
            expectType<ReadonlyValueState<number>>()(broadcast.count, true);
            return [`${name} ${broadcast.count.value}`];
          },
        });
        type Sides = { readonly names: Stream<string> };
        expectType<Stream<number | string | Rule> & { readonly sides: Sides }>()(matched, true);
        matched.to(all);
        matched.sides.names.to(all);
      },
    });
    const run = await runJob(job);
    assertEquals(run.deadLetters, []);
    const texts = run.output("all").filter((output) => typeof output === "string");
    assertEquals(texts.toSorted(), ["a", "end 0", "low"]);
  });

  it("has outputs of its handlers' order: without those of keys onBroadcast may come first", () => {
    defineJob({
      name: "order",
      sources,
      sinks: {},
      build({ orders, rules }) {
        const matched = orders.keyBy(orderId).connectBroadcast(rules).process("match", {
          state: {},
          broadcast: {},
          onBroadcast: (rule) => [rule.most],
          onEvent: (order) => [order.id],
        });
        expectType<Stream<string | number>>()(matched, true);
      },
    });
  });
});
