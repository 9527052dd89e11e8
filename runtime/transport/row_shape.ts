/**
 * A shape is the list of a plain object's keys, in order. For each shape there are two functions: one takes rows apart
 * into a list of cells a key, as long as rows are of that shape, and one puts them together again. A shape that is seen
 * often gets them as generated code, others loop over the keys; which of the two ran can't be told from the result.
 *
 * @module
 */

import { codeGenerationAllowed, literalEntry } from "./generated_code.ts";

/** Rows that go through a shape's loops before code is generated for it: about what generating costs. */
export const CODE_GENERATION_ROWS_DEFAULT = 256;

/** Objects with more keys than this have no shape and are sent by structured clone. */
export const SHAPE_KEYS_MAX = 64;

/**
 * Takes apart `values[from ..]` up to the first that is not of the shape, and returns its row number. The cells of the
 * first go to index `at` of each list, those of the next to `at + 1`, and so on.
 */
export type Take = (
  values: readonly unknown[],
  from: number,
  length: number,
  cells: readonly unknown[][],
  at: number,
) => number;

/** Puts `length` rows together from one list of cells a key. */
export type Build = (cells: readonly ArrayLike<unknown>[], length: number) => unknown[];

/** Whether it is an object that a literal could have made: the only ones that have a shape. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * The keys of an object's shape, or undefined if it has none: not a plain object, or too many keys.
 *
 * @example Objects and others
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { keysOf } from "./row_shape.ts";
 * assertEquals(keysOf({ b: 1, a: 2 }), ["b", "a"]);
 * assertEquals(keysOf(new Date(0)), undefined);
 * ```
 */
export function keysOf(value: unknown): readonly string[] | undefined {
  if (!isPlainObject(value)) return undefined;
  const keys = Object.keys(value);
  return keys.length <= SHAPE_KEYS_MAX ? keys : undefined;
}

/** Takes rows of one shape apart. */
export class RowTaker {
  readonly keys: readonly string[];
  #take: Take;
  #rowsToGeneration: number;

  /** @param generateAfterRows rows until code is generated: 0 for at once, Infinity for never */
  constructor(keys: readonly string[], generateAfterRows: number) {
    this.keys = keys;
    this.#take = loopingTake(keys);
    this.#rowsToGeneration = generateAfterRows;
  }

  /** See {@linkcode Take}. */
  take(
    values: readonly unknown[],
    from: number,
    length: number,
    cells: readonly unknown[][],
    at: number,
  ): number {
    if (this.#rowsToGeneration <= 0) {
      this.#rowsToGeneration = Infinity;
      if (codeGenerationAllowed()) this.#take = generatedTake(this.keys);
    }
    const stop = this.#take(values, from, length, cells, at);
    this.#rowsToGeneration -= stop - from;
    return stop;
  }
}

/** Puts rows of one shape together. */
export class RowBuilder {
  readonly keys: readonly string[];
  #build: Build;
  #rowsToGeneration: number;

  /** @param generateAfterRows rows until code is generated: 0 for at once, Infinity for never */
  constructor(keys: readonly string[], generateAfterRows: number) {
    this.keys = keys;
    this.#build = loopingBuild(keys);
    this.#rowsToGeneration = generateAfterRows;
  }

  /** See {@linkcode Build}. */
  build(cells: readonly ArrayLike<unknown>[], length: number): unknown[] {
    if (this.#rowsToGeneration <= 0) {
      this.#rowsToGeneration = Infinity;
      if (codeGenerationAllowed()) this.#build = generatedBuild(this.keys);
    }
    this.#rowsToGeneration -= length;
    return this.#build(cells, length);
  }
}

function loopingTake(keys: readonly string[]): Take {
  return (values, from, length, cells, at) => {
    let row = from;
    for (; row < length; row++) {
      const value = values[row];
      if (!isPlainObject(value) || !hasKeys(value, keys)) break;
      const index = at + row - from;
      for (let column = 0; column < keys.length; column++) {
        const list = cells[column];
        if (list !== undefined) list[index] = value[keys[column] ?? ""];
      }
    }
    return row;
  };
}

function hasKeys(value: object, keys: readonly string[]): boolean {
  let column = 0;
  // for-in lists inherited keys too; an object that inherits some has more keys than its shape and is sent otherwise.
  for (const key in value) {
    if (key !== keys[column]) return false;
    column++;
  }
  return column === keys.length;
}

function loopingBuild(keys: readonly string[]): Build {
  return (cells, length) => {
    const rows: unknown[] = new Array(length);
    for (let row = 0; row < length; row++) {
      const value: Record<string, unknown> = {};
      for (let column = 0; column < keys.length; column++) {
        define(value, keys[column] ?? "", cells[column]?.[row]);
      }
      rows[row] = value;
    }
    return rows;
  };
}

function define(target: Record<string, unknown>, name: string, value: unknown): void {
  if (name === "__proto__") {
    const own = { value, enumerable: true, configurable: true, writable: true };
    Object.defineProperty(target, name, own);
  } else {
    target[name] = value;
  }
}

function generatedTake(keys: readonly string[]): Take {
  const lists = keys.map((_, column) => `const list${column} = cells[${column}];`);
  const stores = keys.map((key, column) => `list${column}[index] = value[${JSON.stringify(key)}];`);
  const body = `"use strict";
const getPrototypeOf = Object.getPrototypeOf, plain = Object.prototype;
return (values, from, length, cells, at) => {
  ${lists.join("\n  ")}
  let row = from, index = at;
  for (; row < length; row++, index++) {
    const value = values[row];
    if (typeof value !== "object" || value === null) break;
    const prototype = getPrototypeOf(value);
    if (prototype !== plain && prototype !== null) break;
    let column = 0;
    for (const key in value) {
      if (key !== keys[column]) { column = -1; break; }
      column++;
    }
    if (column !== ${keys.length}) break;
    ${stores.join("\n    ")}
  }
  return row;
};`;
  const take: Take = new Function("keys", body)(keys);
  return take;
}

function generatedBuild(keys: readonly string[]): Build {
  const lists = keys.map((_, column) => `const list${column} = cells[${column}];`);
  const entries = keys.map((key, column) => literalEntry(key, `list${column}[row]`));
  const body = `"use strict";
return (cells, length) => {
  ${lists.join("\n  ")}
  const rows = new Array(length);
  for (let row = 0; row < length; row++) {
    rows[row] = { ${entries.join(", ")} };
  }
  return rows;
};`;
  const build: Build = new Function(body)();
  return build;
}
