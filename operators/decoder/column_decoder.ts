/**
 * Decodes batches of JSON records into columns in WebAssembly: 16 bytes at a time, and without an object or a string
 * for anything that is not wanted. Exact or undecided: a row is accepted only if `JSON.parse`, the paths and the schema
 * would accept it with equal values.
 *
 * @module
 */

import type { RawBatch, RawColumns } from "../../connectors/raw_record.ts";
import { fieldsRule } from "../fields.ts";
import type { StandardSchema } from "../standard_schema.ts";
import { DecodedBatch } from "./decoded_batch.ts";
import * as wasm from "./decoder.wasm";
import { compileProgram, type Program } from "./program.ts";
import { type RowConstructor, rowConstructor } from "./row_constructor.ts";
import { TEXT_CHUNK_BYTES, TextColumn } from "./text_column.ts";

/** Memory that the decoder of a thread may take; it never gives any back. What would need more is left undecided. */
export const DECODER_MEMORY_BYTES_MAX = 256 << 20;

/** The decoder reads and writes up to 16 bytes beyond what it is at. */
const PADDING_BYTES = 64;
const PAGE_BYTES = 65536;

/** What `decoder.wasm` exports. */
export type DecoderModule = typeof wasm;

/** Decodes records with one program. The memory it works in is shared by all decoders of a thread. */
export class ColumnDecoder<T> {
  readonly #program: Program;
  readonly #construct: RowConstructor;
  readonly #module: DecoderModule;
  readonly #decoded = new WeakMap<RawBatch, DecodedBatch<T>>();

  private constructor(program: Program, module: DecoderModule) {
    this.#program = program;
    this.#construct = rowConstructor(program.fields);
    this.#module = module;
  }

  /**
   * The decoder of fields at a path, or behind several; undefined if the schema is not made by `fields` or
   * {@linkcode compileProgram} has no program for it.
   *
   * @throws {SyntaxError} if a path is not JSONPath
   *
   * @example A record and one that is none
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { fields } from "../fields.ts";
   * import { ColumnDecoder } from "./column_decoder.ts";
   * const decoder = ColumnDecoder.of(["$.event"], fields({ id: "string", at: "number" }));
   * const arena = new TextEncoder().encode('{"event":{"at":5,"id":"a"}}{"event":');
   * const batch = decoder?.decode({ arena, starts: [0, 27], ends: [27, 36] });
   * assertEquals([batch?.statusAt(0), batch?.statusAt(1)], [2, 0]);
   * assertEquals(batch?.rowAt(0), { id: "a", at: 5 });
   * ```
   */
  static of<T>(
    paths: readonly string[],
    schema: StandardSchema<T>,
    module: DecoderModule = wasm,
  ): ColumnDecoder<T> | undefined {
    const rule = fieldsRule(schema);
    const program = rule === undefined ? undefined : compileProgram(paths, rule);
    return program === undefined ? undefined : new ColumnDecoder<T>(program, module);
  }

  /** The batch decoded: once, however often it is asked for, and for as long as the batch itself is kept. */
  decoded(batch: RawBatch): DecodedBatch<T> {
    let decoded = this.#decoded.get(batch);
    if (decoded === undefined) {
      decoded = this.decode(batch.columns);
      this.#decoded.set(batch, decoded);
    }
    return decoded;
  }

