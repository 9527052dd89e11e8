/**
 * Decodes batches of JSON records into columns in WebAssembly: 16 bytes at a time, and without an object or a string
 * for anything that is not wanted. Exact or undecided: a row is accepted only if `JSON.parse`, the paths and the schema
 * would accept it with equal values.
 *
 * @module
 */

import type { RawBatch } from "../../connectors/raw_record.ts";
import { DECODING, decodingChoice } from "../decoding_choice.ts";
import { shapeOf } from "../schema_shape.ts";
import { type StandardSchema, validator } from "../standard_schema.ts";
import { ColumnLayout } from "./column_layout.ts";
import { DecodedBatch, REFUSED, type RowMaker } from "./decoded_batch.ts";
import * as wasm from "./decoder.wasm";
import { KeyedDecoder } from "./keyed_decoder.ts";
import { compileProgram, type Program } from "./program.ts";
import { copied, type DecoderModule, type RecordBounds, runProgram } from "./program_run.ts";
import { rowConstructor } from "./row_constructor.ts";

/** Registered, not only unique: a job imported from a URL brings its own copy of this module. */
const decodes: unique symbol = Symbol.for("penstock.decoder");

/**
 * Notes how an operator or a source decodes raw records, and what can do it in its place, a batch at once.
 *
 * @throws {SyntaxError} if a path is not JSONPath
 */
export function decoding<C extends object>(
  carrier: C,
  paths: readonly string[],
  schema: StandardSchema<unknown>,
  decoder: ColumnDecoder<unknown> | undefined = ColumnDecoder.of(paths, schema),
): C {
  return Object.assign(carrier, {
    [DECODING]: decodingChoice(paths, schema),
    [decodes]: decoder,
  });
}

/** What decodes whole batches in the place of an operator or a source; undefined if nothing does. */
export function decoderOf(carrier: object): ColumnDecoder<unknown> | undefined {
  return (carrier as { readonly [decodes]?: ColumnDecoder<unknown> })[decodes];
}

/** Decodes records with one program. The memory it works in is shared by all decoders of a thread. */
export class ColumnDecoder<T> {
  readonly #program: Program;
  readonly #make: RowMaker<T>;
  /** Whether rows are as the schema wants them without asking it. */
  readonly #isExact: boolean;
  readonly #module: DecoderModule;
  readonly #decoded = new WeakMap<RawBatch, DecodedBatch<T>>();
  /** By the path of the key: shards and edges share one, and so the code that makes its rows. */
  readonly #keyed = new Map<string, KeyedDecoder | undefined>();

  private constructor(
    program: Program,
    schema: StandardSchema<T> | undefined,
    module: DecoderModule,
  ) {
    this.#program = program;
    this.#isExact = schema === undefined;
    this.#make = rowMaker(program, schema);
    this.#module = module;
  }

  /**
   * The decoder of fields at a path, or behind several; undefined if the schema does not show them (`schema_shape.ts`)
   * or {@linkcode compileProgram} has no program for it.
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
    const shape = shapeOf(schema);
    const program = shape.kind === "none" ? undefined : compileProgram(paths, shape.rule);
    if (program === undefined) return undefined;
    return new ColumnDecoder<T>(program, shape.kind === "fields" ? undefined : schema, module);
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

  /**
   * Decodes rows of a batch. One that is not within the arena is undecided, and so are all if they need too much
   * memory.
   */
  decode(records: RecordBounds, from = 0, to: number = records.starts.length): DecodedBatch<T> {
    const run = runProgram(this.#module, this.#program, [{ records, from, to }]);
    if (run === undefined) return this.#undecided(to - from);
    const { memory } = this.#module;
    const { layout, textBytes } = run;
    const columns = layout.columnsIn(copied(memory, run.columns, layout.texts + textBytes));
    const statuses = new Uint8Array(copied(memory, run.statuses, run.rows));
    return new DecodedBatch(columns, statuses, this.#make);
  }

  /**
   * Decodes and cuts by a field that is the key; undefined if it is none that can be, or the schema's own `validate` has
   * the last word.
   */
  keyedBy(path: readonly string[]): KeyedDecoder | undefined {
    if (!this.#isExact) return undefined;
    const name = JSON.stringify(path);
    if (!this.#keyed.has(name)) {
      this.#keyed.set(name, KeyedDecoder.of(this.#program, path, this.#module));
    }
    return this.#keyed.get(name);
  }

  #undecided(rows: number): DecodedBatch<T> {
    const layout = new ColumnLayout(this.#program, 0, 0);
    const columns = layout.columnsIn(new ArrayBuffer(layout.texts));
    return new DecodedBatch({ ...columns, rows }, new Uint8Array(rows), this.#make);
  }
}

/** Makes rows that the schema accepts. Its `validate` is asked unless the rows are what it would make of them. */
function rowMaker<T>(program: Program, schema: StandardSchema<T> | undefined): RowMaker<T> {
  const construct = rowConstructor(program.fields, { omitsMissing: schema !== undefined });
  // The program was compiled from the fields that T is the type of.
  if (schema === undefined) return (columns, row) => construct(columns, row) as T;
  const validate = validator(schema);
  return (columns, row) => {
    try {
      const validation = validate(construct(columns, row));
      return validation.issues === undefined ? validation.value : REFUSED;
    } catch {
      // Whoever decodes the record otherwise gets to see it.
      return REFUSED;
    }
  };
}
