/**
 * Which rows are written by generated code: the shapes that have been seen often enough, and not more of them than it is
 * cheap to try one after another. Rows of other shapes are left to the caller, who shows what they are made of.
 *
 * @module
 */

import { codeGenerationAllowed } from "../../runtime/transport/generated_code.ts";
import { type JsonShape, jsonShapeOf, signatureOf, widenedShape } from "./json_shape.ts";
import type { RowOutput } from "./row_output.ts";
import { generatedWriteRows, type WriteRows } from "./write_rows.ts";

/** Shapes whose rows are written by generated code at a time. */
export const SHAPE_WRITERS_MAX = 8;
/** Shapes that are counted at a time. */
export const SHAPES_COUNTED_MAX = 64;
/** Functions that are generated for one encoder in its life: rows of ever new shapes must not cost more and more. */
export const SHAPE_GENERATIONS_MAX = 64;
/** Rows that are all looked at for their shape; later ones now and then. */
export const SHAPE_ROWS_LOOKED_AT = 4096;
/** How often later ones are looked at: one row in so many. */
export const SHAPE_ROWS_PER_LOOK = 16;

/** A shape as far as it is known. */
interface CountedShape {
  shape: JsonShape;
  /** Rows looked at that had no code or did not fit it. */
  rows: number;
  write: WriteRows | undefined;
  /** When its code last wrote something, as a count of runs. */
  lastRun: number;
}

/** The shapes of one encoder's rows. */
export class ShapeWriters {
  readonly #ending: string;
  readonly #generateAfterRows: number;
  readonly #shapes = new Map<string, CountedShape>();
  /** Those that have code. */
  readonly #writers: CountedShape[] = [];
  /** The one that wrote last. */
  #current = 0;
  #runs = 0;
  #rows = 0;
  #generations = 0;

  /**
   * @param ending what follows each row: ASCII
   * @param generateAfterRows rows of a shape until code is generated: Infinity for never
   */
  constructor(ending: string, generateAfterRows: number) {
    this.#ending = ending;
    this.#generateAfterRows = codeGenerationAllowed() ? generateAfterRows : Infinity;
  }

  /** Writes `values[from ..]` as far as one shape's code does, and returns the row number that it came to. */
  write(values: readonly unknown[], from: number, length: number, output: RowOutput): number {
    const count = this.#writers.length;
    for (let tried = 0; tried < count; tried++) {
      const index = (this.#current + tried) % count;
      const counted = this.#writers[index];
      const row = counted?.write?.(values, from, length, output) ?? from;
      if (counted === undefined || row === from) continue;
      counted.lastRun = ++this.#runs;
      // The row that it stopped at is none of its own, so that the next one is tried first.
      this.#current = row === length ? index : (index + 1) % count;
      return row;
    }
    return from;
  }

  /** Looks at a row that no code wrote. */
  look(value: unknown): void {
    if (this.#generateAfterRows === Infinity || this.#generations === SHAPE_GENERATIONS_MAX) return;
    if (++this.#rows > SHAPE_ROWS_LOOKED_AT && this.#rows % SHAPE_ROWS_PER_LOOK !== 0) return;
    const shape = shapeIfAny(value);
    if (shape === undefined) return;
    const counted = this.#counted(shape);
    const widened = widenedShape(counted.shape, shape);
    // Code for this very shape has left the row out because its strings are long: other code would do the same.
    if (widened === counted.shape && counted.write !== undefined) return;
    counted.shape = widened;
    if (++counted.rows > this.#generateAfterRows) this.#generate(counted);
  }

  #counted(shape: JsonShape): CountedShape {
    const signature = signatureOf(shape);
    const known = this.#shapes.get(signature);
    if (known !== undefined) return known;
    if (this.#shapes.size === SHAPES_COUNTED_MAX) this.#forgetOldest();
    const counted = { shape, rows: 0, write: undefined, lastRun: 0 };
    this.#shapes.set(signature, counted);
    return counted;
  }

  #forgetOldest(): void {
    for (const [signature, { write }] of this.#shapes) {
      if (write !== undefined) continue;
      this.#shapes.delete(signature);
      return;
    }
  }

  #generate(counted: CountedShape): void {
    if (counted.write === undefined) {
      if (this.#writers.length === SHAPE_WRITERS_MAX) this.#dropIdlest();
      this.#writers.push(counted);
    }
    counted.rows = 0;
    counted.write = generatedWriteRows(counted.shape, this.#ending);
    this.#generations++;
  }

  /** Takes the code from the shape whose rows came the longest ago. */
  #dropIdlest(): void {
    let idlest = 0;
    for (const [index, { lastRun }] of this.#writers.entries()) {
      if (lastRun < (this.#writers[idlest]?.lastRun ?? 0)) idlest = index;
    }
    const [dropped] = this.#writers.splice(idlest, 1);
    if (dropped !== undefined) {
      dropped.write = undefined;
      dropped.rows = 0;
    }
  }
}

function shapeIfAny(value: unknown): JsonShape | undefined {
  try {
    return jsonShapeOf(value);
  } catch {
    // A proxy whose traps throw now and did not before has its JSON already, and no shape.
    return undefined;
  }
}
