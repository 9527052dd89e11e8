/**
 * Writes one column of a batch. Numbers, booleans and bytes go to the batch's block, strings are joined; null and
 * undefined among them cost a byte a row. What fits nothing goes as it is and is cloned when the batch is posted.
 *
 * @module
 */

import { CloneInspection } from "./clone_inspection.ts";
import type { ColumnBlock } from "./column_block.ts";
import {
  type EncodedColumn,
  type EncodedColumns,
  TAG_NULL,
  TAG_UNDEFINED,
  TEXT_CHUNK_UNITS,
} from "./encoded_column.ts";
import { isPlainObject } from "./row_shape.ts";

/** A row that has been found fit for structured clone only; it is not looked into again. */
export class WholeRow {
  readonly value: unknown;
  /** What was seen of it before looking stopped. */
  readonly bytes: number;

  constructor(value: unknown, bytes: number) {
    this.value = value;
    this.bytes = bytes;
  }
}

/** What a column is written to. `otherBytes` adds up what is not in the block. */
export interface ColumnTarget {
  readonly block: ColumnBlock;
  otherBytes: number;
}

/** Encodes the cells of a column that are plain objects; undefined if that failed, as in `encodeColumn`. */
export type EncodeNested = (
  cells: readonly unknown[],
  length: number,
) => EncodedColumns | undefined;

const NUMBER = 1;
const TEXT = 2;
const BOOLEAN = 4;
const BYTES = 8;
const NULL = 16;
const UNDEFINED = 32;
const OBJECT = 64;
const OTHER = 128;

/**
 * Encodes the first `length` cells.
 *
 * @param nested for cells that are plain objects; undefined where these go as they are
 * @returns undefined if a cell can't be cloned, or has to be cloned together with its row
 */
export function encodeColumn(
  cells: readonly unknown[],
  length: number,
  target: ColumnTarget,
  nested?: EncodeNested,
): EncodedColumn | undefined {
  const types = typesOf(cells, length);
  if ((types & OBJECT) !== 0 && nested !== undefined) {
    const columns = nested(cells, length);
    return columns && { kind: "nested", columns };
  }
  const present = types & ~(NULL | UNDEFINED);
  if (present === 0 && types !== (NULL | UNDEFINED)) {
    return { kind: "constant", value: types === NULL ? null : undefined };
  }
  const column = typedColumn(cells, length, present, target);
  if (column === undefined) return anyColumn(cells, length, target);
  return present === types ? column : optionalColumn(cells, length, column, target);
}

function typesOf(cells: readonly unknown[], length: number): number {
  let types = 0;
  for (let row = 0; row < length; row++) types |= typeOf(cells[row]);
  return types;
}

function typeOf(cell: unknown): number {
  switch (typeof cell) {
    case "number":
      return NUMBER;
    case "string":
      return TEXT;
    case "boolean":
      return BOOLEAN;
    case "undefined":
      return UNDEFINED;
    case "object":
      if (cell === null) return NULL;
      if (isOrdinaryBytes(cell)) return BYTES;
      return isPlainObject(cell) ? OBJECT : OTHER;
    default:
      return OTHER;
  }
}

/** Bytes whose buffer is nothing special: a shared one stays shared and a resizable one resizable when cloned. */
function isOrdinaryBytes(cell: object): cell is Uint8Array<ArrayBuffer> {
  return cell instanceof Uint8Array && cell.buffer instanceof ArrayBuffer &&
    !cell.buffer.resizable && !cell.buffer.detached;
}

/** The column for cells that are all of one type, null and undefined aside; undefined if they are not. */
function typedColumn(
  cells: readonly unknown[],
  length: number,
  types: number,
  target: ColumnTarget,
): EncodedColumn | undefined {
  switch (types) {
    case 0:
      return { kind: "constant", value: undefined };
    case NUMBER:
      return numberColumn(cells, length, target);
    case BOOLEAN:
      return booleanColumn(cells, length, target);
    case TEXT:
      return constantText(cells, length, target) ?? textColumn(cells, length, target);
    case BYTES:
      return bytesColumn(cells, length, target);
    default:
      return undefined;
  }
}

