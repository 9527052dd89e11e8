/**
 * Splits a list of values into columns: one set of columns for each shape among them and one more column for what has no
 * shape, with the order of the whole kept aside. Columns that hold plain objects are split again.
 *
 * @module
 */

import { type ColumnTarget, encodeColumn, type EncodeNested } from "./encode_column.ts";
import {
  type EncodedColumn,
  type EncodedColumns,
  type EncodedShape,
  REST_NUMBER,
} from "./encoded_column.ts";
import { keysOf, RowTaker } from "./row_shape.ts";

/** Shapes that one list of values may have; rows of further ones are sent by structured clone. At most 255. */
export const SHAPES_MAX = 16;
/** Levels of objects in objects that get columns; objects further down are sent by structured clone. */
export const NESTING_MAX = 4;
/** Columns of one encoder that may hold objects with columns of their own. */
export const NESTED_COLUMNS_MAX = 64;
/** Scratch lists longer than this are let go after their batch. */
export const SCRATCH_ROWS_KEPT_MAX = 8192;

/** What all levels of one encoder share. */
export interface SplitSettings {
  readonly generateAfterRows: number;
  /** Counts down from `NESTED_COLUMNS_MAX`. */
  nestedColumnsLeft: number;
}

/** A shape of a {@linkcode RowSplitter}: its rows of this batch, taken apart, and what its columns of objects need. */
class ShapedRows {
  /** What stands for it in the order of this batch. */
  number: number;
  readonly taker: RowTaker;
  readonly signature: string;
  readonly cells: unknown[][];
  readonly nested: (RowSplitter | undefined)[];
  length = 0;

  constructor(number: number, keys: readonly string[], generateAfterRows: number) {
    this.number = number;
    this.taker = new RowTaker(keys, generateAfterRows);
    this.signature = JSON.stringify(keys);
    this.cells = keys.map(() => []);
    this.nested = keys.map(() => undefined);
  }

  take(values: readonly unknown[], from: number, length: number): number {
    const stop = this.taker.take(values, from, length, this.cells, this.length);
    this.length += stop - from;
    return stop;
  }
}

/** Splits lists of values, and remembers their shapes from one to the next. Not reentrant. */
export class RowSplitter {
  readonly #settings: SplitSettings;
  readonly #depth: number;
  #shapes: ShapedRows[] = [];
  #order = new Uint8Array(0);
  readonly #rest: unknown[] = [];
  #restLength = 0;
  #overflowed = false;

  constructor(settings: SplitSettings, depth = 0) {
    this.#settings = settings;
    this.#depth = depth;
  }

  /**
   * Encodes the first `length` values.
   *
   * @returns undefined if one of them can't be cloned, or not in columns
   * @throws whatever an accessor of a value throws
   */
  encode(
    values: readonly unknown[],
    length: number,
    target: ColumnTarget,
  ): EncodedColumns | undefined {
    if (!isAnyObject(values, length)) {
      const column = encodeColumn(values, length, target);
      return column && { kind: "column", column };
    }
    let columns: EncodedColumns | undefined;
    try {
      this.#split(values, length);
      columns = this.#encodeSplit(length, target);
      return columns;
    } finally {
      this.#clear(columns === undefined);
    }
  }

  #split(values: readonly unknown[], length: number): void {
    if (this.#order.length < length) this.#order = new Uint8Array(length);
    let shape: ShapedRows | undefined;
    let row = 0;
    while (row < length) {
      const from = row;
      const value = values[row];
      if (typeof value === "object" && value !== null) {
        if (shape !== undefined) row = shape.take(values, from, length);
        if (row === from) {
          shape = this.#shapeOf(value);
          if (shape !== undefined) row = shape.take(values, from, length);
        }
      }
      if (row > from && shape !== undefined) {
        this.#order.fill(shape.number, from, row);
      } else {
        this.#rest[this.#restLength++] = value;
        this.#order[from] = REST_NUMBER;
        row = from + 1;
      }
    }
  }

