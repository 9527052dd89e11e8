/**
 * What rows between stages are to whoever handles them: all keys are looked up at once, and values asked for row by row.
 *
 * @module
 */

import type { KeyReader } from "../state/key_reader.ts";
import type { KeyTable } from "../state/key_table.ts";
import type { Origin } from "./origin.ts";

/** What all rows have, in order, numbered from 0. */
export interface RowSequence {
  readonly length: number;
  /** Estimated payload. */
  readonly bytes: number;
  /** The key group of each row. */
  readonly groups: ArrayLike<number>;
  /** Looks the rows' keys up. Keys that are not there yet are put into the table. */
  slotsIn(keys: KeyTable, slots: Uint32Array<ArrayBuffer>): void;
  /** The row's value. `keys` knows its key by `slot`; whoever has the value may keep it. */
  valueAt(row: number, keys: KeyReader, slot: number): unknown;
  /** Event time, ms since the epoch, or -Infinity. */
  timestampAt(row: number): number;
  originAt(row: number): Origin;
  /** The row within its origin. */
  originRowAt(row: number): number;
  /** Which output of its record the row is: see `output_id.ts`. */
  subAt(row: number): number;
  /** All rows have been handled: nothing is asked of them any more. */
  free(): void;
}
