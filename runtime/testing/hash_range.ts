/**
 * Which shard a partition key belongs to, as Kinesis has it: the MD5 of the key's UTF-8 text, taken as an unsigned number
 * of 128 bits, lies in exactly one open shard's range.
 *
 * @module
 */

import { createHash } from "node:crypto";

/** Hash keys are below this. */
export const HASH_KEY_COUNT = 1n << 128n;

/** The hash keys of a shard, both ends included. */
export interface HashRange {
  readonly start: bigint;
  readonly end: bigint;
}

/**
 * A partition key's hash key.
 *
 * @example The MD5 of "a" as a number
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { hashKeyOf } from "./hash_range.ts";
 * assertEquals(hashKeyOf("a"), 0x0cc175b9c0f1b6a831c399e269772661n);
 * ```
 */
export function hashKeyOf(partitionKey: string): bigint {
  return BigInt(`0x${createHash("md5").update(partitionKey, "utf8").digest("hex")}`);
}

/** Whether the range holds the hash key. */
export function holds(range: HashRange, hashKey: bigint): boolean {
  return range.start <= hashKey && hashKey <= range.end;
}

/**
 * The ranges of a stream that was created with so many shards: all of the same size, the last one with the remainder.
 *
 * @example Two shards
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { evenHashRanges } from "./hash_range.ts";
 * assertEquals(evenHashRanges(2)[1]?.start, 170141183460469231731687303715884105728n);
 * ```
 */
export function evenHashRanges(shardCount: number): HashRange[] {
  const size = HASH_KEY_COUNT / BigInt(shardCount);
  return Array.from({ length: shardCount }, (_, shard) => ({
    start: size * BigInt(shard),
    end: shard === shardCount - 1 ? HASH_KEY_COUNT - 1n : size * BigInt(shard + 1) - 1n,
  }));
}

/** The two halves of a range, for a split in the middle. */
export function halves({ start, end }: HashRange): [HashRange, HashRange] {
  const middle = (start + end + 1n) / 2n;
  return [{ start, end: middle - 1n }, { start: middle, end }];
}

/** The range of two shards that lie next to one another, or undefined if they do not. */
export function joined(one: HashRange, other: HashRange): HashRange | undefined {
  const [lower, upper] = one.start < other.start ? [one, other] : [other, one];
  return lower.end + 1n === upper.start ? { start: lower.start, end: upper.end } : undefined;
}
