/**
 * 200,000 records into a sink that takes 1,000 a second: what is read must wait, and nothing may be lost.
 *
 * @module
 */

import type { Sink } from "../../../connectors/sink.ts";
import { defineJob, memory } from "../../../mod.ts";
import { delay } from "../../../runtime/clock.ts";

const RECORDS = 200_000;
const ROWS_PER_SECOND = 1_000;
const SHARDS = 4;
/** The log line that says how many distinct records one worker's writer got. */
export const WRITTEN_MESSAGE = "Written";

interface Row {
  readonly id: number;
  readonly text: string;
}

function slowSink(): Sink<Row> {
  return {
    kind: "slow",
    name: "slow",
    guarantee: "at least once",
    open: ({ clock, logger }) => {
      const seen = new Set<number>();
      let free = clock.now();
      return Promise.resolve({
        write: ({ values, length }) => {
          for (let row = 0; row < length; row++) seen.add(values[row]?.id ?? -1);
          // Each of the two workers has half of the rate.
          free = Math.max(free, clock.now()) + (length * 1000) / (ROWS_PER_SECOND / 2);
          return delay(clock, free - clock.now());
        },
        flush: () => {
          logger.info(WRITTEN_MESSAGE, { rows: seen.size });
          return Promise.resolve();
        },
        close: () => Promise.resolve(),
        pending: () => 0,
      });
    },
  };
}

const shards = Array.from(
  { length: SHARDS },
  (_, shard) =>
    Array.from({ length: RECORDS / SHARDS }, (_, row): Row => {
      const id = row * SHARDS + shard;
      return { id, text: `record ${id} ${"x".repeat(200)}` };
    }),
);

/** Job `slow-sink`. */
export default defineJob({
  name: "slow-sink",
  sources: { rows: memory.source({ shards }) },
  sinks: { slow: slowSink() },
  build({ rows }, { slow }) {
    rows.keyBy((row) => row.id % 1000).process("pass", { state: {}, onEvent: (row) => [row] }).to(
      slow,
    );
  },
});
