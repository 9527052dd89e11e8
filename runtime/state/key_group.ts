/**
 * Key groups: which of a keyed stage's actors a key belongs to. Hash, spread and range arithmetic are Apache Flink's
 * (`KeyGroupRangeAssignment`, `MathUtils.murmurHash`), on the key's string form, so that state can move between hosts.
 *
 * @module
 */

import type { Key } from "../stream.ts";

/** Java's `String.hashCode`: 32 bits, wrapping. */
export function javaHash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(31, hash) + text.charCodeAt(i)) | 0;
  return hash;
}

/** Flink's `MathUtils.murmurHash` of a 32-bit number: 0 to 2^31 - 1. */
export function murmurHash(code: number): number {
  let hash = Math.imul(code, 0xcc9e2d51);
  hash = (hash << 15) | (hash >>> 17);
  hash = Math.imul(hash, 0x1b873593);
  hash = (hash << 13) | (hash >>> 19);
  hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  hash ^= 4;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  hash ^= hash >>> 16;
  if (hash >= 0) return hash;
  return hash === -2147483648 ? 0 : -hash;
}

/**
 * The key group of a key.
 *
 * @example Flink's groups
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { keyGroupOf } from "./key_group.ts";
 * assertEquals([keyGroupOf("hello", 128), keyGroupOf("user-1", 128)], [35, 121]);
 * ```
 */
export function keyGroupOf(key: Key, maxParallelism: number): number {
  return murmurHash(javaHash(typeof key === "string" ? key : String(key))) % maxParallelism;
}

/** The worker that Flink would give a key group to: contiguous ranges of nearly equal size. */
export function operatorIndexOf(
  keyGroup: number,
  maxParallelism: number,
  parallelism: number,
): number {
  return Math.floor((keyGroup * parallelism) / maxParallelism);
}
