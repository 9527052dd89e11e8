/**
 * Where the columns of decoded rows are in one piece of memory: in the decoder's own, and in the copies that are handed
 * out and sent to other threads.
 *
 * @module
 */

import { TEXT_CHUNK_BYTES, TextColumn } from "./text_column.ts";

/** How many columns there are of each kind. */
export interface ColumnCounts {
  readonly numberColumns: number;
  readonly stringColumns: number;
  readonly cellColumns: number;
}

/** The columns of decoded rows. Those of a kind follow one another, each of as many values as there are rows. */
export interface DecodedColumns {
  readonly rows: number;
  readonly numbers: Float64Array<ArrayBuffer>;
  /** For each column of strings where they start in `texts`, then where they end. */
  readonly spans: Uint32Array<ArrayBuffer>;
  /** What each row has, see {@linkcode Cell}. */
  readonly cells: Uint8Array<ArrayBuffer>;
  readonly texts: TextColumn;
}

/** What a cell can be: as in assembly/decoder.ts. */
export const Cell = { MISSING: 0, NULL: 1, VALUE: 2, FALSE: 3, TRUE: 4 } as const;

/** Offsets of columns, in this order, from an address that is a multiple of 8. */
export class ColumnLayout {
  readonly rows: number;
  readonly spans: number;
  readonly chunks: number;
  readonly cells: number;
  readonly texts: number;
  readonly textBytesMax: number;
  readonly #counts: ColumnCounts;

  /** @param textBytesMax of all strings together */
  constructor(counts: ColumnCounts, rows: number, textBytesMax: number) {
    const chunks = Math.floor(textBytesMax / TEXT_CHUNK_BYTES) + 1;
    this.#counts = counts;
    this.rows = rows;
    this.textBytesMax = textBytesMax;
    this.spans = 8 * rows * counts.numberColumns;
    this.chunks = this.spans + 8 * rows * counts.stringColumns;
    this.cells = this.chunks + 8 * chunks;
    this.texts = this.cells + rows * counts.cellColumns;
  }

  /**
   * The columns that stand like this in a buffer, from an address on.
   *
   * @example One number
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { ColumnLayout } from "./column_layout.ts";
   * const layout = new ColumnLayout({ numberColumns: 1, stringColumns: 0, cellColumns: 1 }, 1, 0);
   * const buffer = new ArrayBuffer(layout.texts);
   * new Float64Array(buffer, 0, 1)[0] = 5;
   * assertEquals(layout.columnsIn(buffer).numbers, new Float64Array([5]));
   * ```
   */
  columnsIn(buffer: ArrayBuffer, at = 0): DecodedColumns {
    const { rows } = this;
    const { numberColumns, stringColumns, cellColumns } = this.#counts;
    const chunks = new Uint32Array(buffer, at + this.chunks, (this.cells - this.chunks) >>> 2);
    return {
      rows,
      numbers: new Float64Array(buffer, at, numberColumns * rows),
      spans: new Uint32Array(buffer, at + this.spans, 2 * stringColumns * rows),
      cells: new Uint8Array(buffer, at + this.cells, cellColumns * rows),
      texts: new TextColumn(new Uint8Array(buffer, at + this.texts), chunks),
    };
  }
}
