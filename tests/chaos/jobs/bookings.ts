/**
 * The job that is killed: bookings and events of them from two streams, correlated with state that is never cleared, then
 * counted per hotel behind a second cut. Each record causes one row, whose id is that of the record: so whatever order
 * the streams are merged in after a restart, a row that comes again has the id that it had.
 *
 * Query: `markers`, a folder in which each poisoned record leaves a file the first time it is met, and does no harm
 * after that.
 *
 * @module
 */

import { defineJob, fields, kinesis, store } from "../../../mod.ts";
import { EVENTS_PER_BOOKING, type Step, STREAMS } from "../booking_stream.ts";

const markers = new URL(import.meta.url).searchParams.get("markers") ?? "";

const Booking = fields({ bookingId: "string", hotelId: "string" });
const BookingEvent = fields({
  bookingId: "string",
  hotelId: "string",
  kind: "string",
  poison: "string",
});

/** Does harm, unless the record has done so before. */
function suffer(poison: string): void {
  const [fault, name] = poison.split(":");
  try {
    Deno.writeTextFileSync(`${markers}/${name}`, "", { createNew: true });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return;
    throw error;
  }
  switch (fault) {
    case "throw":
      queueMicrotask(() => {
        throw new Error("Thrown where nobody listens");
      });
      return;
    case "end":
      // Of a thread: the process goes on.
      Deno.exit(9);
      break;
    case "hang":
      for (;;);
    case "memory": {
      const hoard: number[][] = [];
      for (;;) hoard.push(new Array<number>(10_000).fill(hoard.length));
    }
  }
}

type Correlated = Omit<Step, "inHotel" | "id">;

export default defineJob({
  name: "chaos-bookings",
  maxParallelism: 16,
  sources: {
    bookings: kinesis.source(STREAMS.bookings, { start: "trimHorizon" }),
    events: kinesis.source(STREAMS.events, { start: "trimHorizon" }),
  },
  sinks: {
    steps: kinesis.sink<Omit<Step, "id">>(STREAMS.steps, {
      partitionKey: (row) => row.bookingId,
      idField: "id",
    }),
  },
  build({ bookings, events }, { steps }) {
    const created = bookings.flatMapJson("$", Booking);
    const happened = events.flatMapJson("$", BookingEvent);
    created.keyBy((booking) => booking.bookingId)
      .connect(happened.keyBy((event) => event.bookingId))
      .coFlatMap("correlate", {
        state: { known: store.value(false), events: store.value(0) },
        left({ bookingId, hotelId }, { state }): Correlated[] {
          state.known.value = true;
          const seen = state.events.value;
          const complete = seen === EVENTS_PER_BOOKING;
          return [{ bookingId, hotelId, kind: "booking", events: seen, complete }];
        },
        right({ bookingId, hotelId, kind, poison }, { state }): Correlated[] {
          if (poison !== "") suffer(poison);
          const seen = state.events.value += 1;
          const complete = state.known.value && seen === EVENTS_PER_BOOKING;
          return [{ bookingId, hotelId, kind, events: seen, complete }];
        },
      })
      .keyBy((step) => step.hotelId)
      .process("count", {
        state: { steps: store.value(0) },
        onEvent: (step, { state }) => [{ ...step, inHotel: state.steps.value += 1 }],
      })
      .to(steps);
  },
});
