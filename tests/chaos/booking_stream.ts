/**
 * What goes into the job that is killed, and what comes out: by number, so that what must come out is known.
 *
 * @module
 */

import type { Random } from "../../runtime/random.ts";

/** The job's streams. */
export const STREAMS = {
  bookings: "chaos-bookings",
  events: "chaos-events",
  steps: "chaos-steps",
} as const;

/** Events that make a booking complete. */
export const EVENTS_PER_BOOKING = 3;
/** Records of a booking, and rows that come out for it. */
export const STEPS_PER_BOOKING = 1 + EVENTS_PER_BOOKING;
/** Hotels over which bookings are spread. */
export const HOTELS = 12;

/** What comes out for each record. */
export interface Step {
  /** That of the record. */
  readonly id: string;
  readonly bookingId: string;
  readonly hotelId: string;
  /** `"booking"`, or which event it was. */
  readonly kind: string;
  /** Events of the booking so far. */
  readonly events: number;
  /** Whether this record made the booking complete. */
  readonly complete: boolean;
  /** Rows of the hotel so far, this one included. */
  readonly inHotel: number;
}

/** A record to be put. */
export interface Produced {
  readonly stream: typeof STREAMS.bookings | typeof STREAMS.events;
  readonly bookingId: string;
  readonly data: string;
}

/** The id of a booking by its number. */
export function bookingId(number: number): string {
  return `b-${String(number).padStart(7, "0")}`;
}

/**
 * The records of a booking, in any order.
 *
 * @param poison what one of its events does to the worker that meets it first; none if empty
 */
export function recordsOf(number: number, random: Random, poison = ""): Produced[] {
  const id = bookingId(number);
  const of = { bookingId: id, hotelId: `hotel-${number % HOTELS}` };
  const records: Produced[] = [
    { stream: STREAMS.bookings, bookingId: id, data: JSON.stringify(of) },
  ];
  const poisoned = 1 + Math.floor(random() * EVENTS_PER_BOOKING);
  for (let event = 1; event <= EVENTS_PER_BOOKING; event++) {
    const data = { ...of, kind: `event-${event}`, poison: event === poisoned ? poison : "" };
    records.push({ stream: STREAMS.events, bookingId: id, data: JSON.stringify(data) });
  }
  const first = Math.floor(random() * records.length);
  return [...records.slice(first), ...records.slice(0, first)];
}
