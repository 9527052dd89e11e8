/**
 * Rows to JSON as bytes, a batch at a time: byte for byte what `JSON.stringify` and a `TextEncoder` give. Rows that are
 * plain objects with the same keys are written by code made for them (`json_encoder/write_rows.ts`); all others, and all
 * rows where code may not be generated, become texts by `JSON.stringify` that are made bytes together.
 *
 * @module
 */

import { RowOutput } from "./json_encoder/row_output.ts";
import { ShapeWriters } from "./json_encoder/shape_writers.ts";

/** Rows of a shape that are encoded before code is generated for it: about what generating costs. */
export const JSON_GENERATION_ROWS_DEFAULT = 256;

/** How rows are encoded. */
export interface JsonEncoderOptions {
  /** What follows each row; nothing unless said. */
  readonly ending?: "" | "\n" | undefined;
  /** Rows of a shape until code is generated for it: 0 for at once, Infinity for never. */
  readonly generateAfterRows?: number | undefined;
}

/** A row that has no JSON. */
export interface EncodingFault {
  readonly row: number;
  /** What `JSON.stringify` threw, or a {@linkcode NoJsonError} if it gave undefined. */
  readonly error: unknown;
}

/** A batch as JSON. */
export interface EncodedJson {
  /** The rows one after another. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Row i is `bytes[i > 0 ? ends[i - 1] : 0 .. ends[i])`, its ending included; of a fault it is empty. */
  readonly ends: Uint32Array<ArrayBuffer>;
  /** Rows that have no JSON, in order. */
  readonly faults: readonly EncodingFault[];
}

/** The error of a value for which `JSON.stringify` gives undefined: undefined itself, a function, a symbol. */
export class NoJsonError extends TypeError {
  override readonly name = "NoJsonError";
  /** As `typeof` says. */
  readonly valueType: string;

  constructor(value: unknown) {
    super(`Cannot encode a value of type ${typeof value}: it has no JSON`);
    this.valueType = typeof value;
  }
}

/**
 * Encodes batches of rows. One a writer: it learns what the rows are like.
 *
 * A getter of a row may be called more than once. Only of a wrapper object such as `new Number(1)` whose prototype has
 * been replaced by that of plain objects does it not give the same as `JSON.stringify` (ECMA-262, JSON.stringify).
 *
 * @example Lines
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { JsonEncoder } from "./json_encoder.ts";
 * const encoder = new JsonEncoder({ ending: "\n" });
 * const { bytes, ends, faults } = encoder.encode([{ id: "a" }, undefined, { id: "b" }], 3);
 * assertEquals(new TextDecoder().decode(bytes), '{"id":"a"}\n{"id":"b"}\n');
 * assertEquals([...ends], [11, 11, 22]);
 * assertEquals(faults.map(({ row }) => row), [1]);
 * ```
 */
export class JsonEncoder {
  readonly #ending: string;
  readonly #writers: ShapeWriters;
  readonly #output = new RowOutput();
  #isEncoding = false;

  constructor(options: JsonEncoderOptions = {}) {
    const { ending = "", generateAfterRows = JSON_GENERATION_ROWS_DEFAULT } = options;
    this.#ending = ending;
    this.#writers = new ShapeWriters(ending, generateAfterRows);
  }

  /**
   * Encodes `values[0 .. length)`. The result owns its bytes: they are not written again.
   *
   * @throws {RangeError} if the batch has more bytes than 32 bits can count
   * @throws {TypeError} if it is called from a `toJSON` or getter of a row that this encoder is encoding
   */
  encode(values: readonly unknown[], length: number): EncodedJson {
    if (this.#isEncoding) {
      throw new TypeError(
        "Cannot encode a batch while the same encoder encodes another one: it was called from a toJSON or getter " +
          "of a row; use an encoder of your own there",
      );
    }
    this.#isEncoding = true;
    try {
      return this.#encode(values, length);
    } finally {
      this.#isEncoding = false;
    }
  }

  #encode(values: readonly unknown[], length: number): EncodedJson {
    const output = this.#output;
    const faults: EncodingFault[] = [];
    output.start(length);
    for (let row = 0; row < length;) {
      const stop = this.#writers.write(values, row, length, output);
      if (stop === row) this.#encodeText(values[row], row++, faults);
      else row = stop;
    }
    return { bytes: output.take(), ends: output.ends, faults };
  }

  /** Encodes a row as `JSON.stringify` does, by calling it. */
  #encodeText(value: unknown, row: number, faults: EncodingFault[]): void {
    let json: string | undefined;
    try {
      json = JSON.stringify(value);
      if (json === undefined) throw new NoJsonError(value);
    } catch (error) {
      faults.push({ row, error });
      this.#output.addText(row, "");
      return;
    }
    this.#output.addText(row, json + this.#ending);
    this.#writers.look(value);
  }
}
