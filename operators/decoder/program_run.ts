/**
 * Runs a program over records in the decoder's memory. What it leaves there is good until the next run: whoever wants
 * to keep something copies it.
 *
 * @module
 */

import type { RawColumns } from "../../connectors/raw_record.ts";
import { ColumnLayout } from "./column_layout.ts";
import type * as wasm from "./decoder.wasm";
import type { Program } from "./program.ts";

/** Memory that the decoder of a thread may take; it never gives any back. What would need more is left undecided. */
export const DECODER_MEMORY_BYTES_MAX = 256 << 20;

/** What is decoded, and picked, may go up to 16 bytes beyond where it ends. */
export const PADDING_BYTES = 64;
const PAGE_BYTES = 65536;

/** What `decoder.wasm` exports. */
export type DecoderModule = typeof wasm;

/** Records as a batch has them: row i is `arena[starts[i] .. ends[i])`. */
export type RecordBounds = Pick<RawColumns, "arena" | "starts" | "ends">;

/** Those of a batch from one row up to another. */
export interface RecordRange {
  readonly records: RecordBounds;
  readonly from: number;
  readonly to: number;
}

/** What a run has left in the memory. */
export interface ProgramRun {
  readonly rows: number;
  /** Address of each row's status, a byte each. */
  readonly statuses: number;
  /** Address of the columns. */
  readonly columns: number;
  /** Where from there each column is. */
  readonly layout: ColumnLayout;
  readonly textBytes: number;
  /** An address from which on nothing is in use. */
  readonly free: number;
}

/**
 * Decodes ranges of rows as one, numbered through from 0; undefined if that needs too much memory. A row that is not
 * within its arena is undecided.
 *
 * @example A number
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { objectRule } from "../field_rule.ts";
 * import * as wasm from "./decoder.wasm";
 * import { compileProgram } from "./program.ts";
 * import { runProgram } from "./program_run.ts";
 * const program = compileProgram(["$"], objectRule({ at: "number" }));
 * const arena = new TextEncoder().encode('{"at":5}');
 * const records = { arena, starts: [0], ends: [8] };
 * const run = program && runProgram(wasm, program, [{ records, from: 0, to: 1 }]);
 * assertEquals(new Float64Array(wasm.memory.buffer, run?.columns, 1), new Float64Array([5]));
 * ```
 */
export function runProgram(
  module: DecoderModule,
  program: Program,
  ranges: readonly RecordRange[],
): ProgramRun | undefined {
  const bounds = boundsOf(ranges);
  const { rows } = bounds;
  const at = new Addresses(module.memoryStart(), program, bounds);
  const { memory } = module;
  if (!hasBytes(memory, at.end)) return undefined;
  const bytes = new Uint8Array(memory.buffer);
  bytes.set(program.bytes, at.program);
  let arena = at.arena;
  for (const piece of bounds.arenas) {
    bytes.set(piece, arena);
    arena += piece.length;
  }
  new Uint32Array(memory.buffer, at.bounds, 2 * rows).set(bounds.pairs);
  bytes.fill(0, at.columns, at.columns + at.layout.texts);
  module.place(
    at.program,
    rows,
    at.columns,
    at.columns + at.layout.spans,
    program.stringColumns,
    at.columns + at.layout.cells,
    at.columns + at.layout.chunks,
    at.columns + at.layout.texts,
    at.scratch,
  );
  const textBytes = module.decode(at.arena, at.bounds, at.statuses);
  const free = aligned(at.columns + at.layout.texts + textBytes + PADDING_BYTES);
  const { statuses, columns, layout } = at;
  return { rows, statuses, columns, layout, textBytes, free };
}

