/**
 * Rows between stages: columns of values, keys, key groups, timestamps and origins. Inside a worker a batch is handed
 * over as it is; to another worker it goes encoded.
 *
 * @module
 */

import { plainRecord } from "../../connectors/raw_record.ts";
import type { Key } from "../key.ts";
import type { KeyTable } from "../state/key_table.ts";
import { NO_ORIGIN, type Origin } from "./origin.ts";
import {
  type ColumnEncoder,
  decodeValues,
  type EncodedValues,
  encodeValues,
  transferables as valueTransferables,
} from "./column_codec.ts";
import type { RowSequence } from "./row_sequence.ts";

/** Rows as values in arrays. */
export class RowBatch implements RowSequence {
  readonly kind = "values";
  readonly values: unknown[] = [];
  readonly keys: Key[] = [];
  readonly groups: number[] = [];
  readonly timestamps: number[] = [];
  readonly origins: Origin[] = [];
  readonly originRows: number[] = [];
  /** Which output of its record each row is. */
  readonly subs: number[] = [];
  /** Estimated payload. */
  bytes = 0;

  get length(): number {
    return this.values.length;
  }

  slotsIn(keys: KeyTable, slots: Uint32Array<ArrayBuffer>): void {
    keys.slotsOf(this.keys, this.groups, this.length, slots);
  }

  valueAt(row: number): unknown {
    return this.values[row];
  }

  timestampAt(row: number): number {
    return this.timestamps[row] ?? -Infinity;
  }

  originAt(row: number): Origin {
    return this.origins[row] ?? NO_ORIGIN;
  }

  originRowAt(row: number): number {
    return this.originRows[row] ?? 0;
  }

  subAt(row: number): number {
    return this.subs[row] ?? 0;
  }

  free(): void {}

  /** The batch without some rows. */
  without(dropped: ReadonlySet<number>): RowBatch {
    const rest = new RowBatch();
    for (const [row, value] of this.values.entries()) {
      if (dropped.has(row)) continue;
      rest.values.push(value);
      rest.keys.push(this.keys[row] ?? "");
      rest.groups.push(this.groups[row] ?? 0);
      rest.timestamps.push(this.timestamps[row] ?? -Infinity);
      rest.origins.push(this.origins[row] ?? NO_ORIGIN);
      rest.originRows.push(this.originRows[row] ?? 0);
      rest.subs.push(this.subs[row] ?? 0);
    }
    rest.bytes = this.bytes;
    return rest;
  }
}

/** A batch as it is sent: plain data. */
export interface EncodedRows {
  readonly kind: "values";
  readonly length: number;
  readonly bytes: number;
  readonly values: EncodedValues;
  readonly keys: EncodedValues;
  readonly groups: Uint16Array<ArrayBuffer>;
  readonly timestamps: Float64Array<ArrayBuffer>;
  /** Undefined if all are 0. */
  readonly subs: Float64Array<ArrayBuffer> | undefined;
  /** The shards that rows came from, and of each row which one, and its position: all positions in one text. */
  readonly shards: readonly string[];
  readonly shardOf: Uint16Array<ArrayBuffer>;
  readonly positions: string;
  readonly positionEnds: Uint32Array<ArrayBuffer>;
}

/** Encodes a batch. Throws `UncloneableRow` for a row that can't be sent. */
export function encodeRows(rows: RowBatch, encoder: ColumnEncoder): EncodedRows {
  const { length } = rows;
  const shards: string[] = [];
  const numbers = new Map<string, number>();
  const shardOf = new Uint16Array(length);
  const positionEnds = new Uint32Array(length);
  let positions = "";
  for (let row = 0; row < length; row++) {
    const origin = rows.origins[row] ?? NO_ORIGIN;
    let number = numbers.get(origin.shard);
    if (number === undefined) {
      number = shards.push(origin.shard) - 1;
      numbers.set(origin.shard, number);
    }
    shardOf[row] = number;
    positions += origin.positionAt(rows.originRows[row] ?? 0);
    positionEnds[row] = positions.length;
  }
  return {
    kind: "values",
    length,
    bytes: rows.bytes,
    values: encodeValues(rows.values.map(plainRecord), length, encoder),
    keys: encodeValues(rows.keys, length, encoder),
    groups: Uint16Array.from(rows.groups),
    timestamps: Float64Array.from(rows.timestamps),
    subs: rows.subs.every((sub) => sub === 0) ? undefined : Float64Array.from(rows.subs),
    shards,
    shardOf,
    positions,
    positionEnds,
  };
}

/** The buffers of an encoded batch that can be moved instead of copied. */
export function transferables(rows: EncodedRows): ArrayBuffer[] {
  return [
    ...valueTransferables(rows.values),
    ...valueTransferables(rows.keys),
    rows.groups.buffer,
    rows.timestamps.buffer,
    ...(rows.subs === undefined ? [] : [rows.subs.buffer]),
    rows.shardOf.buffer,
    rows.positionEnds.buffer,
  ];
}

/** The batch that was encoded. Origins are cut out of the text when somebody asks. */
export function decodeRows(encoded: EncodedRows): RowBatch {
  const { length, shards, shardOf, positions, positionEnds } = encoded;
  const origins = shards.map((shard): Origin => ({
    shard,
    positionAt: (row) => positions.slice(row === 0 ? 0 : positionEnds[row - 1], positionEnds[row]),
  }));
  const rows = new RowBatch();
  rows.bytes = encoded.bytes;
  const values = decodeValues(encoded.values);
  const keys = decodeValues(encoded.keys);
  for (let row = 0; row < length; row++) {
    const key = keys[row];
    rows.values.push(values[row]);
    rows.keys.push(typeof key === "number" || typeof key === "string" ? key : String(key));
    rows.groups.push(encoded.groups[row] ?? 0);
    rows.timestamps.push(encoded.timestamps[row] ?? -Infinity);
    rows.origins.push(origins[shardOf[row] ?? 0] ?? NO_ORIGIN);
    rows.originRows.push(row);
    rows.subs.push(encoded.subs?.[row] ?? 0);
  }
  return rows;
}
