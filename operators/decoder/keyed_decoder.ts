/**
 * Decodes records and deals them out by key, all in the decoder's memory: keys are hashed where their bytes stand, and
 * each worker's rows are picked out as columns. No key becomes a string, and no record an object.
 *
 * @module
 */

import { keyGroupOf } from "../../runtime/state/key_group.ts";
import { RowStatus } from "./decoded_batch.ts";
import { PickedLayout, type PickedRows } from "./picked_rows.ts";
import type { FieldColumn, Program, ScalarColumn } from "./program.ts";
import {
  aligned,
  copied,
  type DecoderModule,
  hasBytes,
  PADDING_BYTES,
  type ProgramRun,
  type RecordRange,
  runProgram,
} from "./program_run.ts";
import { type RowConstructor, rowConstructor } from "./row_constructor.ts";

/** A number whose text only JavaScript knows: as in assembly/columns.ts. */
const UNKNOWN_GROUP = 0xfffe;

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

  /** Where everything of picked rows is in their buffer. */
  layout(rows: number, textBytesMax: number): PickedLayout {
    return new PickedLayout(this.#program, rows, textBytesMax);
  }

  /**
   * Decodes ranges of rows as one and gives each worker its own; undefined for one that has none. Undefined as a whole if
   * any row is undecided: then the order of a key's rows must be kept otherwise.
   *
   * @param routing the worker of each key group
   */
  decode(
    ranges: readonly RecordRange[],
    routing: Uint16Array,
  ): readonly (PickedRows | undefined)[] | undefined {
    const module = this.#module;
    const { memory } = module;
    const run = runProgram(module, this.#program, ranges);
    if (run === undefined || this.#hasUndecided(run)) return undefined;
    const { rows, textBytes, free: groups } = run;
    const table = aligned(groups + 2 * rows);
    const ends = aligned(table + 2 * routing.length);
    if (!hasBytes(memory, ends)) return undefined;
    new Uint16Array(memory.buffer, table, routing.length).set(routing);
    const workers = module.workersOf(table, routing.length);
    const selection = aligned(ends + 4 * workers);
    const at = aligned(selection + 4 * rows);
    if (!hasBytes(memory, at + this.layout(rows, textBytes).bytes(textBytes) + PADDING_BYTES)) {
      return undefined;
    }
    this.#group(run, routing.length);
    module.deal(groups, rows, table, workers, ends, selection);
    let start = 0;
    return Array.from(new Uint32Array(memory.buffer, ends, workers), (end) => {
      const dealt = { selection: selection + 4 * start, count: end - start };
      start = end;
      if (dealt.count === 0) return undefined;
      return dealt.count === rows ? this.#all(run) : this.#picked(run, dealt, at);
    });
  }

  #hasUndecided({ statuses, rows }: ProgramRun): boolean {
    const of = new Uint8Array(this.#module.memory.buffer, statuses, rows);
    return of.includes(RowStatus.FALLBACK);
  }

  /** Puts down the key group of each row. */
  #group({ rows, statuses, columns, layout, free: at }: ProgramRun, maxParallelism: number): void {
    const { memory, stringGroups, numberGroups } = this.#module;
    const { kind, values } = this.key;
    if (kind === "string") {
      const starts = columns + layout.spans + 8 * values * rows;
      return stringGroups(columns + layout.texts, starts, statuses, rows, maxParallelism, at);
    }
    const numbers = columns + 8 * values * rows;
    if (numberGroups(numbers, statuses, rows, maxParallelism, at) === 0) return;
    const groups = new Uint16Array(memory.buffer, at, rows);
    const keys = new Float64Array(memory.buffer, numbers, rows);
    for (let row = 0; row < rows; row++) {
      if (groups[row] === UNKNOWN_GROUP) groups[row] = keyGroupOf(keys[row] ?? 0, maxParallelism);
    }
  }

  /** All rows of a run. */
  #all({ rows, columns, layout, textBytes, free }: ProgramRun): PickedRows {
    const { buffer } = this.#module.memory;
    const to = this.layout(rows, layout.textBytesMax);
    const bytes = new Uint8Array(to.bytes(textBytes));
    bytes.set(new Uint8Array(buffer, columns, layout.texts + textBytes), to.columns);
    bytes.set(new Uint8Array(buffer, free, 2 * rows), to.groups);
    const all = to.rowsIn(bytes.buffer);
    for (let row = 0; row < rows; row++) all.sourceRows[row] = row;
    return all;
  }

  /** Some rows of a run: they are put together at an address first. */
  #picked(
    run: ProgramRun,
    { selection, count }: { readonly selection: number; readonly count: number },
    at: number,
  ): PickedRows {
    const module = this.#module;
    const { memory } = module;
    const { numberColumns, stringColumns, cellColumns } = this.#program;
    const { columns, layout } = run;
    const to = this.layout(count, run.textBytes);
    const { spans, chunks, cells, texts } = to.layout;
    const toColumns = at + to.columns;
    new Uint8Array(memory.buffer).fill(0, toColumns + chunks, toColumns + cells);
    module.pick(selection, count, run.rows);
    module.pickGroups(run.free, at + to.groups);
    new Uint8Array(memory.buffer).copyWithin(at + to.sourceRows, selection, selection + 4 * count);
    module.pickNumbers(columns, toColumns, numberColumns);
    module.pickCells(columns + layout.cells, toColumns + cells, cellColumns);
    const textBytes = module.pickTexts(
      columns + layout.texts,
      columns + layout.spans,
      toColumns + texts,
      toColumns + spans,
      toColumns + chunks,
      stringColumns,
    );
    return to.rowsIn(copied(memory, at, to.bytes(textBytes)));
  }
}

function columnAt(fields: FieldColumn, path: readonly string[]): FieldColumn | undefined {
  const [name, ...rest] = path;
  if (name === undefined) return fields;
  if (fields.kind !== "object") return undefined;
  const member = fields.members.find((member) => member.name === name);
  return member && columnAt(member.column, rest);
}
