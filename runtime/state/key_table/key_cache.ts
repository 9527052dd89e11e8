/**
 * Keys by slot, as values, once they have been asked for: making a string of bytes takes longer than most handlers. In
 * segments, since one array for all slots would be copied when it grows.
 *
 * @module
 */

import type { Key } from "../../stream.ts";

const SEGMENT_BITS = 12;
const SEGMENT_SLOTS = 1 << SEGMENT_BITS;
const SLOT_MASK = SEGMENT_SLOTS - 1;

/** Keys as values. */
export class KeyCache {
  readonly #segments: (Key | undefined)[][] = [];

  /**
   * The key that was set for a slot, or undefined.
   *
   * @example Set and dropped
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { KeyCache } from "./key_cache.ts";
   * const cache = new KeyCache();
   * cache.set(5000, "a");
   * assertEquals([cache.get(5000), cache.get(1)], ["a", undefined]);
   * cache.drop(5000);
   * assertEquals(cache.get(5000), undefined);
   * ```
   */
  get(slot: number): Key | undefined {
    return this.#segments[slot >>> SEGMENT_BITS]?.[slot & SLOT_MASK];
  }

  set(slot: number, key: Key): void {
    const index = slot >>> SEGMENT_BITS;
    while (this.#segments.length <= index) this.#segments.push([]);
    let segment = this.#segments[index];
    if (segment === undefined || segment.length === 0) {
      segment = new Array<Key | undefined>(SEGMENT_SLOTS).fill(undefined);
      this.#segments[index] = segment;
    }
    segment[slot & SLOT_MASK] = key;
  }

  /** Lets go of a slot's key, so that the string can be freed. */
  drop(slot: number): void {
    const segment = this.#segments[slot >>> SEGMENT_BITS];
    if (segment !== undefined && segment.length > 0) segment[slot & SLOT_MASK] = undefined;
  }

  clear(): void {
    this.#segments.length = 0;
  }
}
