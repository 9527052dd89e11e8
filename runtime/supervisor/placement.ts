/**
 * Who gets what: pure functions over what is there now. The placement is made once, at the start of an attempt.
 *
 * @module
 */

import { operatorIndexOf } from "../state/key_group.ts";

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
