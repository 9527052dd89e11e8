/**
 * The job of the scaling demonstration: bookings and what happens in their stays, from two sources, correlated, with some
 * work for each record. A stay comes out when it is booked and its three events have been seen, in whatever order they
 * came. The job's URL says how much there is: `seconds`, `seed`, `peak` (stays a second), `rounds` (of work a record), and
 * `out`, a folder for what comes out.
 *
 * @module
 */

import { pacedBatches } from "../../connectors/paced_batches.ts";
import { defineJob, file, type ShardBatch, type Source, store } from "../../mod.ts";
import { delay } from "../../runtime/clock.ts";
import { EVENTS_OF_STAY, Load, SHARDS, TICK_MS } from "./load.ts";
import { work } from "./work.ts";

const query = new URL(import.meta.url).searchParams;
const figure = (name: string) => Number(query.get(name) ?? 1);
const rounds = figure("rounds");
const load = new Load({ seconds: figure("seconds"), seed: figure("seed"), peak: figure("peak") });

/** A stay is booked, or something happens in it. */
interface StayRecord {
  readonly booking: number;
  /** Its number within its shard. */
  readonly record: number;
}

/** What comes out for each stay. */
export interface CorrelatedStay {
  readonly booking: number;
  /** Stays of the booking so far, this one included: each number once, if none is lost or doubled. */
  readonly stay: number;
}

/** A source with so many records of each stay, due when the stay is. */
function recordsOfStays(name: string, recordsOfStay: number): Source<StayRecord> {
  const firstOf = (tick: number) => load.firstOf(tick) * recordsOfStay;
  const stayOf = (record: number) => Math.floor(record / recordsOfStay);
  /** The records of a tick, from one of them on. */
  const batchOf = (
    shard: number,
    tick: number,
    first: number,
    millisBehindLatest: number,
  ): ShardBatch<StayRecord> => {
    const length = firstOf(tick + 1) - first;
    return {
      ...{ length, bytes: length * 24, millisBehindLatest },
      position: String(first + length - 1),
      valueAt: (row) => ({
        booking: load.bookingAt(shard, stayOf(first + row), tick),
        record: first + row,
      }),
      positionAt: (row) => String(first + row),
      timestampAt: () => -Infinity,
    };
  };
  return {
    ...{ kind: "generated", name, bounded: true },
    shards: () =>
      Promise.resolve(Array.from({ length: SHARDS }, (_, id) => ({ id: String(id), parents: [] }))),
    read: (shard, after, context) =>
      pacedBatches(context, async function* (signal) {
        const { clock, startedAt = clock.now() } = context;
        let first = after === undefined ? 0 : Number(after) + 1;
        for (let tick = load.tickOf(stayOf(first)); tick < load.ticks && !signal.aborted; tick++) {
          if (first >= firstOf(tick + 1)) continue;
          const due = startedAt + (tick + 1) * TICK_MS;
          const waitMs = due - clock.now();
          if (waitMs > 0) await delay(clock, waitMs, signal);
          yield batchOf(Number(shard), tick, first, Math.max(0, -waitMs));
          first = firstOf(tick + 1);
        }
      }),
  };
}

interface Figure {
  value: number;
}

/** What is known of a booking: stays that were booked, their events, and stays that came out; and what the work gave. */
interface BookingState {
  readonly booked: Figure;
  readonly events: Figure;
  readonly complete: Figure;
  readonly checksum: Figure;
}

/** Takes its time; a stay comes out if it has all that belongs to it now. */
function correlated(
  { booking, record }: StayRecord,
  { booked, events, complete, checksum }: BookingState,
): CorrelatedStay[] | undefined {
  checksum.value = work(checksum.value ^ record, rounds);
  const stay = complete.value + 1;
  if (booked.value < stay || events.value < stay * EVENTS_OF_STAY) return undefined;
  complete.value = stay;
  return [{ booking, stay }];
}

/** Job `scaling-demo`. */
export default defineJob({
  name: "scaling-demo",
  sources: {
    bookings: recordsOfStays("booking-created", 1),
    events: recordsOfStays("booking-events", EVENTS_OF_STAY),
  },
  sinks: { correlated: file.parts<CorrelatedStay>(query.get("out") ?? "out") },
  build({ bookings, events }, { correlated: stays }) {
    bookings.keyBy(({ booking }) => String(booking))
      .connect(events.keyBy(({ booking }) => String(booking)))
      .coFlatMap("correlate", {
        state: {
          booked: store.value(0),
          events: store.value(0),
          complete: store.value(0),
          checksum: store.value(0),
        },
        left(booking, { state }) {
          state.booked.value++;
          return correlated(booking, state);
        },
        right(event, { state }) {
          state.events.value++;
          return correlated(event, state);
        },
      })
      .to(stays);
  },
});
