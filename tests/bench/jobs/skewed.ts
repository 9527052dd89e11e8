/**
 * The job of the skew benchmark: keys of which the k-th is k^-s as frequent as the first, at a fixed rate, each record
 * with the same work. Its URL says how much: `keys`, `exponent`, `rate` (records a second) and `rounds` (of work a record).
 *
 * @module
 */

import { pacedBatches } from "../../../connectors/paced_batches.ts";
import type { Sink } from "../../../connectors/sink.ts";
import type { ShardBatch, Source } from "../../../connectors/source.ts";
import { work } from "../../../examples/scaling/work.ts";
import { defineJob, store } from "../../../mod.ts";
import { delay } from "../../../runtime/clock.ts";
import { type Random, seededRandom } from "../../../runtime/random.ts";
import { SKEW_SHARDS, SKEW_STAGE } from "../skew_load.ts";
import { numberedRows } from "./numbered_rows.ts";

const query = new URL(import.meta.url).searchParams;
const figure = (name: string) => Number(query.get(name));
const TICK_MS = 20;
const TICK_ROWS = Math.round(figure("rate") / SKEW_SHARDS * TICK_MS / 1000);
const ROUNDS = figure("rounds");

/** Of all keys up to each: their part of the records. */
const parts = new Float64Array(figure("keys"));
let total = 0;
for (let key = 0; key < parts.length; key++) {
  total += (key + 1) ** -figure("exponent");
  parts[key] = total;
}

function keyOf(random: Random): number {
  const wanted = random() * total;
  let [low, high] = [0, parts.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((parts[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

function batchOf(first: number, keys: Uint32Array, millisBehindLatest: number): ShardBatch<number> {
  const { length } = keys;
  return {
    ...numberedRows(first, length),
    ...{ bytes: length * 16, millisBehindLatest },
    valueAt: (row) => keys[row] ?? 0,
  };
}

const draws: Source<number> = {
  ...{ kind: "skewed", name: "draws", bounded: false },
  shards: () =>
    Promise.resolve(
      Array.from({ length: SKEW_SHARDS }, (_, id) => ({ id: String(id), parents: [] })),
    ),
  read: (shard, _after, context) =>
    pacedBatches(context, async function* (signal) {
      const { clock } = context;
      const random = seededRandom(Number(shard) + 1);
      let due = clock.now();
      for (let first = 0; !signal.aborted; first += TICK_ROWS) {
        due += TICK_MS;
        const waitMs = due - clock.now();
        if (waitMs > 0) await delay(clock, waitMs, signal);
        const keys = Uint32Array.from({ length: TICK_ROWS }, () => keyOf(random));
        yield batchOf(first, keys, Math.max(0, -waitMs));
      }
    }),
};

const nothing: Sink<never> = {
  ...{ kind: "nothing", name: "nothing", guarantee: "at least once" },
  open: () =>
    Promise.resolve({
      write: () => undefined,
      flush: () => Promise.resolve(),
      close: () => Promise.resolve(),
      pending: () => 0,
    }),
};

/** Job `skewed`. */
export default defineJob({
  name: "skewed",
  maxParallelism: 128,
  sources: { draws },
  sinks: { nothing },
  build({ draws }, { nothing }) {
    draws.keyBy((key) => `key-${key + 1}`).process(SKEW_STAGE, {
      state: { sum: store.value(0) },
      onEvent(key, { state }): undefined {
        state.sum.value = work(state.sum.value ^ key, ROUNDS);
      },
    }).to(nothing);
  },
});
