/**
 * The job of the scaling demonstration: events of bookings, counted for each booking, with some work for each. Its URL
 * says how much: `seconds`, `seed`, `peak` (events a second), `rounds` (of work an event), and `out`, a folder for what
 * comes out.
 *
 * @module
 */

import { pacedBatches } from "../../connectors/paced_batches.ts";
import { defineJob, file, type ShardBatch, type Source, store } from "../../mod.ts";
import { delay } from "../../runtime/clock.ts";
import { Load, SHARDS, TICK_MS } from "./load.ts";
import { work } from "./work.ts";

const query = new URL(import.meta.url).searchParams;
const figure = (name: string) => Number(query.get(name) ?? 1);
const rounds = figure("rounds");
const load = new Load({ seconds: figure("seconds"), seed: figure("seed"), peak: figure("peak") });

interface BookingEvent {
  readonly booking: number;
  /** Its number within its shard. */
  readonly event: number;
}

/** What comes out for each event. */
export interface CountedEvent {
  readonly booking: number;
  /** Events of the booking so far, this one included: each number once, if none is lost or doubled. */
  readonly count: number;
}

/** The events of a tick, from one of them on. */
function batchOf(
  shard: number,
  tick: number,
  first: number,
  millisBehindLatest: number,
): ShardBatch<BookingEvent> {
  const length = load.firstOf(tick + 1) - first;
  return {
    ...{ length, bytes: length * 24, millisBehindLatest },
    position: String(first + length - 1),
    valueAt: (row) => ({
      booking: load.bookingAt(shard, first + row, tick),
      event: first + row,
    }),
    positionAt: (row) => String(first + row),
    timestampAt: () => -Infinity,
  };
}

const events: Source<BookingEvent> = {
  kind: "generated",
  name: "booking-events",
  bounded: true,
  shards: () =>
    Promise.resolve(Array.from({ length: SHARDS }, (_, id) => ({ id: String(id), parents: [] }))),
  read: (shard, after, context) =>
    pacedBatches(context, async function* (signal) {
      const { clock, startedAt = clock.now() } = context;
      let first = after === undefined ? 0 : Number(after) + 1;
      for (let tick = load.tickOf(first); tick < load.ticks && !signal.aborted; tick++) {
        if (first >= load.firstOf(tick + 1)) continue;
        const due = startedAt + (tick + 1) * TICK_MS;
        const waitMs = due - clock.now();
        if (waitMs > 0) await delay(clock, waitMs, signal);
        yield batchOf(Number(shard), tick, first, Math.max(0, -waitMs));
        first = load.firstOf(tick + 1);
      }
    }),
};

/** Job `scaling-demo`. */
export default defineJob({
  name: "scaling-demo",
  sources: { events },
  sinks: { counted: file.parts<CountedEvent>(query.get("out") ?? "out") },
  build({ events }, { counted }) {
    events.keyBy(({ booking }) => String(booking)).process("count", {
      state: { count: store.value(0), checksum: store.value(0) },
      onEvent({ booking, event }, { state }): CountedEvent[] {
        state.checksum.value = work(state.checksum.value ^ event, rounds);
        return [{ booking, count: ++state.count.value }];
      },
    }).to(counted);
  },
});