  /** Decodes a batch. A row that is not within the arena is undecided, and so is a batch that needs too much memory. */
  decode(columns: Pick<RawColumns, "arena" | "starts" | "ends">): DecodedBatch<T> {
    const { arena } = columns;
    const rows = columns.starts.length;
    const bounds = boundsOf(columns);
    const layout = new Layout(this.#module.memoryStart(), this.#program, rows, bounds);
    const { memory } = this.#module;
    if (!hasBytes(memory, layout.end)) return this.#undecided(rows);
    const bytes = new Uint8Array(memory.buffer);
    bytes.set(this.#program.bytes, layout.program);
    bytes.set(arena.subarray(bounds.from, bounds.to), layout.arena);
    new Uint32Array(memory.buffer, layout.bounds, 2 * rows).set(bounds.pairs);
    bytes.fill(0, layout.numbers, layout.texts);
    this.#module.place(
      layout.program,
      rows,
      layout.numbers,
      layout.spans,
      this.#program.stringColumns,
      layout.cells,
      layout.chunks,
      layout.texts,
      layout.scratch,
    );
    const textBytes = this.#module.decode(layout.arena, layout.bounds, layout.statuses);
    const owned = bytes.slice(layout.numbers, layout.texts + textBytes).buffer;
    return this.#batch(rows, layout, owned);
  }

  /** @param owned a copy of the memory from the columns of numbers on */
  #batch(rows: number, layout: Layout, owned: ArrayBuffer): DecodedBatch<T> {
    const { numberColumns, stringColumns, cellColumns } = this.#program;
    const at = (address: number) => address - layout.numbers;
    const chunks = new Uint32Array(owned, at(layout.chunks), 2 * layout.chunkCount);
    const columns = {
      rows,
      numbers: new Float64Array(owned, 0, numberColumns * rows),
      spans: new Uint32Array(owned, at(layout.spans), 2 * stringColumns * rows),
      cells: new Uint8Array(owned, at(layout.cells), cellColumns * rows),
      texts: new TextColumn(new Uint8Array(owned, at(layout.texts)), chunks),
    };
    const statuses = new Uint8Array(owned, at(layout.statuses), rows);
    return new DecodedBatch(columns, statuses, this.#construct);
  }

  #undecided(rows: number): DecodedBatch<T> {
    const columns = {
      rows,
      numbers: new Float64Array(),
      spans: new Uint32Array(),
      cells: new Uint8Array(),
      texts: new TextColumn(new Uint8Array(), new Uint32Array()),
    };
    return new DecodedBatch(columns, new Uint8Array(rows), this.#construct);
  }
}

/** Where the rows of a batch are. */
interface Bounds {
  /** Of the arena the part that has all rows. */
  readonly from: number;
  readonly to: number;
  /** Start and end of each row, counted from `from`. */
  readonly pairs: Uint32Array;
  /** The bytes of all rows together; rows may share some. */
  readonly bytes: number;
  readonly rowBytesMax: number;
}

function boundsOf({ arena, starts, ends }: Pick<RawColumns, "arena" | "starts" | "ends">): Bounds {
  const rows = starts.length;
  let from = arena.length;
  let to = 0;
  for (let row = 0; row < rows; row++) {
    const start = starts[row] ?? 0;
    const end = ends[row] ?? 0;
    if (!isWithin(start, end, arena)) continue;
    if (start < from) from = start;
    if (end > to) to = end;
  }
  const pairs = new Uint32Array(2 * rows);
  let bytes = 0;
  let rowBytesMax = 0;
  for (let row = 0; row < rows; row++) {
    const start = starts[row] ?? 0;
    const end = ends[row] ?? 0;
    // Left empty, a row is no JSON and thus undecided.
    if (!isWithin(start, end, arena)) continue;
    pairs[2 * row] = start - from;
    pairs[2 * row + 1] = end - from;
    bytes += end - start;
    if (end - start > rowBytesMax) rowBytesMax = end - start;
  }
  return { from: Math.min(from, to), to, pairs, bytes, rowBytesMax };
}

function isWithin(start: number, end: number, arena: Uint8Array): boolean {
  return start >= 0 && start <= end && end <= arena.length;
}

/** Addresses in the decoder's memory, in this order. What is handed out is copied in one piece, from `numbers` on. */
class Layout {
  readonly program: number;
  readonly arena: number;
  readonly bounds: number;
  readonly scratch: number;
  readonly numbers: number;
  readonly spans: number;
  readonly chunks: number;
  readonly cells: number;
  readonly statuses: number;
  readonly texts: number;
  readonly end: number;
  readonly chunkCount: number;

  constructor(start: number, program: Program, rows: number, bounds: Bounds) {
    this.chunkCount = Math.floor(bounds.bytes / TEXT_CHUNK_BYTES) + 1;
    // Each level's text is shorter than the one that it stands in.
    const scratchBytes = (program.levels - 1) * (bounds.rowBytesMax + 1) + PADDING_BYTES;
    this.program = start;
    this.arena = aligned(this.program + program.bytes.length + PADDING_BYTES);
    this.bounds = aligned(this.arena + bounds.to - bounds.from + PADDING_BYTES);
    this.scratch = aligned(this.bounds + 8 * rows);
    this.numbers = aligned(this.scratch + scratchBytes);
    this.spans = this.numbers + 8 * rows * program.numberColumns;
    this.chunks = this.spans + 8 * rows * program.stringColumns;
    this.cells = this.chunks + 8 * this.chunkCount;
    this.statuses = this.cells + rows * program.cellColumns;
    this.texts = this.statuses + rows;
    this.end = this.texts + bounds.bytes + PADDING_BYTES;
  }
}

function aligned(address: number): number {
  return Math.ceil(address / 64) * 64;
}

/** Makes the memory that large if it may be. */
function hasBytes(memory: WebAssembly.Memory, bytes: number): boolean {
  if (bytes > DECODER_MEMORY_BYTES_MAX) return false;
  const missing = bytes - memory.buffer.byteLength;
  if (missing <= 0) return true;
  try {
    memory.grow(Math.ceil(missing / PAGE_BYTES));
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