/** Makes the memory that large if it may be. Views of it from before are then no longer of use. */
export function hasBytes(memory: WebAssembly.Memory, bytes: number): boolean {
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

/** A copy of memory. */
export function copied({ buffer }: WebAssembly.Memory, at: number, bytes: number): ArrayBuffer {
  return new Uint8Array(buffer, at, bytes).slice().buffer;
}

/** The next address at which anything may begin. */
export function aligned(address: number): number {
  return Math.ceil(address / 64) * 64;
}

/** Where rows are. */
interface Bounds {
  readonly rows: number;
  /** Of each range the part of its arena that has its rows: they stand one behind the other. */
  readonly arenas: readonly Uint8Array[];
  readonly arenaBytes: number;
  /** Start and end of each row. Good until the next run. */
  readonly pairs: Uint32Array;
  /** The bytes of all rows together; rows may share some. */
  readonly bytes: number;
  readonly rowBytesMax: number;
}

let pairsOfRun = new Uint32Array(2 * 1024);

function boundsOf(ranges: readonly RecordRange[]): Bounds {
  let rows = 0;
  for (const { from, to } of ranges) rows += to - from;
  if (2 * rows > pairsOfRun.length) pairsOfRun = new Uint32Array(2 * rows);
  const pairs = pairsOfRun.subarray(0, 2 * rows);
  const arenas: Uint8Array[] = [];
  let first = 0;
  let [arenaBytes, bytes, rowBytesMax] = [0, 0, 0];
  for (const range of ranges) {
    const count = range.to - range.from;
    const extent = placeRows(range, pairs.subarray(2 * first, 2 * (first + count)), arenaBytes);
    arenas.push(range.records.arena.subarray(extent.from, extent.to));
    first += count;
    arenaBytes += extent.to - extent.from;
    bytes += extent.bytes;
    rowBytesMax = Math.max(rowBytesMax, extent.rowBytesMax);
  }
  return { rows, arenas, arenaBytes, pairs, bytes, rowBytesMax };
}

/** Puts down where the rows of a range are once the part of the arena that has them begins at `at`; which part that is. */
function placeRows(
  { records: { arena, starts, ends }, from: firstRow, to: endRow }: RecordRange,
  pairs: Uint32Array,
  at: number,
): { from: number; to: number; bytes: number; rowBytesMax: number } {
  let [from, to] = [arena.length, 0];
  let [bytes, rowBytesMax, outside] = [0, 0, 0];
  for (let row = firstRow; row < endRow; row++) {
    const start = starts[row] ?? 0;
    const end = ends[row] ?? 0;
    const pair = 2 * (row - firstRow);
    pairs[pair] = start;
    pairs[pair + 1] = end;
    if (!isWithin(start, end, arena)) {
      outside++;
      continue;
    }
    if (start < from) from = start;
    if (end > to) to = end;
    bytes += end - start;
    if (end - start > rowBytesMax) rowBytesMax = end - start;
  }
  if (from > to) from = to;
  for (let row = firstRow; row < endRow && outside > 0; row++) {
    if (isWithin(starts[row] ?? 0, ends[row] ?? 0, arena)) continue;
    const pair = 2 * (row - firstRow);
    // Left empty, a row is no JSON and thus undecided.
    pairs.fill(from, pair, pair + 2);
    outside--;
  }
  const shift = at - from;
  if (shift !== 0) {
    for (let of = 0; of < pairs.length; of++) {
      pairs[of] = (pairs[of] ?? 0) + shift;
    }
  }
  return { from, to, bytes, rowBytesMax };
}

function isWithin(start: number, end: number, arena: Uint8Array): boolean {
  return start >= 0 && start <= end && end <= arena.length;
}

/** Addresses in the decoder's memory, in this order. */
class Addresses {
  readonly program: number;
  readonly arena: number;
  readonly bounds: number;
  readonly scratch: number;
  readonly statuses: number;
  readonly columns: number;
  readonly layout: ColumnLayout;
  readonly end: number;

  constructor(start: number, program: Program, bounds: Bounds) {
    const { rows } = bounds;
    // Each level's text is shorter than the one that it stands in.
    const scratchBytes = (program.levels - 1) * (bounds.rowBytesMax + 1) + PADDING_BYTES;
    this.program = start;
    this.arena = aligned(this.program + program.bytes.length + PADDING_BYTES);
    this.bounds = aligned(this.arena + bounds.arenaBytes + PADDING_BYTES);
    this.scratch = aligned(this.bounds + 8 * rows);
    this.statuses = aligned(this.scratch + scratchBytes);
    this.columns = aligned(this.statuses + rows);
    this.layout = new ColumnLayout(program, rows, bounds.bytes);
    this.end = this.columns + this.layout.texts + bounds.bytes + PADDING_BYTES;
  }
}