function numberColumn(
  cells: readonly unknown[],
  length: number,
  { block }: ColumnTarget,
): EncodedColumn {
  const at = block.reserve(length * 8);
  const numbers = block.numbers;
  const first = at / 8;
  for (let row = 0; row < length; row++) {
    const cell = cells[row];
    numbers[first + row] = typeof cell === "number" ? cell : 0;
  }
  return { kind: "number", at };
}

function booleanColumn(
  cells: readonly unknown[],
  length: number,
  { block }: ColumnTarget,
): EncodedColumn {
  const at = block.reserve(length);
  const bytes = block.bytes;
  for (let row = 0; row < length; row++) bytes[at + row] = cells[row] === true ? 1 : 0;
  return { kind: "boolean", at };
}

/** A column such as `kind`, where all rows of a shape say the same. */
function constantText(
  cells: readonly unknown[],
  length: number,
  target: ColumnTarget,
): EncodedColumn | undefined {
  let value: string | undefined;
  for (let row = 0; row < length; row++) {
    const cell = cells[row];
    if (typeof cell !== "string") continue;
    value ??= cell;
    if (cell !== value) return undefined;
  }
  target.otherBytes += value?.length ?? 0;
  return { kind: "constant", value };
}

function textColumn(
  cells: readonly unknown[],
  length: number,
  target: ColumnTarget,
): EncodedColumn {
  const at = target.block.reserve(length * 4);
  const ends = target.block.ends;
  const first = at / 4;
  const chunks: string[] = [];
  let chunk = "";
  let before = 0;
  for (let row = 0; row < length; row++) {
    const cell = cells[row];
    if (typeof cell === "string") {
      if (chunk.length + cell.length > TEXT_CHUNK_UNITS && chunk !== "") {
        chunks.push(chunk);
        before += chunk.length;
        chunk = "";
      }
      chunk += cell;
    }
    ends[first + row] = before + chunk.length;
  }
  chunks.push(chunk);
  target.otherBytes += before + chunk.length;
  return { kind: "text", chunks, ends: at };
}

function bytesColumn(
  cells: readonly unknown[],
  length: number,
  { block }: ColumnTarget,
): EncodedColumn {
  let total = 0;
  for (let row = 0; row < length; row++) total += bytesOf(cells[row])?.length ?? 0;
  const endsAt = block.reserve(length * 4);
  const at = block.reserve(total);
  const { ends, bytes } = block;
  const first = endsAt / 4;
  let end = 0;
  for (let row = 0; row < length; row++) {
    const cell = bytesOf(cells[row]);
    if (cell !== undefined) {
      bytes.set(cell, at + end);
      end += cell.length;
    }
    ends[first + row] = end;
  }
  return { kind: "bytes", at, ends: endsAt };
}

function bytesOf(cell: unknown): Uint8Array | undefined {
  return cell instanceof Uint8Array ? cell : undefined;
}

function optionalColumn(
  cells: readonly unknown[],
  length: number,
  column: EncodedColumn,
  { block }: ColumnTarget,
): EncodedColumn {
  const tags = block.reserve(length);
  const bytes = block.bytes;
  for (let row = 0; row < length; row++) {
    const cell = cells[row];
    bytes[tags + row] = cell === null ? TAG_NULL : cell === undefined ? TAG_UNDEFINED : 0;
  }
  return { kind: "optional", tags, column };
}

function anyColumn(
  cells: readonly unknown[],
  length: number,
  target: ColumnTarget,
): EncodedColumn | undefined {
  const values: unknown[] = new Array(length);
  for (let row = 0; row < length; row++) {
    const cell = cells[row];
    if (cell instanceof WholeRow) {
      values[row] = cell.value;
      target.otherBytes += cell.bytes;
      continue;
    }
    const inspection = new CloneInspection();
    if (inspection.inspect(cell) !== undefined) return undefined;
    target.otherBytes += inspection.bytes;
    values[row] = cell;
  }
  return { kind: "any", values };
}
