/**
 * Decodes records and deals them out by key, all in the decoder's memory: keys are hashed where their bytes stand, and
 * each worker's rows are picked out as columns. No key becomes a string, and no record an object.
 *
 * @module
 */

import { keyGroupOf } from "../../runtime/state/key_group.ts";
import { ColumnLayout, type DecodedColumns } from "./column_layout.ts";
import { RowStatus } from "./decoded_batch.ts";
import type { FieldColumn, Program, ScalarColumn } from "./program.ts";
import {
  aligned,
  copied,
  type DecoderModule,
  hasBytes,
  PADDING_BYTES,
  type ProgramRun,
  type RecordBounds,
  runProgram,
} from "./program_run.ts";
import { type RowConstructor, rowConstructor } from "./row_constructor.ts";

/** A number whose text only JavaScript knows: as in assembly/columns.ts. */
const UNKNOWN_GROUP = 0xfffe;

/** Rows for one worker. */
export interface PickedRows {
  readonly columns: DecodedColumns;
  /** What the columns are views of: nobody else has it. */
  readonly buffer: ArrayBuffer;
  /** For {@linkcode KeyedDecoder.layout}. */
  readonly textBytesMax: number;
  /** The key group of each row. */
  readonly groups: Uint16Array<ArrayBuffer>;
  /** Which row of the batch each row was. */
  readonly sourceRows: Uint32Array<ArrayBuffer>;
}

/** A program whose rows have a key. */
export class KeyedDecoder {
  /** Where the keys are: a column of strings or numbers that every row has. */
  readonly key: ScalarColumn & { readonly kind: "string" | "number" };
  /** Makes a row of its columns and its key. */
  readonly construct: RowConstructor;
  readonly #program: Program;
  readonly #module: DecoderModule;

  private constructor(program: Program, field: ScalarColumn, module: DecoderModule) {
    const kind = field.kind === "number" ? "number" : "string";
    this.key = { ...field, kind };
    this.construct = rowConstructor(program.fields, { key: field });
    this.#program = program;
    this.#module = module;
  }

  /** Undefined if the field is not there, may be absent, or is no string and no number. */
  static of(
    program: Program,
    path: readonly string[],
    module: DecoderModule,
  ): KeyedDecoder | undefined {
    const column = columnAt(program.fields, path);
    if (column?.kind !== "string" && column?.kind !== "number") return undefined;
    return column.mayBeAbsent ? undefined : new KeyedDecoder(program, column, module);
  }

