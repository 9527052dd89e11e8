/**
 * The contents of a piece of state as columns. Lists and maps are laid end to end, so that rows of one shape in them
 * become columns as well.
 *
 * @module
 */

import {
  type ColumnEncoder,
  decodeValues,
  type EncodedValues,
  encodeValues,
} from "../transport/column_codec.ts";

/** Stands among lengths for a cell where nothing is set. */
const UNSET = -1;

/** A column of contents as plain data. `lengths` has a number a cell. */
export type EncodedContents =
  | { readonly kind: "values"; readonly values: EncodedValues }
  | { readonly kind: "numbers"; readonly numbers: Float64Array<ArrayBuffer> }
  | { readonly kind: "lists"; readonly lengths: Int32Array; readonly items: EncodedValues }
  | {
    readonly kind: "maps";
    readonly lengths: Int32Array;
    readonly keys: EncodedValues;
    readonly values: EncodedValues;
  };

/**
 * Encodes a column of contents.
 *
 * @throws {Error} if one can't be cloned
 *
 * @example Lists
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ColumnEncoder } from "../transport/column_codec.ts";
 * import { decodeContents, encodeContents } from "./content_columns.ts";
 * const encoded = encodeContents([[1, 2], undefined, [3]], new ColumnEncoder());
 * assertEquals(encoded.kind, "lists");
 * assertEquals(decodeContents(encoded), [[1, 2], undefined, [3]]);
 * ```
 */
export function encodeContents(
  contents: readonly unknown[],
  codec: ColumnEncoder,
): EncodedContents {
  const first = contents.find((content) => content !== undefined);
  const lists = Array.isArray(first) ? listsOf(contents, codec) : undefined;
  const maps = first instanceof Map ? mapsOf(contents, codec) : undefined;
  return lists ?? maps ??
    { kind: "values", values: encodeValues(contents, contents.length, codec) };
}

/**
 * The same for numbers, NaN where nothing is set: they go as they are.
 *
 * @example A number, and none
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { decodeContents, encodeNumbers } from "./content_columns.ts";
 * assertEquals(decodeContents(encodeNumbers(new Float64Array([5, NaN]))), [5, undefined]);
 * ```
 */
export function encodeNumbers(numbers: Float64Array<ArrayBuffer>): EncodedContents {
  return { kind: "numbers", numbers };
}

/** The contents of an encoded column, new ones each time. */
export function decodeContents(encoded: EncodedContents): unknown[] {
  switch (encoded.kind) {
    case "values":
      return decodeValues(encoded.values);
    case "numbers":
      return Array.from(encoded.numbers, (number) => number === number ? number : undefined);
    case "lists": {
      const items = decodeValues(encoded.items);
      let from = 0;
      return Array.from(
        encoded.lengths,
        (length) => length === UNSET ? undefined : items.slice(from, from += length),
      );
    }
    case "maps": {
      const [keys, values] = [decodeValues(encoded.keys), decodeValues(encoded.values)];
      let next = 0;
      return Array.from(encoded.lengths, (length) => {
        if (length === UNSET) return undefined;
        const map = new Map<unknown, unknown>();
        for (const end = next + length; next < end; next++) map.set(keys[next], values[next]);
        return map;
      });
    }
    default:
      return encoded satisfies never;
  }
}

/** Undefined unless all that is set are arrays with nothing but items. */
function listsOf(
  contents: readonly unknown[],
  codec: ColumnEncoder,
): EncodedContents | undefined {
  const lengths = new Int32Array(contents.length).fill(UNSET);
  const items: unknown[] = [];
  let isAnySet = false;
  for (let row = 0; row < contents.length; row++) {
    const content = contents[row];
    if (content === undefined) continue;
    // Holes, and properties beside the items, would be lost.
    if (!Array.isArray(content) || Object.keys(content).length !== content.length) return undefined;
    isAnySet = true;
    lengths[row] = content.length;
    for (let i = 0; i < content.length; i++) {
      if (content[i] === undefined && !(i in content)) return undefined;
      items.push(content[i]);
    }
  }
  if (!isAnySet) return undefined;
  return { kind: "lists", lengths, items: encodeValues(items, items.length, codec) };
}

/** Undefined unless all that is set are maps. */
function mapsOf(
  contents: readonly unknown[],
  codec: ColumnEncoder,
): EncodedContents | undefined {
  const lengths = new Int32Array(contents.length).fill(UNSET);
  const keys: unknown[] = [];
  const values: unknown[] = [];
  let isAnySet = false;
  for (let row = 0; row < contents.length; row++) {
    const content = contents[row];
    if (content === undefined) continue;
    if (!(content instanceof Map)) return undefined;
    isAnySet = true;
    lengths[row] = content.size;
    for (const [key, value] of content) {
      keys.push(key);
      values.push(value);
    }
  }
  if (!isAnySet) return undefined;
  return {
    kind: "maps",
    lengths,
    keys: encodeValues(keys, keys.length, codec),
    values: encodeValues(values, values.length, codec),
  };
}
