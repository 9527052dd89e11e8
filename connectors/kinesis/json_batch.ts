/**
 * A batch whose rows are JSON texts, checked by a schema. A row that is no JSON or not as the schema says throws when its
 * value is asked for, and only then: one bad record is one dead letter.
 *
 * @module
 */

import { Observable } from "../../deps.ts";
import { issuesText, type Validation } from "../../operators/standard_schema.ts";
import { RAW_COLUMNS, type RawBatch, type RawColumns } from "../raw_record.ts";
import type { ShardBatch } from "../source.ts";

/** Rows of raw records as values. */
export class JsonBatch<T> implements ShardBatch<T> {
  readonly #raw: RawBatch;
  readonly #validate: (value: unknown) => Validation<T>;

  constructor(raw: RawBatch, validate: (value: unknown) => Validation<T>) {
    this.#raw = raw;
    this.#validate = validate;
  }

  get [RAW_COLUMNS](): RawColumns {
    return this.#raw.columns;
  }

  get length(): number {
    return this.#raw.length;
  }
  get bytes(): number {
    return this.#raw.bytes;
  }
  get position(): string {
    return this.#raw.position;
  }
  get millisBehindLatest(): number | undefined {
    return this.#raw.millisBehindLatest;
  }

  /** @throws {TypeError} if the row is not UTF-8, not JSON, or not valid */
  valueAt(row: number): T {
    const validation = this.#validate(parsed(this.#raw.textAt(row)));
    if (validation.issues === undefined) return validation.value;
    throw new TypeError(
      `Cannot read a record by the source's schema: ${issuesText(validation.issues)}`,
    );
  }

  positionAt(row: number): string {
    return this.#raw.positionAt(row);
  }

  timestampAt(row: number): number {
    return this.#raw.timestampAt(row);
  }
}

/** Raw batches as batches of values. */
export function jsonBatches<T>(
  raw: Observable<RawBatch>,
  validate: (value: unknown) => Validation<T>,
): Observable<ShardBatch<T>> {
  return new Observable((subscriber) =>
    raw.subscribe({
      next: (batch) => subscriber.next(new JsonBatch(batch, validate)),
      error: (error) => subscriber.error(error),
      complete: () => subscriber.complete(),
    })
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TypeError(`Cannot read a record as JSON: ${reason}`, { cause: error });
  }
}
