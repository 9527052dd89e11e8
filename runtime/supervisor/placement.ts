/**
 * Who gets what: pure functions over what is there now.
 *
 * @module
 */

import { operatorIndexOf } from "../state/key_group.ts";

/** A shard, by its source and id. */
export interface ShardName {
  readonly source: string;
  readonly shard: string;
}

/** A shard that another worker is to read. */
export interface ShardMove extends ShardName {
  readonly from: number;
  readonly to: number;
}

/**
 * The worker of each key group: contiguous ranges of nearly equal size, as Flink deals them out.
 *
 * @example Four key groups on two workers
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { placeKeyGroups } from "./placement.ts";
 * assertEquals(placeKeyGroups(4, 2), [0, 0, 1, 1]);
 * ```
 */
export function placeKeyGroups(maxParallelism: number, workers: number): readonly number[] {
  return Array.from(
    { length: maxParallelism },
    (_, group) => operatorIndexOf(group, maxParallelism, workers),
  );
}

/**
 * The worker for a shard that is to be read: the one with the fewest, the lowest number among equals.
 *
 * @param shardsOf how many shards each worker reads
 */
export function placeShard(shardsOf: readonly number[]): number {
  let best = 0;
  for (const [worker, shards] of shardsOf.entries()) {
    if (shards < (shardsOf[best] ?? Infinity)) best = worker;
  }
  return best;
}

/**
 * The fewest moves after which the first so many workers read as many shards each, but for one more or less, and all others
 * none. The shards that each of them has got last go.
 *
 * @param shardsOf the shards that each worker reads
 * @param workers how many are to read shards; at least 1
 * @throws {RangeError} if there are none
 *
 * @example The third of three workers is to go
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { spreadShards } from "./placement.ts";
 * const of = (shard: string) => ({ source: "in", shard });
 * assertEquals(spreadShards([[of("a")], [], [of("b")]], 2), [{ ...of("b"), from: 2, to: 1 }]);
 * ```
 */
export function spreadShards(
  shardsOf: readonly (readonly ShardName[])[],
  workers: number,
): readonly ShardMove[] {
  if (!Number.isInteger(workers) || workers < 1) {
    throw new RangeError(`Cannot spread shards over ${workers} workers: expected 1 or more`);
  }
  const staying = Array.from({ length: workers }, (_, worker) => shardsOf[worker] ?? []);
  const all = shardsOf.reduce((sum, { length }) => sum + length, 0);
  const [least, more] = [Math.floor(all / workers), all % workers];
  // Where there are the most already, one more stays.
  const mostFirst = [...staying.keys()].sort((a, b) =>
    (staying[b]?.length ?? 0) - (staying[a]?.length ?? 0) || a - b
  );
  const wanted = new Map(
    mostFirst.map((worker, place) => [worker, least + (place < more ? 1 : 0)]),
  );
  const leaving = shardsOf.flatMap((shards, from) =>
    shards.slice(wanted.get(from) ?? 0).map((of) => ({ ...of, from }))
  );
  const counts = staying.map(({ length }, worker) => Math.min(length, wanted.get(worker) ?? 0));
  return leaving.map(({ source, shard, from }) => {
    const to = placeShard(counts);
    counts[to] = (counts[to] ?? 0) + 1;
    return { source, shard, from, to };
  });
}
