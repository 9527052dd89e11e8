/**
 * Key groups: which of a keyed stage's actors a key belongs to. Hash, spread and range arithmetic are Apache Flink's
 * (`KeyGroupRangeAssignment`, `MathUtils.murmurHash`), on the key's string form unless a keyBy says otherwise, so that
 * state can move between hosts.
 *
 * @module
 */

import type { Key } from "../key.ts";

/**
 * What a key is hashed as: `"string"`, its string form, or as the Java type of that name, for keys that Flink keeps as
 * numbers or booleans, so that they come into the same key groups here.
 */
export type KeyHash = "string" | "int" | "long" | "double" | "boolean";

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

const double = new DataView(new ArrayBuffer(8));

/**
 * The Java hash code of a key: 32 bits, signed. A key may be the value's text: a `long` can be larger than a number
 * holds exactly, and a boolean is no key here.
 *
 * @throws {TypeError} if the key is no value of the type
 *
 * @example Java's `Long.hashCode` and `Boolean.hashCode`
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { keyHashOf } from "./key_group.ts";
 * assertEquals([keyHashOf("-173", "long"), keyHashOf("true", "boolean")], [172, 1231]);
 * ```
 */
export function keyHashOf(key: Key, as: KeyHash): number {
  switch (as) {
    case "string":
      return javaHash(typeof key === "string" ? key : String(key));
    case "int": {
      const value = Number(wholeText(key, as));
      if (value !== (value | 0)) throw keyError(key, as, "it does not fit into 32 bits");
      return value | 0;
    }
    case "long": {
      const value = BigInt(wholeText(key, as));
      if (value !== BigInt.asIntN(64, value)) {
        throw keyError(key, as, "it does not fit into 64 bits");
      }
      return Number(BigInt.asIntN(32, value ^ (value >> 32n)));
    }
    case "double": {
      const value = typeof key === "string" && key.trim() === "" ? NaN : Number(key);
      if (Number.isNaN(value)) throw keyError(key, as, "expected a number");
      double.setFloat64(0, value);
      return double.getInt32(0) ^ double.getInt32(4);
    }
    case "boolean":
      if (key !== "true" && key !== "false") throw keyError(key, as, "expected its text");
      return key === "true" ? 1231 : 1237;
  }
}

function wholeText(key: Key, as: KeyHash): string {
  const text = typeof key === "string" ? key : String(key);
  if (/^-?\d+$/.test(text)) return text;
  throw keyError(key, as, "expected a whole number in decimal digits");
}

function keyError(key: Key, as: KeyHash, what: string): TypeError {
  return new TypeError(
    `Cannot hash key ${JSON.stringify(key)} as ${as}: ${what}; see the keyBy's hash option`,
  );
}

/**
 * The key group of a key.
 *
 * @param as what it is hashed as; its string form unless said
 * @throws {TypeError} if the key is no value of that type; never for strings
 *
 * @example Flink's groups
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { keyGroupOf } from "./key_group.ts";
 * assertEquals([keyGroupOf("hello", 128), keyGroupOf("user-1", 128)], [35, 121]);
 * ```
 */
export function keyGroupOf(key: Key, maxParallelism: number, as: KeyHash = "string"): number {
  const hash = as === "string"
    ? javaHash(typeof key === "string" ? key : String(key))
    : keyHashOf(key, as);
  return murmurHash(hash) % maxParallelism;
}

/** The worker that Flink would give a key group to: contiguous ranges of nearly equal size. */
export function operatorIndexOf(
  keyGroup: number,
  maxParallelism: number,
  parallelism: number,
): number {
  return Math.floor((keyGroup * parallelism) / maxParallelism);
}

/**
 * The key groups that Flink gives a job that runs so parallel and does not say: half as many again as the next power of
 * two, from 128 to 32768.
 *
 * @example Up to 85 workers
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { defaultMaxParallelism } from "./key_group.ts";
 * assertEquals([defaultMaxParallelism(85), defaultMaxParallelism(86)], [128, 256]);
 * ```
 */
export function defaultMaxParallelism(parallelism: number): number {
  const wanted = parallelism + Math.floor(parallelism / 2);
  return Math.min(Math.max(2 ** Math.ceil(Math.log2(wanted)), 128), 32768);
}
