/**
 * Reads one column of a batch back into cells.
 *
 * @module
 */

import {
  BYTES_CHUNK_BYTES,
  type EncodedColumn,
  type EncodedColumns,
  TAG_NULL,
} from "./encoded_column.ts";

/** Decodes the cells of a column of objects. */
export type DecodeNested = (columns: EncodedColumns, length: number) => ArrayLike<unknown>;

/** The cells of a column that was encoded; strings and bytes are new, values of `any` are those of the message. */
export function decodeColumn(
  column: EncodedColumn,
  length: number,
  block: ArrayBuffer,
  nested: DecodeNested,
): ArrayLike<unknown> {
  switch (column.kind) {
    case "constant":
      return new Array<unknown>(length).fill(column.value);
    case "number":
      return new Float64Array(block, column.at, length);
    case "boolean":
      return booleans(new Uint8Array(block, column.at, length));
    case "text":
      return texts(column.chunks, new Uint32Array(block, column.ends, length));
    case "bytes":
      return byteViews(block, column.at, new Uint32Array(block, column.ends, length));
    case "optional":
      return optionals(
        decodeColumn(column.column, length, block, nested),
        new Uint8Array(block, column.tags, length),
      );
    case "nested":
      return nested(column.columns, length);
    case "any":
      return column.values;
    default:
      return column satisfies never;
  }
}

function booleans(bytes: Uint8Array): boolean[] {
  const cells: boolean[] = new Array(bytes.length);
  for (let row = 0; row < bytes.length; row++) cells[row] = bytes[row] === 1;
  return cells;
}

function texts(chunks: readonly string[], ends: Uint32Array): string[] {
  const cells: string[] = new Array(ends.length);
  let number = 0;
  let chunk = chunks[0] ?? "";
  let before = 0;
  let start = 0;
  for (let row = 0; row < ends.length; row++) {
    const end = ends[row] ?? 0;
    if (end > before + chunk.length) {
      before += chunk.length;
      chunk = chunks[++number] ?? "";
    }
    cells[row] = chunk.substring(start - before, end - before);
    start = end;
  }
  return cells;
}

function byteViews(block: ArrayBuffer, at: number, ends: Uint32Array): Uint8Array[] {
  const cells: Uint8Array[] = new Array(ends.length);
  let row = 0;
  let start = 0;
  while (row < ends.length) {
    // A buffer for as many values as fit in a chunk, or for one that is larger.
    let last = row;
    while (last + 1 < ends.length && (ends[last + 1] ?? 0) - start <= BYTES_CHUNK_BYTES) last++;
    const chunk = block.slice(at + start, at + (ends[last] ?? 0));
    const before = start;
    for (; row <= last; row++) {
      const end = ends[row] ?? 0;
      cells[row] = new Uint8Array(chunk, start - before, end - start);
      start = end;
    }
  }
  return cells;
}

function optionals(cells: ArrayLike<unknown>, tags: Uint8Array): unknown[] {
  const values: unknown[] = new Array(tags.length);
  for (let row = 0; row < tags.length; row++) {
    const tag = tags[row];
    values[row] = tag === 0 ? cells[row] : tag === TAG_NULL ? null : undefined;
  }
  return values;
}