  /** The column of a field that is a number in every row; undefined if it is not. */
  numbersAt(path: readonly string[]): number | undefined {
    const column = columnAt(this.#program.fields, path);
    return column?.kind === "number" && !column.mayBeAbsent ? column.values : undefined;
  }

  /** Where the columns of picked rows are in their buffer. */
  layout(rows: number, textBytesMax: number): ColumnLayout {
    return new ColumnLayout(this.#program, rows, textBytesMax);
  }

  /**
   * Decodes the rows from `from` up to `to` and gives each worker its own; undefined for one that has none. Undefined
   * as a whole if any row is undecided: then the order of a key's rows must be kept otherwise.
   *
   * @param routing the worker of each key group
   */
  decode(
    records: RecordBounds,
    from: number,
    to: number,
    routing: readonly number[],
  ): readonly (PickedRows | undefined)[] | undefined {
    const run = runProgram(this.#module, this.#program, records, from, to);
    if (run === undefined || this.#has(run, RowStatus.FALLBACK)) return undefined;
    const { rows, layout, textBytes } = run;
    const groups = run.free;
    const selection = aligned(groups + 2 * rows);
    const picked = aligned(selection + 4 * rows);
    if (!hasBytes(this.#module.memory, picked + layout.texts + textBytes + PADDING_BYTES)) {
      return undefined;
    }
    const known = this.#groups(run, groups, routing.length);
    const [only = 0] = routing;
    if (routing.every((worker) => worker === only) && !this.#has(run, RowStatus.NOTHING)) {
      return Array.from(
        { length: only + 1 },
        (_, worker) => worker === only ? this.#all(run, known, from) : undefined,
      );
    }
    const selected = selectedRows(known, routing);
    return selected.map((of) => of && this.#picked(run, of, known, selection, picked, from));
  }

  #has({ statuses, rows }: ProgramRun, status: number): boolean {
    return new Uint8Array(this.#module.memory.buffer, statuses, rows).includes(status);
  }

  /** The key group of each row. */
  #groups(run: ProgramRun, at: number, maxParallelism: number): Uint16Array {
    const { rows, statuses, columns, layout } = run;
    const { memory, stringGroups, numberGroups } = this.#module;
    const { kind, values } = this.key;
    const groups = new Uint16Array(memory.buffer, at, rows);
    if (kind === "string") {
      const starts = columns + layout.spans + 8 * values * rows;
      stringGroups(columns + layout.texts, starts, statuses, rows, maxParallelism, at);
      return groups;
    }
    const numbers = columns + 8 * values * rows;
    if (numberGroups(numbers, statuses, rows, maxParallelism, at) === 0) return groups;
    const keys = new Float64Array(memory.buffer, numbers, rows);
    for (let row = 0; row < rows; row++) {
      if (groups[row] === UNKNOWN_GROUP) groups[row] = keyGroupOf(keys[row] ?? 0, maxParallelism);
    }
    return groups;
  }

  #all(
    { rows, columns, layout, textBytes }: ProgramRun,
    groups: Uint16Array,
    from: number,
  ): PickedRows {
    const buffer = copied(this.#module.memory, columns, layout.texts + textBytes);
    const sourceRows = new Uint32Array(rows);
    for (let row = 0; row < rows; row++) sourceRows[row] = from + row;
    return {
      columns: layout.columnsIn(buffer),
      buffer,
      textBytesMax: layout.textBytesMax,
      groups: new Uint16Array(groups),
      sourceRows,
    };
  }

  #picked(
    run: ProgramRun,
    rows: Uint32Array,
    groups: Uint16Array,
    selection: number,
    at: number,
    from: number,
  ): PickedRows {
    const count = rows.length;
    const buffer = this.#pick(run, rows, selection, at);
    const layout = this.layout(count, run.textBytes);
    const sourceRows = new Uint32Array(count);
    const groupOf = new Uint16Array(count);
    for (let index = 0; index < count; index++) {
      const row = rows[index] ?? 0;
      sourceRows[index] = from + row;
      groupOf[index] = groups[row] ?? 0;
    }
    return {
      columns: layout.columnsIn(buffer),
      buffer,
      textBytesMax: layout.textBytesMax,
      groups: groupOf,
      sourceRows,
    };
  }

  #pick(run: ProgramRun, rows: Uint32Array, selection: number, at: number): ArrayBuffer {
    const module = this.#module;
    const { memory } = module;
    const { numberColumns, stringColumns, cellColumns } = this.#program;
    const { columns, layout: from } = run;
    const to = this.layout(rows.length, run.textBytes);
    new Uint32Array(memory.buffer, selection, rows.length).set(rows);
    new Uint8Array(memory.buffer).fill(0, at + to.chunks, at + to.cells);
    module.pick(selection, rows.length, run.rows);
    module.pickNumbers(columns, at, numberColumns);
    module.pickCells(columns + from.cells, at + to.cells, cellColumns);
    const textBytes = module.pickTexts(
      columns + from.texts,
      columns + from.spans,
      at + to.texts,
      at + to.spans,
      at + to.chunks,
      stringColumns,
    );
    return copied(memory, at, to.texts + textBytes);
  }
}

/** The numbers of each worker's rows; undefined for one that has none. */
function selectedRows(
  groups: Uint16Array,
  routing: readonly number[],
): readonly (Uint32Array | undefined)[] {
  let workers = 0;
  for (const worker of routing) workers = Math.max(workers, worker + 1);
  const { length } = groups;
  const rows = new Uint32Array(workers * length);
  const ends = new Uint32Array(workers);
  for (let worker = 0; worker < workers; worker++) ends[worker] = worker * length;
  for (let row = 0; row < length; row++) {
    // A row that was not accepted has a group that is on no worker.
    const worker = routing[groups[row] ?? 0];
    if (worker === undefined) continue;
    const end = ends[worker] ?? 0;
    rows[end] = row;
    ends[worker] = end + 1;
  }
  const selected: (Uint32Array | undefined)[] = [];
  for (let worker = 0; worker < workers; worker++) {
    const [start, end] = [worker * length, ends[worker] ?? 0];
    selected.push(end > start ? rows.subarray(start, end) : undefined);
  }
  return selected;
}

function columnAt(fields: FieldColumn, path: readonly string[]): FieldColumn | undefined {
  const [name, ...rest] = path;
  if (name === undefined) return fields;
  if (fields.kind !== "object") return undefined;
  const member = fields.members.find((member) => member.name === name);
  return member && columnAt(member.column, rest);
}
