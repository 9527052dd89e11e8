/**
 * The codec for rows that cross threads: a batch of values as columns, which structured clone copies in bulk, where rows
 * as they are cost it a look at every field of every row. What arrives is deeply equal to what structured clone would
 * have made of the values, key order included, with two differences: an object that several rows or fields share
 * arrives as several, and bytes that are a view on a large buffer arrive without the rest of it.
 *
 * @module
 */

import { ColumnBlock } from "./column_block.ts";
import { CloneInspection } from "./clone_inspection.ts";
import { decodeColumn } from "./decode_column.ts";
import { type ColumnTarget, WholeRow } from "./encode_column.ts";
import { type EncodedColumns, type EncodedShape, REST_NUMBER } from "./encoded_column.ts";
import { CODE_GENERATION_ROWS_DEFAULT, RowBuilder } from "./row_shape.ts";
import { NESTED_COLUMNS_MAX, RowSplitter } from "./shaped_rows.ts";
import { refusal, uncloneableRow } from "./uncloneable_row.ts";

export { UncloneableRow, uncloneableRows } from "./uncloneable_row.ts";

/** Shapes for which a decoder keeps its functions; beyond it the one not used for the longest time goes. */
export const BUILDERS_MAX = 256;

/** A batch of values as plain data. If posting it throws after all, `uncloneableRows` says which rows are to blame. */
export interface EncodedValues {
  readonly length: number;
  /** About the payload's size: eight bytes a number, one a UTF-16 code unit. */
  readonly bytes: number;
  /** The cells of all columns that are not text or `any`. */
  readonly block: ArrayBuffer;
  readonly columns: EncodedColumns;
}

/** Options of both sides of the codec. */
export interface ColumnCodecOptions {
  /** Rows of a shape until code is generated for it: 0 for at once, Infinity for never. By default 256. */
  readonly generateAfterRows?: number;
}

/**
 * The sending side: shapes it has seen, and scratch space. One for each output channel, so that it meets few shapes.
 */
export class ColumnEncoder implements ColumnTarget {
  readonly block = new ColumnBlock();
  otherBytes = 0;
  readonly splitter: RowSplitter;

  constructor(options: ColumnCodecOptions = {}) {
    const { generateAfterRows = CODE_GENERATION_ROWS_DEFAULT } = options;
    this.splitter = new RowSplitter({ generateAfterRows, nestedColumnsLeft: NESTED_COLUMNS_MAX });
  }

  /** Starts a batch. */
  clear(): void {
    this.block.clear();
    this.otherBytes = 0;
  }
}

/** The receiving side: a function for each shape it has seen. */
export class ColumnDecoder {
  readonly #generateAfterRows: number;
  readonly #builders = new Map<string, RowBuilder>();

  constructor(options: ColumnCodecOptions = {}) {
    this.#generateAfterRows = options.generateAfterRows ?? CODE_GENERATION_ROWS_DEFAULT;
  }

