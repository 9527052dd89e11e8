/**
 * The job of the checkpoint benchmark: a million keys with state, of which some change, round by round. A round is read
 * at once, then there is nothing to read for a while, so that a checkpoint between two has what one round has changed.
 *
 * @module
 */

import type { ShardBatch, Source } from "../../../connectors/source.ts";
import { pacedBatches } from "../../../connectors/paced_batches.ts";
import { defineJob, store } from "../../../mod.ts";
import { delay } from "../../../runtime/clock.ts";
import { LIVE_KEYS, LIVE_KEYS_CHANGED, ROUND_MS } from "../live_keys.ts";
import { checksumSink } from "./checksum_sink.ts";
import { numberedRows } from "./numbered_rows.ts";

interface Change {
  readonly id: string;
  readonly at: number;
  readonly amount: number;
}

const BATCH_ROWS = 1000;
/** Changed keys lie apart: every so many of them. */
const STEP = LIVE_KEYS / LIVE_KEYS_CHANGED;

/** The key of a row: each once, then rounds over some of them. */
function keyOf(row: number): number {
  if (row < LIVE_KEYS) return row;
  const [round, nth] = [
    Math.floor((row - LIVE_KEYS) / LIVE_KEYS_CHANGED),
    (row - LIVE_KEYS) % LIVE_KEYS_CHANGED,
  ];
  return (nth * STEP + round) % LIVE_KEYS;
}

function batchAt(first: number): ShardBatch<Change> {
  return {
    ...numberedRows(first, BATCH_ROWS),
    bytes: BATCH_ROWS * 100,
    valueAt: (row) => ({
      id: `key-${keyOf(first + row)}`,
      at: first + row,
      amount: (first + row) / 4,
    }),
  };
}

const changes: Source<Change> = {
  kind: "live-keys",
  name: "changes",
  bounded: false,
  shards: () => Promise.resolve([{ id: "only", parents: [] }]),
  read: (_shard, after, context) =>
    pacedBatches(context, async function* (signal) {
      for (let row = after === undefined ? 0 : Number(after) + 1; !signal.aborted;) {
        yield batchAt(row);
        row += BATCH_ROWS;
        const isRoundOver = row >= LIVE_KEYS && (row - LIVE_KEYS) % LIVE_KEYS_CHANGED === 0;
        if (isRoundOver) await delay(context.clock, ROUND_MS, signal);
      }
    }),
};

/** Job `live-keys`. */
export default defineJob({
  name: "live-keys",
  sources: { changes },
  sinks: { out: checksumSink<number>() },
  build({ changes }, { out }) {
    changes.keyBy((change) => change.id).process("keep", {
      state: { last: store.value<Change>(), count: store.value(0) },
      onEvent(change, { state }): number[] {
        state.last.value = change;
        state.count.value++;
        return [];
      },
    }).to(out);
  },
});
