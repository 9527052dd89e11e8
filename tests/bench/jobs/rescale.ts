/**
 * The job of the rescale benchmarks: counts updates of `keys` keys, a parameter of its URL. First each key once, as fast as that goes; then
 * updates at a fixed rate, each with the time at which it was due.
 *
 * @module
 */

import { pacedBatches } from "../../../connectors/paced_batches.ts";
import type { Sink } from "../../../connectors/sink.ts";
import type { ShardBatch, Source } from "../../../connectors/source.ts";
import { defineJob, store } from "../../../mod.ts";
import { delay, systemClock } from "../../../runtime/clock.ts";
import { keyGroupOf } from "../../../runtime/state/key_group.ts";
import {
  RESCALE_RATE,
  RESCALE_STRIDE,
  RESCALE_TELL_MS,
  RESCALE_TICK_MS,
  rowNumber,
  SEEN_MESSAGE,
  type SeenRows,
} from "../rescale_load.ts";
import { numberedRows } from "./numbered_rows.ts";

interface Update {
  readonly key: number;
  /** When it was due, ms of the clock; 0 for the first of each key. */
  readonly due: number;
}

interface Counted extends Update {
  readonly count: number;
}

const KEYS = Number(new URL(import.meta.url).searchParams.get("keys"));
const LOAD_ROWS = 1000;
const TICK_ROWS = RESCALE_RATE * RESCALE_TICK_MS / 1000;
/** So that a key's state takes 100 bytes. */
const NOTE = "about as much as a record of a real job has: ".padEnd(75, ".");
const MAX_PARALLELISM = 128;
/** Of so many rows the latency of one is kept. */
const SAMPLE = 10;

function batchAt(first: number, length: number, due: number): ShardBatch<Update> {
  return {
    ...numberedRows(first, length),
    bytes: length * 32,
    valueAt: (row) => ({ key: (first + row) * RESCALE_STRIDE % KEYS, due }),
  };
}

const updates: Source<Update> = {
  kind: "rescale",
  name: "updates",
  bounded: false,
  shards: () => Promise.resolve([{ id: "only", parents: [] }]),
  read: (_shard, _after, context) =>
    pacedBatches(context, async function* (signal) {
      let row = 0;
      for (; row < KEYS && !signal.aborted; row += LOAD_ROWS) {
        yield batchAt(row, LOAD_ROWS, 0);
      }
      const { clock } = context;
      for (let due = clock.now(); !signal.aborted; due += RESCALE_TICK_MS) {
        const waitMs = due - clock.now();
        if (waitMs > 0) await delay(clock, waitMs, signal);
        yield batchAt(row, TICK_ROWS, due);
        row += TICK_ROWS;
      }
    }),
};

/** Logs what it has seen. */
const seen: Sink<Counted> = {
  kind: "rescale",
  name: "seen",
  guarantee: "at least once",
  open: ({ logger }) => {
    const openedAt = systemClock.now();
    let [rows, sum, toldAt] = [0, 0, 0];
    let latencies: number[] = [];
    let groups: number[] = [];
    const tell = () => {
      const told: SeenRows = { openedAt, rows, sum, latencies, groups };
      logger.info(SEEN_MESSAGE, { ...told });
      latencies = [];
      groups = [];
    };
    return Promise.resolve({
      write({ values, length }) {
        const now = systemClock.now();
        for (let row = 0; row < length; row++) {
          const value = values[row];
          if (value === undefined) continue;
          const { key, due, count } = value;
          sum += rowNumber(key, count);
          if (due > 0 && (rows + row) % SAMPLE === 0) {
            latencies.push(now - due);
            groups.push(keyGroupOf(String(key), MAX_PARALLELISM));
          }
        }
        rows += length;
        if (now - toldAt < RESCALE_TELL_MS) return undefined;
        toldAt = now;
        tell();
        return undefined;
      },
      flush: () => Promise.resolve(tell()),
      close: () => Promise.resolve(),
      pending: () => 0,
    });
  },
};

/** Job `rescale`. */
export default defineJob({
  name: "rescale",
  maxParallelism: MAX_PARALLELISM,
  sources: { updates },
  sinks: { seen },
  build({ updates }, { seen }) {
    updates.keyBy(({ key }) => String(key)).process("count", {
      state: { count: store.value(0), last: store.value<Update & { note: string }>() },
      onEvent({ key, due }, { state }): Counted[] {
        const count = ++state.count.value;
        state.last.value = { key, due, note: `${key} ${NOTE}` };
        return [{ key, due, count }];
      },
    }).to(seen);
  },
});
