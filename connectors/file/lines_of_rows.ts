/**
 * Rows as blocks of whole lines: what every sink of lines begins with. A row that is no line is rejected.
 *
 * @module
 */

import { JsonEncoder, NoJsonError } from "../../operators/json_encoder.ts";
import type { SinkBatch, SinkContext } from "../sink.ts";

/** Bytes of lines that one call writes, unless a single line is longer. */
export const FILE_WRITE_BYTES_MAX = 1024 * 1024;

/** A row as the text of one line. */
export type EncodeLine<T> = (value: T) => string | undefined;

/** Whole lines to be written with one call. */
export interface LineBlock {
  readonly bytes: Uint8Array;
  readonly rows: number;
}

/** Makes lines of rows: as JSON unless they are encoded otherwise. */
export class LinesOfRows<T> {
  readonly #what: string;
  readonly #encode: EncodeLine<T> | undefined;
  readonly #reject: SinkContext["reject"];
  readonly #json = new JsonEncoder({ ending: "\n" });
  readonly #utf8 = new TextEncoder();

  /** @param what is written, for the reasons of rejected rows: `file "a.ndjson"` */
  constructor(what: string, encode: EncodeLine<T> | undefined, reject: SinkContext["reject"]) {
    this.#what = what;
    this.#encode = encode;
    this.#reject = reject;
  }

  /** Hands the batch's lines over in order. */
  blocks(batch: SinkBatch<T>, add: (block: LineBlock) => void): void {
    if (this.#encode === undefined) this.#jsonBlocks(batch, add);
    else this.#textBlocks(batch, this.#encode, add);
  }

  #jsonBlocks(batch: SinkBatch<T>, add: (block: LineBlock) => void): void {
    const { bytes, ends, faults } = this.#json.encode(batch.values, batch.length);
    for (const { row, error } of faults) {
      const reason = error instanceof NoJsonError ? "encode gave undefined" : failureText(error);
      this.#rejectRow(batch, row, reason);
    }
    let start = 0;
    let last = 0;
    let rows = 0;
    for (const end of ends) {
      // A row that has no JSON has no bytes either.
      if (end === last) continue;
      if (rows > 0 && end - start > FILE_WRITE_BYTES_MAX) {
        add({ bytes: bytes.subarray(start, last), rows });
        start = last;
        rows = 0;
      }
      last = end;
      rows++;
    }
    if (rows > 0) add({ bytes: bytes.subarray(start, last), rows });
  }

  /** Of the lines that the user's function makes. */
  #textBlocks(batch: SinkBatch<T>, encode: EncodeLine<T>, add: (block: LineBlock) => void): void {
    let text = "";
    let rows = 0;
    for (let row = 0; row < batch.length; row++) {
      const line = this.#lineOf(batch, row, encode);
      if (line === undefined) continue;
      // In UTF-16 code units: a block of text beyond ASCII has up to three times the bytes.
      if (rows > 0 && text.length + line.length >= FILE_WRITE_BYTES_MAX) {
        add({ bytes: this.#utf8.encode(text), rows });
        text = "";
        rows = 0;
      }
      text += line + "\n";
      rows++;
    }
    if (rows > 0) add({ bytes: this.#utf8.encode(text), rows });
  }

  /** The row's line, or undefined for one that is none and has been rejected. */
  #lineOf(batch: SinkBatch<T>, row: number, encode: EncodeLine<T>): string | undefined {
    let reason: string;
    try {
      const line = encode(batch.values[row] as T);
      if (typeof line === "string" && line !== "" && !/[\r\n]/.test(line)) return line;
      reason = typeof line === "string"
        ? `encode gave ${line === "" ? "an empty line" : "more than one line"}`
        : `encode gave ${line === undefined ? "undefined" : `a value of type ${typeof line}`}`;
    } catch (error) {
      reason = failureText(error);
    }
    this.#rejectRow(batch, row, reason);
    return undefined;
  }

  #rejectRow(batch: SinkBatch<T>, row: number, reason: string): void {
    this.#reject({
      value: batch.values[row],
      origin: batch.originAt(row),
      id: batch.idAt(row),
      reason: `Cannot write a row to ${this.#what}: ${reason}; expected the text of one line`,
    });
  }
}

function failureText(error: unknown): string {
  return `encode failed: ${error instanceof Error ? error.message : String(error)}`;
}

/** Writes all bytes: with one call, unless the system takes fewer at once, as when the disk is nearly full. */
export async function writeWhole(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += await file.write(bytes.subarray(written));
  }
}