  /** The shape of a value, known or new; undefined if it has none, or there are too many. */
  #shapeOf(value: object): ShapedRows | undefined {
    const keys = keysOf(value);
    if (keys === undefined) return undefined;
    for (const shape of this.#shapes) {
      if (sameKeys(shape.taker.keys, keys)) return shape;
    }
    if (this.#shapes.length >= SHAPES_MAX) {
      this.#overflowed = true;
      return undefined;
    }
    const shape = new ShapedRows(this.#shapes.length, keys, this.#settings.generateAfterRows);
    this.#shapes.push(shape);
    return shape;
  }

  #encodeSplit(length: number, target: ColumnTarget): EncodedColumns | undefined {
    const shapes: EncodedShape[] = [];
    for (const shape of this.#shapes) {
      if (shape.length === 0) continue;
      const encoded = this.#encodeShape(shape, target);
      if (encoded === undefined) return undefined;
      shapes.push(encoded);
    }
    const [only] = shapes;
    if (only !== undefined && only.length === length) return { kind: "shape", shape: only };

    const column = encodeColumn(this.#rest, this.#restLength, target);
    if (column === undefined) return undefined;
    if (only === undefined) return { kind: "column", column };

    const order = target.block.reserve(length);
    target.block.bytes.set(this.#order.subarray(0, length), order);
    return { kind: "mixed", order, shapes, rest: { length: this.#restLength, column } };
  }

  #encodeShape(shape: ShapedRows, target: ColumnTarget): EncodedShape | undefined {
    const { number, signature, length } = shape;
    const columns: EncodedColumn[] = [];
    for (const [index, cells] of shape.cells.entries()) {
      const column = encodeColumn(cells, length, target, this.#encodeNested(shape, index, target));
      if (column === undefined) return undefined;
      columns.push(column);
      // Numbers hold on to nothing, and a list that never held anything else stays a list of unboxed ones.
      release(cells, column.kind === "number" ? 0 : length);
    }
    return { number, signature, length, columns };
  }

  #encodeNested(
    shape: ShapedRows,
    index: number,
    target: ColumnTarget,
  ): EncodeNested | undefined {
    const known = shape.nested[index];
    if (known !== undefined) return (cells, length) => known.encode(cells, length, target);
    if (this.#depth + 1 >= NESTING_MAX || this.#settings.nestedColumnsLeft <= 0) return undefined;
    return (cells, length) => {
      this.#settings.nestedColumnsLeft--;
      const added = new RowSplitter(this.#settings, this.#depth + 1);
      shape.nested[index] = added;
      return added.encode(cells, length, target);
    };
  }

  /** Lets go of the batch's values; and, where shapes were too many, of those that this batch had no use for. */
  #clear(failed: boolean): void {
    if (this.#overflowed) {
      this.#overflowed = false;
      for (const shape of this.#shapes) if (shape.length === 0) this.#forget(shape);
      this.#shapes = this.#shapes.filter((shape) => shape.length > 0);
      for (const [number, shape] of this.#shapes.entries()) shape.number = number;
    }
    for (const shape of this.#shapes) {
      shape.length = 0;
      // A batch that failed half-way left cells behind.
      if (failed) { for (const cells of shape.cells) release(cells, cells.length); }
    }
    release(this.#rest, this.#restLength);
    this.#restLength = 0;
    if (this.#order.length > SCRATCH_ROWS_KEPT_MAX) this.#order = new Uint8Array(0);
  }

  #forget(shape: ShapedRows): void {
    for (const nested of shape.nested) {
      if (nested === undefined) continue;
      this.#settings.nestedColumnsLeft++;
      for (const below of nested.#shapes) nested.#forget(below);
    }
  }
}

/** Whether there is anything that could have a shape. */
function isAnyObject(values: readonly unknown[], length: number): boolean {
  for (let row = 0; row < length; row++) {
    const value = values[row];
    if (typeof value === "object" && value !== null) return true;
  }
  return false;
}

function sameKeys(keys: readonly string[], others: readonly string[]): boolean {
  if (keys.length !== others.length) return false;
  for (let index = 0; index < keys.length; index++) {
    if (keys[index] !== others[index]) return false;
  }
  return true;
}

/** Empties scratch space and keeps its memory, if that is not too much. */
function release(cells: unknown[], length: number): void {
  if (cells.length > SCRATCH_ROWS_KEPT_MAX) cells.length = 0;
  else cells.fill(undefined, 0, length);
}
