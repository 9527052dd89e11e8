/**
 * Records as bytes, the way a shard carries them. A batch keeps all its payloads in one arena and makes text of them in
 * one go, since a decoder call per record costs more than the decoding.
 *
 * @module
 */

import type { ShardBatch } from "./source.ts";

/** One record of a stream that carries bytes, before anything is decoded. */
export interface RawRecord {
  /** The payload. A view: copy it to keep it beyond the job's own use. */
  readonly data: Uint8Array;
  readonly partitionKey: string;
  readonly sequenceNumber: string;
  /** When the service took the record, ms since the epoch. */
  readonly approximateArrival: number;
  readonly shardId: string;
}

/** Columns of a batch of raw records: row i's payload is `arena[starts[i] .. ends[i])`. */
export interface RawColumns {
  readonly shardId: string;
  readonly arena: Uint8Array;
  readonly starts: ArrayLike<number>;
  readonly ends: ArrayLike<number>;
  readonly partitionKeys: readonly string[];
  readonly sequenceNumbers: readonly string[];
  /** ms since the epoch, or `NO_TIMESTAMP`. */
  readonly arrivals: ArrayLike<number>;
  readonly millisBehindLatest?: number | undefined;
  /** Where to go on when the batch has no rows. */
  readonly position: string;
}

const lenient = new TextDecoder("utf-8", { ignoreBOM: true });
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Marks an arena whose rows must be decoded one by one. Never the text of one: that has no replacement characters. */
const NOT_ASCII = "\ufffd";

/** The text of bytes that are all ASCII; undefined for others. */
function asciiText(bytes: Uint8Array): string | undefined {
  const text = lenient.decode(bytes);
  // Bytes that are no UTF-8 decode to replacement characters, which may happen to be as many as they were.
  return text.length === bytes.length && !text.includes("\ufffd") ? text : undefined;
}

/**
 * Where a batch whose values are made of raw records has their columns. Registered, not only unique: a job imported from
 * a URL brings its own copy of this module.
 */
export const RAW_COLUMNS: unique symbol = Symbol.for("penstock.raw-columns");

/** The columns of the raw records of a batch; undefined for batches of other records. */
export function rawColumnsOf(batch: ShardBatch<unknown>): RawColumns | undefined {
  return (batch as { readonly [RAW_COLUMNS]?: RawColumns })[RAW_COLUMNS];
}

/** A batch of raw records over an arena that is never written again. */
export class RawBatch implements ShardBatch<RawRecord> {
  readonly length: number;
  readonly bytes: number;
  readonly position: string;
  readonly millisBehindLatest: number | undefined;
  readonly columns: RawColumns;
  #text: string | undefined;

  constructor(columns: RawColumns) {
    this.columns = columns;
    this.length = columns.starts.length;
    let bytes = 0;
    for (let row = 0; row < this.length; row++) {
      bytes += at(columns.ends, row) - at(columns.starts, row);
    }
    this.bytes = bytes;
    this.position = this.length > 0 ? this.positionAt(this.length - 1) : columns.position;
    this.millisBehindLatest = columns.millisBehindLatest;
  }

  get [RAW_COLUMNS](): RawColumns {
    return this.columns;
  }

  valueAt(row: number): RawRecord {
    return new BatchedRecord(this, row);
  }

  positionAt(row: number): string {
    return this.columns.sequenceNumbers[row] ?? "";
  }

  timestampAt(row: number): number {
    return at(this.columns.arrivals, row);
  }

  dataAt(row: number): Uint8Array {
    const { arena, starts, ends } = this.columns;
    return arena.subarray(at(starts, row), at(ends, row));
  }

  /**
   * The row's payload as text.
   *
   * @throws {TypeError} if it is not UTF-8
   */
  textAt(row: number): string {
    const { arena, starts, ends } = this.columns;
    this.#text ??= asciiText(arena) ?? NOT_ASCII;
    // Offsets in bytes are offsets in the text only where everything is ASCII.
    if (this.#text !== NOT_ASCII) return this.#text.substring(at(starts, row), at(ends, row));
    return strict.decode(arena.subarray(at(starts, row), at(ends, row)));
  }
}

/**
 * The text of a record that can make it cheaper than from its data. Registered, so that records of another copy of this
 * module, which a job imported from a URL brings along, are told as well.
 */
const TEXT: unique symbol = Symbol.for("penstock.record-text");
/** The batch that a record is a row of, and which row it is. Registered for the same reason. */
const BATCH: unique symbol = Symbol.for("penstock.record-batch");
const ROW: unique symbol = Symbol.for("penstock.record-row");

/** A row of a {@linkcode RawBatch}: its fields are made when they are read. */
class BatchedRecord implements RawRecord {
  readonly #batch: RawBatch;
  readonly #row: number;

  constructor(batch: RawBatch, row: number) {
    this.#batch = batch;
    this.#row = row;
  }

  get data(): Uint8Array {
    return this.#batch.dataAt(this.#row);
  }
  get partitionKey(): string {
    return this.#batch.columns.partitionKeys[this.#row] ?? "";
  }
  get sequenceNumber(): string {
    return this.#batch.positionAt(this.#row);
  }
  get approximateArrival(): number {
    return this.#batch.timestampAt(this.#row);
  }
  get shardId(): string {
    return this.#batch.columns.shardId;
  }

  [TEXT](): string {
    return this.#batch.textAt(this.#row);
  }
  get [BATCH](): RawBatch {
    return this.#batch;
  }
  get [ROW](): number {
    return this.#row;
  }
}

function isBatched(value: unknown): value is BatchedRecord {
  return typeof value === "object" && value !== null && TEXT in value;
}

/**
 * The batch that a record is a row of, for what is cheaper done for all its rows at once; undefined if there is none.
 *
 * @example A record by itself
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { batchOf } from "./raw_record.ts";
 * const data = new TextEncoder().encode("hello");
 * const record = { data, partitionKey: "a", sequenceNumber: "1", approximateArrival: 0, shardId: "shard-0" };
 * assertEquals(batchOf(record), undefined);
 * ```
 */
export function batchOf(record: RawRecord): RawBatch | undefined {
  // A record of an older copy of this module does not tell.
  return isBatched(record) && BATCH in record ? record[BATCH] : undefined;
}

/** Which row of its batch a record is; 0 if it is of none. */
export function rowOf(record: RawRecord): number {
  return isBatched(record) && ROW in record ? record[ROW] : 0;
}

/**
 * The record with its fields as plain data, fit to be sent to another thread; other values as they are.
 *
 * @example Nothing to do for what is plain already
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { plainRecord } from "./raw_record.ts";
 * assertEquals(plainRecord({ id: 1 }), { id: 1 });
 * ```
 */
export function plainRecord(value: unknown): unknown {
  if (!isBatched(value)) return value;
  const { data, partitionKey, sequenceNumber, approximateArrival, shardId } = value;
  return { data, partitionKey, sequenceNumber, approximateArrival, shardId };
}

/**
 * A raw record's payload as text.
 *
 * @throws {TypeError} if it is not UTF-8
 *
 * @example The text of a record
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { textOf } from "./raw_record.ts";
 * const data = new TextEncoder().encode("hello");
 * const record = { data, partitionKey: "a", sequenceNumber: "1", approximateArrival: 0, shardId: "shard-0" };
 * assertEquals(textOf(record), "hello");
 * ```
 */
export function textOf(record: RawRecord): string {
  return isBatched(record) ? record[TEXT]() : strict.decode(record.data);
}

function at(column: ArrayLike<number>, row: number): number {
  return column[row] ?? 0;
}
