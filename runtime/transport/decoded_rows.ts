/**
 * Rows that are columns from their bytes on: handed over inside a worker, and posted to another, as they are. A row
 * becomes an object when it is handled, and then owns what it has: columns are never written again, and their memory
 * is freed with the last row that waits.
 *
 * @module
 */

import type { DecodedColumns } from "../../operators/decoder/column_layout.ts";
import type { KeyedDecoder } from "../../operators/decoder/keyed_decoder.ts";
import type { PickedRows } from "../../operators/decoder/picked_rows.ts";
import type { KeyReader } from "../state/key_reader.ts";
import type { KeyTable } from "../state/key_table.ts";
import type { Origin } from "./origin.ts";
import type { RowSequence } from "./row_sequence.ts";

/** What is to be known of all rows together. */
export interface DecodedRowsOrigin {
  readonly origin: Origin;
  /** Estimated payload. */
  readonly bytes: number;
  /** Whether the same rows go to several stages: then they are copied before they are sent. */
  readonly isShared: boolean;
}

/** Decoded rows of one shard. */
export class DecodedRows implements RowSequence {
  readonly kind = "columns";
  readonly length: number;
  readonly bytes: number;
  readonly groups: Uint16Array<ArrayBuffer>;
  readonly origin: Origin;
  readonly #decoder: KeyedDecoder;
  readonly #columns: DecodedColumns;
  readonly #timestamps: Float64Array<ArrayBuffer>;
  /** The row within the origin of each row; undefined if they are the same. */
  readonly #originRows: Uint32Array<ArrayBuffer> | undefined;
  readonly #picked: PickedRows;
  readonly #isShared: boolean;

  private constructor(
    decoder: KeyedDecoder,
    picked: PickedRows,
    originRows: Uint32Array<ArrayBuffer> | undefined,
    { origin, bytes, isShared }: DecodedRowsOrigin,
  ) {
    this.length = picked.columns.rows;
    this.bytes = bytes;
    this.groups = picked.groups;
    this.origin = origin;
    this.#decoder = decoder;
    this.#columns = picked.columns;
    this.#timestamps = picked.timestamps;
    this.#originRows = originRows;
    this.#picked = picked;
    this.#isShared = isShared;
  }

  /** Rows that were decoded here; their timestamps are set. */
  static of(decoder: KeyedDecoder, picked: PickedRows, origin: DecodedRowsOrigin): DecodedRows {
    return new DecodedRows(decoder, picked, picked.sourceRows, origin);
  }

  slotsIn(keys: KeyTable, slots: Uint32Array<ArrayBuffer>): void {
    const { kind, values } = this.#decoder.key;
    const { numbers, spans, texts } = this.#columns;
    const { length, groups } = this;
    if (kind === "number") {
      const column = numbers.subarray(values * length, (values + 1) * length);
      return keys.numberSlots(column, groups, length, slots);
    }
    const starts = spans.subarray(2 * values * length, (2 * values + 1) * length);
    const ends = spans.subarray((2 * values + 1) * length, (2 * values + 2) * length);
    keys.stringSlots(texts.bytes, starts, ends, groups, length, slots);
  }

  valueAt(row: number, keys: KeyReader, slot: number): unknown {
    return this.#decoder.construct(this.#columns, row, keys.keyAt(slot));
  }

  timestampAt(row: number): number {
    return this.#timestamps[row] ?? -Infinity;
  }

  originAt(_row: number): Origin {
    return this.origin;
  }

  originRowAt(row: number): number {
    return this.#originRows === undefined ? row : this.#originRows[row] ?? 0;
  }

  /** The decoder makes at most one row of a record, and nothing else leaves for it before that. */
  subAt(_row: number): number {
    return 0;
  }

  /** Gives memory back now: the collector would find it only when much more has come together. */
  free(): void {
    if (!this.#isShared) this.#picked.buffer.transfer(0);
  }

  /** As plain data, fit to be sent: its buffer may be moved then, and the rows here are over. */
  encode(): EncodedDecodedRows {
    const { length, bytes, origin } = this;
    const { buffer, textBytesMax, sourceRows } = this.#picked;
    const sent = this.#isShared ? buffer.slice() : buffer;
    // Where the origin's rows were is now where their positions end.
    const positionEnds = new Uint32Array(sent, sourceRows.byteOffset, length);
    let positions = "";
    for (let row = 0; row < length; row++) {
      positions += origin.positionAt(this.originRowAt(row));
      positionEnds[row] = positions.length;
    }
    const { shard } = origin;
    return { kind: "columns", length, bytes, buffer: sent, textBytesMax, shard, positions };
  }

  /** The rows that were encoded, for the decoder that the sender had. */
  static decode(encoded: EncodedDecodedRows, decoder: KeyedDecoder): DecodedRows {
    const { length, bytes, buffer, textBytesMax, shard, positions } = encoded;
    const picked = decoder.layout(length, textBytesMax).rowsIn(buffer);
    // Outputs keep where they came from for longer than there are rows.
    const ends = picked.sourceRows.slice();
    const positionAt = (row: number) => positions.slice(row === 0 ? 0 : ends[row - 1], ends[row]);
    const origin = { shard, positionAt };
    return new DecodedRows(decoder, picked, undefined, { origin, bytes, isShared: false });
  }
}

/** Decoded rows as they are sent. Both sides have built the same job, so that the edge says which decoder is meant. */
export interface EncodedDecodedRows {
  readonly kind: "columns";
  readonly length: number;
  readonly bytes: number;
  /** See {@linkcode PickedRows}; in place of the rows' origins where each one's position ends in `positions`. */
  readonly buffer: ArrayBuffer;
  readonly textBytesMax: number;
  readonly shard: string;
  /** All positions in one text. */
  readonly positions: string;
}
