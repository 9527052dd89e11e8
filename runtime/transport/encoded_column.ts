/**
 * What a batch is between two threads: columns as plain data, which structured clone copies, and which could be written
 * as bytes. A column holds a cell for each row in the narrowest form that fits all of them.
 *
 * @module
 */

/**
 * Joined text is cut into chunks of about this many UTF-16 code units, between values. A string that is cut out of a text
 * keeps that text alive, so this is what a kept string can hold on to beyond itself.
 */
export const TEXT_CHUNK_UNITS = 1024;

/** Joined bytes are cut in the same way and for the same reason when they are read. */
export const BYTES_CHUNK_BYTES = 4096;

/**
 * A column as plain data. `at`, `ends` and `tags` are offsets into the batch's block, in bytes:
 * - `number`: Float64 a row, so -0 and NaN are themselves; `boolean`: Uint8 a row, 1 is true
 * - `text`: row i is the joined text from `ends[i - 1]` to `ends[i]`, in code units, Uint32; no value crosses chunks
 * - `bytes`: the same with bytes at `at`
 * - `optional`: Uint8 a row, 0 for the cell of `column`, `TAG_NULL` or `TAG_UNDEFINED`
 * - `nested`: cells that are objects, in columns of their own; `any`: cells as they are
 */
export type EncodedColumn =
  | { readonly kind: "constant"; readonly value: string | null | undefined }
  | { readonly kind: "number"; readonly at: number }
  | { readonly kind: "boolean"; readonly at: number }
  | { readonly kind: "text"; readonly chunks: readonly string[]; readonly ends: number }
  | { readonly kind: "bytes"; readonly at: number; readonly ends: number }
  | { readonly kind: "optional"; readonly tags: number; readonly column: EncodedColumn }
  | { readonly kind: "nested"; readonly columns: EncodedColumns }
  | { readonly kind: "any"; readonly values: readonly unknown[] };

/** Rows of one shape. `signature` is the JSON of its keys, `number` what stands for it in `order`. */
export interface EncodedShape {
  readonly number: number;
  readonly signature: string;
  readonly length: number;
  readonly columns: readonly EncodedColumn[];
}

/**
 * A list of values as plain data:
 * - `column`: none is an object with a shape: one column, such as of strings
 * - `shape`: all are of one shape
 * - `mixed`: several shapes; `order` is the offset of a Uint8 a row with the number of its shape, or `REST_NUMBER` for
 *   the next cell of `rest`
 */
export type EncodedColumns =
  | { readonly kind: "column"; readonly column: EncodedColumn }
  | { readonly kind: "shape"; readonly shape: EncodedShape }
  | {
    readonly kind: "mixed";
    readonly order: number;
    readonly shapes: readonly EncodedShape[];
    readonly rest: { readonly length: number; readonly column: EncodedColumn };
  };

/** Stands in `order` for a row without a shape. */
export const REST_NUMBER = 255;

/** Stands in the tags of an `optional` column for a cell that is null. */
export const TAG_NULL = 1;
/** Stands in the tags of an `optional` column for a cell that is undefined. */
export const TAG_UNDEFINED = 2;