  /** What makes rows of the shape with this signature. */
  builder(signature: string): RowBuilder {
    const known = this.#builders.get(signature);
    if (known !== undefined) {
      // A map lists first what was put in first: so that is what was not used for the longest time.
      this.#builders.delete(signature);
      this.#builders.set(signature, known);
      return known;
    }
    if (this.#builders.size >= BUILDERS_MAX) {
      for (const oldest of this.#builders.keys()) {
        this.#builders.delete(oldest);
        break;
      }
    }
    const keys: string[] = JSON.parse(signature);
    const added = new RowBuilder(keys, this.#generateAfterRows);
    this.#builders.set(signature, added);
    return added;
  }
}

/** The decoder of a thread: builders depend on nothing but their shape. */
const sharedDecoder = new ColumnDecoder();

/**
 * Encodes `values[0 .. length)`. The result shares nothing with the values but those in `any` columns, which are cloned
 * when it is posted: post it before any of them changes.
 *
 * @throws {UncloneableRow} if a row holds what structured clone refuses, naming the first such row
 * @throws {RangeError} if there are fewer than `length` values
 *
 * @example There and back
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ColumnEncoder, decodeValues, encodeValues, transferables } from "./column_codec.ts";
 * const rows = [{ id: "b-1", amount: 20 }, { id: "b-2", amount: 35 }];
 * const encoded = encodeValues(rows, rows.length, new ColumnEncoder());
 * const received = structuredClone(encoded, { transfer: transferables(encoded) });
 * assertEquals(decodeValues(received), rows);
 * ```
 */
export function encodeValues(
  values: readonly unknown[],
  length: number,
  codec: ColumnEncoder,
): EncodedValues {
  if (!Number.isInteger(length) || length < 0 || length > values.length) {
    throw new RangeError(
      `Cannot encode ${length} rows of a batch of ${values.length}: expected a whole number up to that`,
    );
  }
  const columns = columnsOf(values, length, codec);
  const block = codec.block.copy();
  const encoded = { length, bytes: block.byteLength + codec.otherBytes, block, columns };
  codec.clear();
  return encoded;
}

/**
 * The values of an encoded batch, new ones each time but for those in `any` columns.
 *
 * @example Strings
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ColumnEncoder, decodeValues, encodeValues } from "./column_codec.ts";
 * assertEquals(decodeValues(encodeValues(["a", "b"], 2, new ColumnEncoder())), ["a", "b"]);
 * ```
 */
export function decodeValues(encoded: EncodedValues, decoder = sharedDecoder): unknown[] {
  return decodeColumns(encoded.columns, encoded.length, encoded.block, decoder);
}

/**
 * The buffers that can be moved to the other thread instead of copied.
 *
 * @example All numbers of a batch are in one buffer
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ColumnEncoder, encodeValues, transferables } from "./column_codec.ts";
 * const encoded = encodeValues([1, 2, 3], 3, new ColumnEncoder());
 * assertEquals(transferables(encoded).map((buffer) => buffer.byteLength), [24]);
 * ```
 */
export function transferables(encoded: EncodedValues): ArrayBuffer[] {
  return encoded.block.byteLength === 0 ? [] : [encoded.block];
}

function columnsOf(
  values: readonly unknown[],
  length: number,
  codec: ColumnEncoder,
): EncodedColumns {
  let thrown: { readonly error: unknown } | undefined;
  try {
    codec.clear();
    const columns = codec.splitter.encode(values, length, codec);
    if (columns !== undefined) return columns;
  } catch (error) {
    thrown = { error };
  }
  // Some row is not for columns. Looking at each as a whole says which, and whether it can be sent at all.
  const inspected = inspectedRows(values, length);
  if (thrown !== undefined) throw thrown.error;
  codec.clear();
  const columns = codec.splitter.encode(inspected, length, codec);
  if (columns !== undefined) return columns;
  // Only values that change while they are read get here.
  codec.clear();
  return {
    kind: "column",
    column: { kind: "any", values: values.slice(0, length) },
  };
}

/** The values, with those wrapped that only structured clone can take. */
function inspectedRows(values: readonly unknown[], length: number): unknown[] {
  const rows: unknown[] = [];
  for (let row = 0; row < length; row++) {
    const value = values[row];
    const inspection = new CloneInspection();
    const finding = inspection.inspect(value);
    if (finding?.kind === "uncloneable") throw uncloneableRow(row, finding);
    const refused = finding === undefined ? undefined : refusal(row, value);
    if (refused !== undefined) throw refused;
    rows.push(finding === undefined ? value : new WholeRow(value, inspection.bytes));
  }
  return rows;
}

function decodeColumns(
  columns: EncodedColumns,
  length: number,
  block: ArrayBuffer,
  decoder: ColumnDecoder,
): unknown[] {
  const nested = (inner: EncodedColumns, count: number) =>
    decodeColumns(inner, count, block, decoder);
  const shaped = (shape: EncodedShape) => {
    const cells = shape.columns.map((column) => decodeColumn(column, shape.length, block, nested));
    return decoder.builder(shape.signature).build(cells, shape.length);
  };
  switch (columns.kind) {
    case "shape":
      return shaped(columns.shape);
    case "column":
      return Array.from(decodeColumn(columns.column, length, block, nested));
    case "mixed": {
      const { rest } = columns;
      const lists: ArrayLike<unknown>[] = [];
      for (const shape of columns.shapes) lists[shape.number] = shaped(shape);
      lists[REST_NUMBER] = decodeColumn(rest.column, rest.length, block, nested);
      return merged(lists, new Uint8Array(block, columns.order, length));
    }
    default:
      return columns satisfies never;
  }
}

/** One list of many: each next value from the list with the number that the order says. */
function merged(lists: readonly ArrayLike<unknown>[], order: Uint8Array): unknown[] {
  const values: unknown[] = new Array(order.length);
  const taken = new Uint32Array(lists.length);
  for (let row = 0; row < order.length; row++) {
    const number = order[row] ?? REST_NUMBER;
    const next = taken[number] ?? 0;
    values[row] = lists[number]?.[next];
    taken[number] = next + 1;
  }
  return values;
}
