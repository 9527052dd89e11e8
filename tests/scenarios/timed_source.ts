/**
 * A source whose batches come at given moments of virtual time: for stories about order between
 * inputs, slow shards and idleness.
 *
 * @module
 */

import { pacedBatches } from "../../connectors/paced_batches.ts";
import type { ShardBatch, Source } from "../../connectors/source.ts";
import { delay } from "../../runtime/clock.ts";

/** Values that come together. */
export interface Delivery<T> {
  /** Virtual time, ms: not before it. */
  readonly at: number;
  /** None: the shard only stays open until then. */
  readonly values: readonly T[];
}

/** A bounded source; each shard ends with its last delivery. A position is such as `"2.0"`. */
export function timedSource<T>(...shards: readonly (readonly Delivery<T>[])[]): Source<T> {
  return {
    kind: "timed",
    name: "timed",
    bounded: true,
    shards: () =>
      Promise.resolve(shards.map((_, shard) => ({ id: `shard-${shard}`, parents: [] }))),
    read: (id, _after, context) =>
      pacedBatches(context, async function* (signal) {
        const deliveries = shards[Number(id.slice("shard-".length))] ?? [];
        for (const [number, { at, values }] of deliveries.entries()) {
          await delay(context.clock, Math.max(0, at - context.clock.now()), signal);
          yield batchOf(values, number);
        }
      }),
  };
}

function batchOf<T>(values: readonly T[], number: number): ShardBatch<T> {
  return {
    length: values.length,
    bytes: values.length,
    position: String(number),
    valueAt: (row) => values[row] as T,
    positionAt: (row) => `${number}.${row}`,
    timestampAt: () => -Infinity,
  };
}
