/**
 * The booking job of the benchmark, as a user would write it.
 *
 * @module
 */

import { defineJob, flatMapJson, store } from "../../../mod.ts";
import { benchJobOptions } from "../bench_job.ts";
import { checksumSink } from "./checksum_sink.ts";
import { replay } from "./replay.ts";
import { type Booking as BookingRow, schemasOf } from "./schemas.ts";

interface Correlated {
  bookingId: string;
  hotelId: string;
  amount: number;
  events: number;
  completedAt: number;
}

const options = benchJobOptions(import.meta.url);
const { Booking, BookingEvent } = await schemasOf(options.schema);
const file = "booking.ndjson";

/** Job `booking`. */
export default defineJob({
  name: "booking",
  sources: {
    bookings: replay({ ...options, file, containing: '"source":"bookings"' }),
    events: replay({ ...options, file, containing: '"source":"events"' }),
  },
  sinks: { correlated: checksumSink<Correlated>() },
  build({ bookings, events }, { correlated }) {
    const created = bookings.pipe(flatMapJson(["$.detail", "$.booking"], Booking));
    const happened = events.pipe(flatMapJson(["$.detail", "$.event"], BookingEvent));
    created.keyBy((booking) => booking.bookingId)
      .connect(happened.keyBy((event) => event.bookingId))
      .coFlatMap("correlate", {
        state: {
          booking: store.value<BookingRow>(),
          events: store.value(0),
          completedAt: store.value(0),
        },
        left(booking, { state }) {
          if (state.events.value < 3) {
            state.booking.value = booking;
            return;
          }
          const { bookingId, hotelId, amount } = booking;
          const row = {
            bookingId,
            hotelId,
            amount,
            events: 3,
            completedAt: state.completedAt.value,
          };
          state.events.clear();
          state.completedAt.clear();
          return [row];
        },
        right(event, { state }) {
          const events = state.events.value + 1;
          const completedAt = Math.max(state.completedAt.value, event.at);
          const booking = state.booking.value;
          if (booking === undefined || events < 3) {
            state.events.value = events;
            state.completedAt.value = completedAt;
            return;
          }
          const { bookingId, hotelId, amount } = booking;
          state.booking.clear();
          state.events.clear();
          state.completedAt.clear();
          return [{ bookingId, hotelId, amount, events, completedAt }];
        },
      })
      .to(correlated);
  },
});
