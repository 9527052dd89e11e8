/**
 * Rows that are columns from their bytes on: handed over inside a worker, and posted to another, as they are. A row
 * becomes an object when it is handled, and then owns what it has: columns are never written again, and their memory
 * is freed with the last row that waits.
 *
 * @module
 */

import type { DecodedColumns } from "../../operators/decoder/column_layout.ts";
import type { KeyedDecoder, PickedRows } from "../../operators/decoder/keyed_decoder.ts";
import type { KeyTable } from "../state/key_table.ts";
import type { KeyReader, Origin } from "../worker/record_cursor.ts";
import type { RowSequence } from "./rows.ts";

/** What is to be known of rows beside their columns. */
export interface DecodedRowsOrigin {
  readonly origin: Origin;
  /** The row within the origin of each row. */
  readonly originRows: Uint32Array<ArrayBuffer>;
  readonly timestamps: Float64Array<ArrayBuffer>;
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
  readonly timestamps: Float64Array<ArrayBuffer>;
  readonly origin: Origin;
  readonly originRows: Uint32Array<ArrayBuffer>;
  readonly #decoder: KeyedDecoder;
  readonly #columns: DecodedColumns;
  readonly #picked: Pick<PickedRows, "buffer" | "textBytesMax">;
  readonly #isShared: boolean;

  constructor(
    decoder: KeyedDecoder,
    picked: Pick<PickedRows, "columns" | "groups" | "buffer" | "textBytesMax">,
    { origin, originRows, timestamps, bytes, isShared }: DecodedRowsOrigin,
  ) {
    this.length = picked.columns.rows;
    this.bytes = bytes;
    this.groups = picked.groups;
    this.timestamps = timestamps;
    this.origin = origin;
    this.originRows = originRows;
    this.#decoder = decoder;
    this.#columns = picked.columns;
    this.#picked = picked;
    this.#isShared = isShared;
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
    return this.timestamps[row] ?? -Infinity;
  }

  originAt(_row: number): Origin {
    return this.origin;
  }

  originRowAt(row: number): number {
    return this.originRows[row] ?? 0;
  }

  /** The decoder makes at most one row of a record, and nothing else leaves for it before that. */
  subAt(_row: number): number {
    return 0;
  }

  /** Gives memory back now: the collector would find it only when much more has come together. */
  free(): void {
    if (!this.#isShared) this.#picked.buffer.transfer(0);
  }

  /** As plain data, fit to be sent: {@linkcode movables} may be moved then, and the rows here are over. */
  encode(): EncodedDecodedRows {
    const { length, bytes, origin, originRows } = this;
    const own = this.#isShared;
    const positionEnds = new Uint32Array(length);
    let positions = "";
    for (let row = 0; row < length; row++) {
      positions += origin.positionAt(originRows[row] ?? 0);
      positionEnds[row] = positions.length;
    }
    const { buffer, textBytesMax } = this.#picked;
    return {
      kind: "columns",
      length,
      bytes,
      buffer: own ? buffer.slice() : buffer,
      textBytesMax,
      groups: own ? this.groups.slice() : this.groups,
      timestamps: own ? this.timestamps.slice() : this.timestamps,
      shard: origin.shard,
      positions,
      positionEnds,
    };
  }

  /** The rows that were encoded, for the decoder that the sender had. */
  static decode(encoded: EncodedDecodedRows, decoder: KeyedDecoder): DecodedRows {
    const { length, bytes, buffer, textBytesMax, groups, timestamps } = encoded;
    const { shard, positions, positionEnds } = encoded;
    const columns = decoder.layout(length, textBytesMax).columnsIn(buffer);
    const origin = {
      shard,
      positionAt: (row: number) =>
        positions.slice(row === 0 ? 0 : positionEnds[row - 1], positionEnds[row]),
    };
    const originRows = new Uint32Array(length);
    for (let row = 0; row < length; row++) originRows[row] = row;
    return new DecodedRows(decoder, { columns, groups, buffer, textBytesMax }, {
      origin,
      originRows,
      timestamps,
      bytes,
      isShared: false,
    });
  }
}

/** The buffers of encoded rows that can be moved instead of copied. */
export function movables(rows: EncodedDecodedRows): ArrayBuffer[] {
  return [rows.buffer, rows.groups.buffer, rows.timestamps.buffer, rows.positionEnds.buffer];
}

/** Decoded rows as they are sent. Both sides have built the same job, so that the edge says which decoder is meant. */
export interface EncodedDecodedRows {
  readonly kind: "columns";
  readonly length: number;
  readonly bytes: number;
  readonly buffer: ArrayBuffer;
  readonly textBytesMax: number;
  readonly groups: Uint16Array<ArrayBuffer>;
  readonly timestamps: Float64Array<ArrayBuffer>;
  readonly shard: string;
  /** All positions in one text. */
  readonly positions: string;
  readonly positionEnds: Uint32Array<ArrayBuffer>;
}
