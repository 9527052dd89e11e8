/**
 * One worker's rows of those that were decoded together, with what is to be known of each beside its columns. All of it
 * is in one buffer: making, sending and freeing one costs as much as a dozen rows, however large it is.
 *
 * @module
 */

import { type ColumnCounts, ColumnLayout, type DecodedColumns } from "./column_layout.ts";

/** Rows for one worker. */
export interface PickedRows {
  readonly columns: DecodedColumns;
  /** The time of each row: left for whoever knows it. */
  readonly timestamps: Float64Array<ArrayBuffer>;
  /** The number of each row among those that were decoded together. */
  readonly sourceRows: Uint32Array<ArrayBuffer>;
  /** The key group of each row. */
  readonly groups: Uint16Array<ArrayBuffer>;
  /** What all of these are views of: nobody else has it. */
  readonly buffer: ArrayBuffer;
  /** For {@linkcode PickedLayout}. */
  readonly textBytesMax: number;
}

/** Where everything is in the buffer. */
export class PickedLayout {
  readonly sourceRows: number;
  readonly groups: number;
  /** Where the columns begin, and from there where each is. */
  readonly columns: number;
  readonly layout: ColumnLayout;

  /** @param textBytesMax of all strings together */
  constructor(counts: ColumnCounts, rows: number, textBytesMax: number) {
    this.sourceRows = 8 * rows;
    this.groups = this.sourceRows + 4 * rows;
    this.columns = Math.ceil((this.groups + 2 * rows) / 8) * 8;
    this.layout = new ColumnLayout(counts, rows, textBytesMax);
  }

  /** How large the buffer is with so many bytes of texts. */
  bytes(textBytes: number): number {
    return this.columns + this.layout.texts + textBytes;
  }

  /**
   * The rows that stand like this in a buffer.
   *
   * @example One number
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { PickedLayout } from "./picked_rows.ts";
   * const counts = { numberColumns: 1, stringColumns: 0, cellColumns: 0 };
   * const layout = new PickedLayout(counts, 1, 0);
   * const { columns, timestamps } = layout.rowsIn(new ArrayBuffer(layout.bytes(0)));
   * assertEquals([columns.numbers.length, timestamps.length], [1, 1]);
   * ```
   */
  rowsIn(buffer: ArrayBuffer): PickedRows {
    const { rows, textBytesMax } = this.layout;
    return {
      columns: this.layout.columnsIn(buffer, this.columns),
      timestamps: new Float64Array(buffer, 0, rows),
      sourceRows: new Uint32Array(buffer, this.sourceRows, rows),
      groups: new Uint16Array(buffer, this.groups, rows),
      buffer,
      textBytesMax,
    };
  }
}
