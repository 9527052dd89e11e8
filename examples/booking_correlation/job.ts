/**
 * Bookings and their events, from two streams, correlated: when a booking is known and three events of it were seen, in
 * whatever order they came, it is written to a third stream and forgotten. The classic of a co-flat-map with state.
 *
 * @module
 */

import { z } from "npm:zod@4.6.7";
import { defineJob, flatMapJson, kinesis, startJob, store } from "../../mod.ts";

/** Events that make a booking complete. */
export const EVENTS_PER_BOOKING = 3;

const Booking = z.object({
  bookingId: z.string(),
  hotelId: z.string(),
  amount: z.number(),
  createdAt: z.number(),
});
const BookingEvent = z.object({
  bookingId: z.string(),
  type: z.string(),
  amount: z.number(),
  at: z.number(),
});

/** A booking whose events have come. */
export interface CorrelatedBooking {
  readonly bookingId: string;
  readonly hotelId: string;
  readonly amount: number;
  readonly events: number;
  /** Time of the latest event, ms since the epoch. */
  readonly completedAt: number;
}

/** Job `booking-correlation`. Records carry the booking or the event as a JSON text in `detail`. */
export default defineJob({
  name: "booking-correlation",
  sources: {
    bookings: kinesis.source("booking-created", { start: "trimHorizon" }),
    events: kinesis.source("booking-events", { start: "trimHorizon" }),
  },
  sinks: {
    correlated: kinesis.sink<CorrelatedBooking>("booking-correlated", {
      partitionKey: (row) => row.bookingId,
    }),
  },
  build({ bookings, events }, { correlated }) {
    const created = bookings.pipe(flatMapJson(["$.detail", "$.booking"], Booking));
    const happened = events.pipe(flatMapJson(["$.detail", "$.event"], BookingEvent));
    created.keyBy((booking) => booking.bookingId)
      .connect(happened.keyBy((event) => event.bookingId))
      .coFlatMap("correlate", {
        state: {
          booking: store.value<z.infer<typeof Booking>>(),
          events: store.value(0),
          lastAt: store.value(0),
        },
        left(booking, { state }) {
          state.booking.value = booking;
          return complete(state);
        },
        right(event, { state }) {
          state.events.value++;
          state.lastAt.value = Math.max(state.lastAt.value, event.at);
          return complete(state);
        },
      })
      .to(correlated);
  },
});

interface BookingState {
  readonly booking: { value: z.infer<typeof Booking> | undefined; clear(): void };
  readonly events: { value: number; clear(): void };
  readonly lastAt: { value: number; clear(): void };
}

/** Emits and forgets a booking whose events have come. */
function complete({ booking, events, lastAt }: BookingState): CorrelatedBooking[] | undefined {
  if (booking.value === undefined || events.value < EVENTS_PER_BOOKING) return undefined;
  const { bookingId, hotelId, amount } = booking.value;
  const row = { bookingId, hotelId, amount, events: events.value, completedAt: lastAt.value };
  booking.clear();
  events.clear();
  lastAt.clear();
  return [row];
}

if (import.meta.main) await startJob(import.meta.url).finished;
