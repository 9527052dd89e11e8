/**
 * What gives the key of a slot to whoever has only the slot.
 *
 * @module
 */

import type { Key } from "../key.ts";

/** Where the keys of slots can be looked up. */
export interface KeyReader {
  keyAt(slot: number): Key;
}
