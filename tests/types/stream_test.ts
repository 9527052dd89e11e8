/**
 * What the compiler infers along a chain of streams, and what it refuses there. The jobs run as well, so that no type
 * promises what is not delivered.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { OperatorFunction } from "../../deps.ts";
import {
  type ConnectedStream,
  defineJob,
  flatMapJson,
  type InvalidRecord,
  is,
  type Keyed,
  type KeyedStream,
  kinesis,
  memory,
  type ParsedStream,
  type RawRecord,
  runJob,
  simulatedStream,
  store,
  type Stream,
} from "../../mod.ts";
import { z } from "../deps.ts";
import { filter, map } from "./deps.ts";
import { expectType } from "./expect_type.ts";

interface Order {
  readonly customer: string;
  readonly total: number;
}
interface Paid {
  readonly kind: "PAID";
  readonly customer: string;
  readonly amount: number;
}
interface Refused {
  readonly kind: "REFUSED";
  readonly customer: string;
  readonly reason: string;
}
type Payment = Paid | Refused;

const ORDERS: readonly Order[] = [{ customer: "ann", total: 5 }, { customer: "bob", total: 7 }];
const PAYMENTS: readonly Payment[] = [
  { kind: "PAID", customer: "ann", amount: 5 },
  { kind: "REFUSED", customer: "bob", reason: "limit" },
];

/** An operator of a user's own: nothing more than a function of RxJS's type. */
function above(limit: number): OperatorFunction<Order, Order> {
  return filter((order) => order.total > limit);
}

describe("Stream.pipe()", () => {
  it("has the type of its last operator", async () => {
    const job = defineJob({
      name: "pipes",
      sources: { orders: memory.source(ORDERS), payments: memory.source(PAYMENTS) },
      sinks: { texts: memory.sink<string>() },
      build({ orders, payments }, { texts }) {
        expectType<Stream<Order>>()(orders, true);
        expectType<Stream<Order>>()(orders.pipe(), true);
        expectType<Stream<number>>()(orders.pipe(map((order) => order.total)), true);
        expectType<Stream<Order>>()(orders.pipe(above(5)), true);
        expectType<Stream<Paid>>()(payments.pipe(filter(is("kind", "PAID"))), true);
        const steps = orders.pipe(
          above(5),
          map((order) => order.total),
          map((total) => [total]),
          map((totals) => totals.length > 0),
        );
        expectType<Stream<boolean>>()(steps, true);
        orders.pipe(above(5), map((order) => order.customer)).to(texts);
        payments.pipe(filter(is("kind", "REFUSED")), map((refused) => refused.reason)).to(texts);
      },
    });
    const run = await runJob(job);
    assertEquals([...run.output("texts")].sort(), ["bob", "limit"]);
  });

  it("refuses an operator for another type", () => {
    defineJob({
      name: "refused",
      sources: { payments: memory.source(PAYMENTS) },
      sinks: {},
      build({ payments }) {
        // @ts-expect-error these are payments, not orders
        payments.pipe(above(5));
        // @ts-expect-error there is no such variant: nothing is left to read a property of
        payments.pipe(filter(is("kind", "PIAD")), map((event) => event.customer));
        // @ts-expect-error not every payment has an amount
        payments.pipe(map((payment) => payment.amount));
      },
    });
  });
});

describe("Stream.flatMapJson()", () => {
  const Item = z.object({ sku: z.string(), count: z.number() });

  it("gives the schema's type, and what is invalid as a stream of its own", async () => {
    const job = defineJob({
      name: "items",
      sources: { orders: kinesis.source("orders") },
      sinks: { items: memory.sink<z.infer<typeof Item>>(), reasons: memory.sink<string>() },
      build({ orders }, { items, reasons }) {
        expectType<Stream<RawRecord>>()(orders, true);
        const parsed = orders.flatMapJson("$.items[*]", Item);
        expectType<ParsedStream<{ sku: string; count: number }>>()(parsed, true);
        expectType<Stream<InvalidRecord>>()(parsed.invalid, true);
        expectType<Stream<{ sku: string; count: number }>>()(
          orders.pipe(flatMapJson(["$.detail", "$.items[*]"], Item)),
          true,
        );
        parsed.to(items);
        parsed.invalid.pipe(map((invalid) => invalid.reason)).to(reasons);
        // @ts-expect-error a chain behind it has left the invalid ones behind
        parsed.pipe(map((item) => item.sku)).invalid;
      },
    });
    const run = await runJob(job, {
      orders: simulatedStream({
        shards: 1,
        records: [{ partitionKey: "a", data: { items: [{ sku: "x", count: 1 }, { sku: "y" }] } }],
      }),
    });
    assertEquals(run.output("items"), [{ sku: "x", count: 1 }]);
    assertEquals(run.output("reasons").length, 1);
    assertEquals(run.deadLetters, []);
  });

  it("is for raw records only", () => {
    defineJob({
      name: "refused",
      sources: { orders: memory.source(ORDERS) },
      sinks: {},
      build({ orders }) {
        // @ts-expect-error orders are parsed already
        orders.flatMapJson("$", Item);
        // @ts-expect-error the same as an operator
        orders.pipe(flatMapJson("$", Item));
        // @ts-expect-error at least one path
        flatMapJson([], Item);
      },
    });
  });
});

