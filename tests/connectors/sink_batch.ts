/**
 * Batches as the engine hands them to sinks, for tests of sinks by themselves.
 *
 * @module
 */

import type { SinkBatch } from "../../connectors/sink.ts";

/** Rows of shard `shard`, at positions from 0, without event time. */
export function sinkBatch<T>(values: readonly T[], shard = "shard"): SinkBatch<T> {
  return {
    length: values.length,
    values,
    originAt: (row) => `${shard}@${row}`,
    timestampAt: () => -Infinity,
    idAt: (row) => `${shard}@${row}#0`,
  };
}
