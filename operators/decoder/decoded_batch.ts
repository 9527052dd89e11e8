/**
 * What the decoder made of a batch: for each row what became of it, and typed columns with the fields of those that
 * were accepted.
 *
 * @module
 */

import type { DecodedColumns } from "./column_layout.ts";

/** What became of a row: as in assembly/decoder.ts. */
export const RowStatus = {
  /** Not decided: `JSON.parse` must have a look. */
  FALLBACK: 0,
  /** Valid JSON in which the paths select nothing. */
  NOTHING: 1,
  /** Valid JSON with valid fields, which are in the columns. */
  ACCEPTED: 2,
} as const;

/** What stands for a row that the schema has issues with: it is to be decoded otherwise, and refused with a reason. */
export const REFUSED: unique symbol = Symbol("refused");

/** Makes the object of an accepted row. */
export type RowMaker<T> = (columns: DecodedColumns, row: number) => T | typeof REFUSED;

/** A decoded batch. It owns its memory: later batches leave it as it is. */
export class DecodedBatch<T> {
  readonly columns: DecodedColumns;
  readonly #statuses: Uint8Array;
  readonly #make: RowMaker<T>;

  constructor(columns: DecodedColumns, statuses: Uint8Array, make: RowMaker<T>) {
    this.columns = columns;
    this.#statuses = statuses;
    this.#make = make;
  }

  get length(): number {
    return this.columns.rows;
  }

  /** One of {@linkcode RowStatus}. */
  statusAt(row: number): number {
    return this.#statuses[row] ?? RowStatus.FALLBACK;
  }

  /** The object of an accepted row, a new one at each call. What another row gives means nothing. */
  rowAt(row: number): T | typeof REFUSED {
    return this.#make(this.columns, row);
  }
}