describe("Stream.merge()", () => {
  it("is a stream of either type", async () => {
    const job = defineJob({
      name: "merges",
      sources: { orders: memory.source(ORDERS), payments: memory.source(PAYMENTS) },
      sinks: { customers: memory.sink<string>() },
      build({ orders, payments }, { customers }) {
        const both = orders.merge(payments);
        expectType<Stream<Order | Paid | Refused>>()(both, true);
        // @ts-expect-error an order has no kind: what is not common must be told apart first
        both.pipe(filter(is("kind", "PAID")));
        both.pipe(map((either) => either.customer)).to(customers);
      },
    });
    const run = await runJob(job);
    assertEquals([...run.output("customers")].sort(), ["ann", "ann", "bob", "bob"]);
  });
});

describe("Stream.eventTime()", () => {
  it("reads the time of the stream's own type", () => {
    defineJob({
      name: "times",
      sources: { orders: memory.source(ORDERS) },
      sinks: {},
      build({ orders }) {
        const timed = orders.eventTime({ timestamp: (order) => order.total, outOfOrderness: "5s" });
        expectType<Stream<Order>>()(timed, true);
        // @ts-expect-error a time is a number of milliseconds
        orders.eventTime({ timestamp: (order) => order.customer });
        // @ts-expect-error no such unit
        orders.eventTime({ timestamp: (order) => order.total, outOfOrderness: "5 parsecs" });
      },
    });
  });
});

describe("Stream.mapAsync()", () => {
  it("has the type that the promise gives", async () => {
    const job = defineJob({
      name: "rates",
      sources: { orders: memory.source(ORDERS) },
      sinks: { rated: memory.sink<{ customer: string; rate: number }>() },
      build({ orders }, { rated }) {
        const asked = orders.mapAsync("ask", async (order, { signal, attempt, delay }) => {
          expectType<Order>()(order, true);
          expectType<AbortSignal>()(signal, true);
          expectType<number>()(attempt, true);
          await delay("10s");
          return { customer: order.customer, rate: 2 };
        }, { ordered: true, capacity: 2, timeout: "1m", retry: { attempts: 2 } });
        expectType<Stream<{ customer: string; rate: number }>>()(asked, true);
        asked.to(rated);
        // @ts-expect-error a function that doesn't wait belongs into pipe(map(...))
        orders.mapAsync("sync", (order) => order.total);
      },
    });
    const run = await runJob(job);
    assertEquals(run.output("rated"), [{ customer: "ann", rate: 2 }, { customer: "bob", rate: 2 }]);
  });
});

describe("Stream.keyBy()", () => {
  it("has the key's type, a text or a number", () => {
    defineJob({
      name: "keys",
      sources: { orders: memory.source(ORDERS), payments: memory.source(PAYMENTS) },
      sinks: {},
      build({ orders, payments }) {
        const byText = orders.keyBy((order) => order.customer);
        expectType<KeyedStream<string, Order>>()(byText, true);
        const byNumber = orders.keyBy((order) => order.total);
        expectType<KeyedStream<number, Order>>()(byNumber, true);
        const byKind = payments.keyBy((payment) => payment.kind);
        expectType<KeyedStream<"PAID" | "REFUSED", Payment>>()(byKind, true);
        // @ts-expect-error an object is no key
        orders.keyBy((order) => order);
        // @ts-expect-error nor is nothing
        orders.keyBy((order): string | undefined => order.customer);
      },
    });
  });
});

