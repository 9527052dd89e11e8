/**
 * What the compiler infers of state and outputs of keyed operators, and what it refuses. Nothing is annotated in the
 * jobs here: that is the point.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  defineJob,
  type ListState,
  type MapState,
  memory,
  runJob,
  store,
  type Stream,
} from "../../mod.ts";
import { expectType } from "./expect_type.ts";

interface Booking {
  readonly id: string;
  readonly price: number;
}
interface Payment {
  readonly id: string;
  readonly amount: number;
}

const sources = {
  bookings: memory.source<Booking>([{ id: "a", price: 3 }, { id: "b", price: 4 }]),
  payments: memory.source<Payment>([{ id: "a", amount: 3 }]),
};
const bookingId = (booking: Booking) => booking.id;
const paymentId = (payment: Payment) => payment.id;

describe("KeyedStream.process()", () => {
  it("gives handlers the declared state", async () => {
    const job = defineJob({
      name: "state",
      sources: { bookings: sources.bookings },
      sinks: { sizes: memory.sink<number>() },
      build({ bookings }, { sizes }) {
        const counted = bookings.keyBy(bookingId).process("count", {
          state: {
            last: store.value<Booking>(),
            seen: store.value(0),
            label: store.value("none"),
            prices: store.list<number>(),
            byLabel: store.map<string, number>(),
            byNumber: store.map<number, Booking>(),
          },
          onEvent(booking, { state, key, timestamp, watermark }) {
            expectType<Booking>()(booking, true);
            expectType<string>()(key, true);
            expectType<number>()(timestamp, true);
            expectType<number>()(watermark, true);
            expectType<Booking | undefined>()(state.last.value, true);
            expectType<number>()(state.seen.value, true);
            expectType<string>()(state.label.value, true);
            expectType<ListState<number>>()(state.prices, true);
            expectType<number[]>()([...state.prices], true);
            expectType<MapState<string, number>>()(state.byLabel, true);
            expectType<number | undefined>()(state.byLabel.get("x"), true);
            expectType<Booking | undefined>()(state.byNumber.get(1), true);
            state.last.value = booking;
            state.seen.value += 1;
            state.prices.add(booking.price);
            return [state.seen.value + state.prices.size];
          },
        });
        expectType<Stream<number>>()(counted, true);
        counted.to(sizes);
      },
    });
    const run = await runJob(job);
    assertEquals(run.output("sizes"), [2, 2]);
  });

  it("refuses state that is not declared and values of another type", () => {
    defineJob({
      name: "refused",
      sources: { bookings: sources.bookings },
      sinks: {},
      build({ bookings }) {
        bookings.keyBy(bookingId).process("count", {
          state: {
            last: store.value<Booking>(),
            seen: store.value(0),
            prices: store.list<number>(),
            byLabel: store.map<string, number>(),
          },
          onEvent(booking, { state }) {
            // @ts-expect-error no such state
            state.nope;
            // @ts-expect-error a number
            state.seen.value = "x";
            // @ts-expect-error unset is cleared, not assigned, where there is an initial value
            state.seen.value = undefined;
            // @ts-expect-error not a booking
            state.last.value = { id: 1 };
            // @ts-expect-error it may be unset
            state.last.value.price;
            // @ts-expect-error a list of numbers
            state.prices.add(booking);
            // @ts-expect-error keys are texts
            state.byLabel.set(1, 1);
            // @ts-expect-error state is declared, not replaced
            state.seen = state.last;
            // @ts-expect-error values are read-only: assign a new one
            booking.price = 1;
          },
        });
        // @ts-expect-error a map's keys are texts or numbers
        store.map<Booking, number>();
        // @ts-expect-error without state it is said: {}
        bookings.keyBy(bookingId).process("no state", { onEvent: () => [1] });
      },
    });
  });

  it("emits what handlers return, of one or several types, or nothing", async () => {
    const job = defineJob({
      name: "outputs",
      sources: { bookings: sources.bookings },
      sinks: { all: memory.sink<unknown>(), marks: memory.sink<string>() },
      build({ bookings }, { all, marks }) {
        const keyed = bookings.eventTime({ timestamp: (booking) => booking.price }).keyBy(
          bookingId,
        );
        const nothing = keyed.process("nothing", { state: {}, onEvent() {} });
        expectType<Stream<never>>()(nothing, true);
        nothing.to(all);

        const either = keyed.process("either", {
          state: { n: store.value(0) },
          *onEvent(booking, { state }) {
            yield booking;
            if (state.n.value > 0) yield "again" as const;
          },
        });
        expectType<Stream<Booking | "again">>()(either, true);
        either.to(all);

        const timed = keyed.process("timed", {
          state: { n: store.value(0) },
          onEvent(booking, { state, setTimer, timestamp }) {
            state.n.value += booking.price;
            setTimer("late", timestamp + 1);
            return state.n.value > 0 ? [state.n.value] : undefined;
          },
          *onTimer(name, { key, state }) {
            expectType<string>()(name, true);
            expectType<number>()(state.n.value, true);
            yield `${name} ${key}`;
          },
        });
        expectType<Stream<number | string>>()(timed, true);
        timed.to(all);
        // @ts-expect-error what is not a text comes out as well
        const texts: Stream<string> = timed;
        assertEquals(texts, timed);

        const timerOnly = keyed.process("timer only", {
          state: {},
          onEvent(_booking, { setTimer, timestamp }) {
            setTimer("end", timestamp);
          },
          onTimer: (_name, { key }) => [key],
        });
        expectType<Stream<string>>()(timerOnly, true);
        timerOnly.to(marks);
      },
    });
    const run = await runJob(job);
    assertEquals([...run.output("marks")].sort(), ["a", "b"]);
    assertEquals(run.output("all").length, 2 + 2 + 2);
  });

  it("refuses a handler that is asynchronous or returns a bare value", () => {
    defineJob({
      name: "refused",
      sources: { bookings: sources.bookings },
      sinks: {},
      build({ bookings }) {
        const keyed = bookings.keyBy(bookingId);
        // @ts-expect-error a turn runs to its end: what must wait goes through mapAsync
        keyed.process("async", { state: {}, onEvent: async (booking) => await [booking] });
        // @ts-expect-error outputs come in an array or from a generator
        keyed.process("bare", { state: {}, onEvent: (booking) => booking.price });
        // @ts-expect-error a timer has a time
        keyed.process("timer", { state: {}, onEvent: (_, { setTimer }) => setTimer("later") });
        keyed.process("clock", {
          state: {},
          // @ts-expect-error a timer has one time
          onEvent: (_, { setProcessingTimer }) => setProcessingTimer(5, 6),
        });
      },
    });
  });
});

describe("ConnectedStream.coFlatMap()", () => {
  it("emits what left, right and timers return", async () => {
    const job = defineJob({
      name: "unions",
      sources,
      sinks: { matched: memory.sink<{ id: string; paid: number }>(), all: memory.sink<unknown>() },
      build({ bookings, payments }, { matched, all }) {
        const connected = bookings.keyBy(bookingId).connect(payments.keyBy(paymentId));
        const one = connected.coFlatMap("one side", {
          state: { booking: store.value<Booking>(), paid: store.value(0) },
          left(booking, { state, key }) {
            expectType<Booking>()(booking, true);
            expectType<string>()(key, true);
            expectType<Booking | undefined>()(state.booking.value, true);
            state.booking.value = booking;
          },
          *right(payment, { state }) {
            expectType<Payment>()(payment, true);
            state.paid.value += payment.amount;
            const booking = state.booking.value;
            if (booking !== undefined) yield { id: booking.id, paid: state.paid.value };
          },
          onTimer(_name, { state }) {
            state.booking.clear();
          },
        });
        expectType<Stream<{ id: string; paid: number }>>()(one, true);
        one.to(matched);

        const arrays = connected.coFlatMap("arrays", {
          state: { n: store.value(0) },
          left: (booking) => [{ side: "left" as const, price: booking.price }],
          right: (payment) => [{ side: "right" as const, amount: payment.amount }],
        });
        expectType<Stream<{ side: "left"; price: number } | { side: "right"; amount: number }>>()(
          arrays,
          true,
        );
        arrays.to(all);

        const generators = connected.coFlatMap("generators", {
          state: { n: store.value(0) },
          *left(booking, { state }) {
            state.n.value++;
            yield { price: booking.price };
          },
          *right(payment) {
            yield payment.amount;
          },
          *onTimer(name) {
            yield name;
          },
        });
        expectType<Stream<{ price: number } | number | string>>()(generators, true);
        generators.to(all);
        // @ts-expect-error the sink takes one of the three types only
        generators.to(matched);
      },
    });
    const run = await runJob(job);
    // Nothing is promised about the order between the two sides.
    assertEquals(run.output("all").length, 3 + 3);
    assertEquals(run.deadLetters, []);
  });

  it("refuses a missing side and the other side's properties", () => {
    defineJob({
      name: "refused",
      sources,
      sinks: {},
      build({ bookings, payments }) {
        const connected = bookings.keyBy(bookingId).connect(payments.keyBy(paymentId));
        // @ts-expect-error both sides are handled
        connected.coFlatMap("left only", { state: {}, left() {} });
        connected.coFlatMap("mixed up", {
          state: {},
          // @ts-expect-error bookings have a price
          left: (booking) => [booking.amount],
          // @ts-expect-error payments have an amount
          right: (payment) => [payment.price],
        });
      },
    });
  });
});
