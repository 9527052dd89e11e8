/**
 * Lines as values: parsed and validated one by one when asked for, so that a bad line fails alone.
 *
 * @module
 */

import { issuesText, type validator } from "../../operators/standard_schema.ts";
import { RAW_COLUMNS, type RawBatch, type RawColumns } from "../raw_record.ts";
import { NO_TIMESTAMP, type ShardBatch } from "../source.ts";

/** Lines as what a schema makes of them. */
export class ParsedLines<T> implements ShardBatch<T> {
  readonly length: number;
  readonly bytes: number;
  readonly position: string;
  readonly #lines: RawBatch;
  readonly #validate: ReturnType<typeof validator<T>>;

  constructor(lines: RawBatch, validate: ReturnType<typeof validator<T>>) {
    this.#lines = lines;
    this.#validate = validate;
    this.length = lines.length;
    this.bytes = lines.bytes;
    this.position = lines.position;
  }

  get [RAW_COLUMNS](): RawColumns {
    return this.#lines.columns;
  }

  /**
   * @throws {SyntaxError} if the line is no JSON
   * @throws {TypeError} if it is not UTF-8, or the schema does not take it
   */
  valueAt(row: number): T {
    const validation = this.#validate(this.#jsonAt(row));
    if (validation.issues === undefined) return validation.value;
    throw new TypeError(`Cannot take ${this.#lineName(row)}: ${issuesText(validation.issues)}`);
  }

  positionAt(row: number): string {
    return this.#lines.positionAt(row);
  }

  timestampAt(): number {
    return NO_TIMESTAMP;
  }

  #jsonAt(row: number): unknown {
    const text = this.#lines.textAt(row);
    try {
      return JSON.parse(text);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new SyntaxError(`Cannot parse ${this.#lineName(row)} as JSON: ${reason}`, { cause });
    }
  }

  #lineName(row: number): string {
    return `the line of file "${this.#lines.columns.shardId}" that ends at byte ${
      this.positionAt(row)
    }`;
  }
}