describe("KeyedStream.connect()", () => {
  it("takes a stream with the same type of key, of whatever else", () => {
    defineJob({
      name: "connects",
      sources: { orders: memory.source(ORDERS), payments: memory.source(PAYMENTS) },
      sinks: {},
      build({ orders, payments }) {
        const byCustomer = payments.keyBy((payment) => payment.customer);
        const connected = orders.keyBy((order) => order.customer).connect(byCustomer);
        expectType<ConnectedStream<string, Order, Payment>>()(connected, true);
        // @ts-expect-error numbers on one side, texts on the other
        orders.keyBy((order) => order.total).connect(byCustomer);
        // @ts-expect-error the other side has no keys yet
        orders.keyBy((order) => order.customer).connect(payments);
      },
    });
  });
});

describe("Stream.to()", () => {
  it("takes a sink of the stream's type or a wider one", () => {
    defineJob({
      name: "ends",
      sources: { payments: memory.source(PAYMENTS) },
      sinks: {
        paid: memory.sink<Paid>(),
        payments: memory.sink<Payment>(),
        anything: memory.sink<unknown>(),
        texts: memory.sink<string>(),
        renamed: memory.sink<{ customerId: string }>(),
      },
      build({ payments }, sinks) {
        payments.to(sinks.payments);
        payments.to(sinks.anything);
        payments.pipe(filter(is("kind", "PAID"))).to(sinks.payments);
        // @ts-expect-error a refused payment is no paid one
        payments.to(sinks.paid);
        // @ts-expect-error an object is no text
        payments.to(sinks.texts);
        // @ts-expect-error the property has another name
        payments.to(sinks.renamed);
        // @ts-expect-error the job has no such sink
        payments.to(sinks.nowhere);
      },
    });
  });
});

describe("KeyedStream.pipe()", () => {
  it("gives operators the key, the value and the time", async () => {
    const customers: OperatorFunction<Keyed<string, Order>, string> = map((keyed) => keyed.key);
    const job = defineJob({
      name: "keyed-pipe",
      sources: { orders: memory.source(ORDERS) },
      sinks: { customers: memory.sink<string>(), totals: memory.sink<number>() },
      build({ orders }, sinks) {
        const byCustomer = orders.keyBy((order) => order.customer);
        const keys = byCustomer.pipe(customers);
        expectType<Stream<string>>()(keys, true);
        keys.to(sinks.customers);
        orders.keyBy((order) => order.customer).pipe(map((keyed) => {
          expectType<Keyed<string, Order>>()(keyed, true);
          return keyed.value.total;
        })).to(sinks.totals);
        // @ts-expect-error these keys are numbers
        orders.keyBy((order) => order.total).pipe(customers);
        // @ts-expect-error behind a cut an operator gets keyed records, not bare values
        orders.keyBy((order) => order.customer).pipe(above(5));
      },
    });
    const run = await runJob(job);
    assertEquals([...run.output("customers")].sort(), ["ann", "bob"]);
    assertEquals([...run.output("totals")].sort(), [5, 7]);
  });
});

describe("KeyedStream.actor()", () => {
  it("gives the mailbox as an Observable of the stream's type", async () => {
    const job = defineJob({
      name: "spikes",
      sources: { payments: memory.source(PAYMENTS) },
      sinks: { spikes: memory.sink<{ text: string }>() },
      build({ payments }, sinks) {
        const spikes = payments.keyBy((payment) => payment.customer).actor("spikes", {
          state: { spent: store.value(0) },
          behavior: (mailbox, { state, key, ...context }) => {
            expectType<string>()(key, true);
            expectType<number>()(state.spent.value, true);
            // @ts-expect-error a mailbox Observable has no timers
            context.setTimer;
            return mailbox.pipe(
              filter(is("kind", "PAID")),
              map((paid) => (state.spent.value += paid.amount)),
              filter((spent) => spent > 1),
              map((spent) => ({ text: `${key} spent ${spent}` })),
            );
          },
          passivateAfter: "1h",
        });
        expectType<Stream<{ text: string }>>()(spikes, true);
        spikes.to(sinks.spikes);
        payments.keyBy((payment) => payment.customer).actor("stateless", {
          state: {},
          // @ts-expect-error a behavior gives an Observable, not an array
          behavior: (mailbox) => [mailbox],
        });
      },
    });
    const run = await runJob(job);
    assertEquals(run.output("spikes"), [{ text: "ann spent 5" }]);
  });
});
