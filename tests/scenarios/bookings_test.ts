/**
 * The booking example as a user tests it: whatever the order of the two streams, each booking with
 * three events comes out once, and nothing else does.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { RawRecord } from "../../connectors/raw_record.ts";
import job, {
  type CorrelatedBooking,
  EVENTS_PER_BOOKING,
} from "../../examples/booking_correlation/job.ts";
import { seededRandom } from "../../runtime/random.ts";
import { runJob } from "../../runtime/testing/run_job.ts";
import { type SimulatedRecord, simulatedStream } from "../../runtime/testing/simulated_stream.ts";
import { timedSource } from "./timed_source.ts";

const BOOKINGS = 120;
const SEEDS = Array.from({ length: 10 }, (_, index) => index + 1);

interface Input {
  readonly bookings: SimulatedRecord[];
  readonly events: SimulatedRecord[];
}

/** Booking `n` has `n % 5` events, but three at most; every eighth booking itself is missing. */
function bookingInput(seed: number): Input {
  const random = seededRandom(seed);
  const bookings: SimulatedRecord[] = [];
  const events: SimulatedRecord[] = [];
  for (let number = 0; number < BOOKINGS; number++) {
    const id = `booking-${number}`;
    if (number % 8 !== 0) bookings.push(bookingRecord(id, number));
    for (let event = 0; event < Math.min(EVENTS_PER_BOOKING, number % 5); event++) {
      events.push(eventRecord(id, Math.floor(random() * 10_000)));
    }
  }
  return { bookings: shuffled(bookings, random), events: shuffled(events, random) };
}

function bookingRecord(bookingId: string, number: number): SimulatedRecord {
  const booking = { bookingId, hotelId: `hotel-${number % 7}`, amount: number, createdAt: number };
  return { partitionKey: bookingId, data: { detail: JSON.stringify({ booking }) } };
}

function eventRecord(bookingId: string, at: number): SimulatedRecord {
  const event = { bookingId, type: "paid", amount: 1, at };
  return { partitionKey: `${bookingId}/${at}`, data: { detail: JSON.stringify({ event }) } };
}

function shuffled<T>(values: readonly T[], random: () => number): T[] {
  return values.map((value) => ({ value, at: random() })).sort((a, b) => a.at - b.at)
    .map(({ value }) => value);
}

/** What must come out, found without any engine: the bookings that are complete at the end. */
function correlated({ bookings, events }: Input): CorrelatedBooking[] {
  const timesOf = new Map<string, number[]>();
  for (const { event } of events.map(detail)) {
    timesOf.set(event.bookingId, [...timesOf.get(event.bookingId) ?? [], event.at]);
  }
  return bookings.map(detail).flatMap(({ booking: { bookingId, hotelId, amount } }) => {
    const times = timesOf.get(bookingId) ?? [];
    if (times.length < EVENTS_PER_BOOKING) return [];
    return [{ bookingId, hotelId, amount, events: 3, completedAt: Math.max(...times) }];
  });
}

interface Detail {
  booking: { bookingId: string; hotelId: string; amount: number };
  event: { bookingId: string; at: number };
}

function detail({ data }: SimulatedRecord): Detail {
  return JSON.parse((data as { detail: string }).detail);
}

function byId(rows: readonly CorrelatedBooking[]): CorrelatedBooking[] {
  return [...rows].sort((a, b) => a.bookingId < b.bookingId ? -1 : 1);
}

function raw({ partitionKey, data }: SimulatedRecord): RawRecord {
  const place = { sequenceNumber: "1", approximateArrival: 0, shardId: "shard-0" };
  return { partitionKey, data: new TextEncoder().encode(JSON.stringify(data)), ...place };
}

describe("booking-correlation", () => {
  for (const workers of [1, 2, 3]) {
    it(`gives the oracle's bookings on ${workers} workers, for every seed`, async () => {
      for (const seed of SEEDS) {
        const input = bookingInput(seed);
        const expected = correlated(input);
        assert(expected.length > BOOKINGS / 10, "The input has too few complete bookings");
        const run = await runJob(job, {
          bookings: simulatedStream({ shards: 2, records: input.bookings, batchRecordsMax: 10 }),
          events: simulatedStream({ shards: 2, records: input.events, batchRecordsMax: 10 }),
        }, { workers, seed });
        assertEquals(byId(run.output("correlated")), byId(expected), `seed ${seed}`);
        assertEquals(run.deadLetters, []);
      }
    });
  }

  it("keeps what is incomplete, and forgets what is complete", async () => {
    const input = bookingInput(1);
    const run = await runJob(job, {
      bookings: simulatedStream({ shards: 2, records: input.bookings }),
      events: simulatedStream({ shards: 2, records: input.events }),
    }, { workers: 2 });
    const seen = [...input.bookings.map(detail).map(({ booking }) => booking.bookingId)]
      .concat(input.events.map(detail).map(({ event }) => event.bookingId));
    const complete = correlated(input).length;
    assertEquals(run.status.stages["correlate"]?.keys, new Set(seen).size - complete);
  });

  const bookings = [bookingRecord("a", 1), bookingRecord("b", 2)].map(raw);
  const events = [1, 2, 3].flatMap((at) => ["a", "b"].map((id) => raw(eventRecord(id, at))));
  for (
    const [first, bookingsAt, eventsAt] of [["bookings", 0, 1000], ["events", 1000, 0]] as const
  ) {
    it(`completes bookings when all ${first} come first`, async () => {
      const run = await runJob(job, {
        bookings: timedSource([{ at: bookingsAt, values: bookings }]),
        events: timedSource([{ at: eventsAt, values: events }]),
      }, { workers: 2 });
      const rows = run.output("correlated").map((row) => [row.bookingId, row.completedAt]);
      assertEquals(rows.sort(), [["a", 3], ["b", 3]]);
    });
  }
});
