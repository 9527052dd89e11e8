/**
 * A key group's chain of chunks made one: a base, and changes upon it.
 *
 * @module
 */

import { decodeChanges, encodeChanges, type KeyChanges, mergeChanges } from "./key_changes.ts";

/**
 * What a chain comes to. Changes are merged with each other first: they are small, and the base is gone through once.
 *
 * @param chain the chunks' bytes, the base first
 *
 * @example A base and one change
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { encodeChanges } from "./key_changes.ts";
 * import { readChain } from "./key_chain.ts";
 * const base = { states: ["sum"], deleted: [], keys: ["a", "b"], cells: [[1, 2]], timers: [] };
 * const change = { states: ["sum"], deleted: ["b"], keys: [], cells: [[]], timers: [] };
 * assertEquals(readChain([base, change].map((of) => encodeChanges(of))).keys, ["a"]);
 * ```
 */
export function readChain(chain: readonly Uint8Array[]): KeyChanges {
  const [base, ...changes] = chain.map(decodeChanges);
  if (base === undefined) return { states: [], deleted: [], keys: [], cells: [], timers: [] };
  if (changes.length === 0) return { ...base, deleted: [] };
  const change = changes.reduce((a, b) => mergeChanges(a, b, { keepDeleted: true }));
  return mergeChanges(base, change, { keepDeleted: false });
}

/** The same as the bytes of one chunk. */
export function mergeChain(chain: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return encodeChanges(readChain(chain));
}

/** How many keys a chunk has. */
export function keysIn(chunk: Uint8Array): number {
  return decodeChanges(chunk).keys.length;
}
