/**
 * Writing lines to a file that other writers append to as well. Rows become bytes when they are taken; blocks of whole
 * lines are written one after another, each with one call, and a flush syncs what has been written to the disk.
 *
 * @module
 */

import { JsonEncoder, NoJsonError } from "../../operators/json_encoder.ts";
import type { Sink, SinkBatch, SinkContext, SinkWriter } from "../sink.ts";

/** Bytes of lines that one call writes, unless a single line is longer. */
export const FILE_WRITE_BYTES_MAX = 1024 * 1024;
/** Bytes taken and not yet written at which a writer asks to wait. */
export const FILE_PENDING_BYTES_MAX = 4 * 1024 * 1024;

const NEWLINE = 0x0a;

/** A row as the text of one line. */
type Encode<T> = (value: T) => string | undefined;

/** The sink behind `file.sink()`: rows as JSON unless they are encoded otherwise. */
export function fileSink<T>(path: string, encode: Encode<T> | undefined): Sink<T> {
  return {
    kind: "file",
    name: path,
    async open(context) {
      try {
        // Reading as well, to see whether the file ends in a torn line.
        const file = await Deno.open(path, { read: true, append: true, create: true });
        try {
          await endTornLine(file);
        } catch (error) {
          file.close();
          throw error;
        }
        return new FileSinkWriter(path, file, encode, context);
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new Error(`Cannot open file "${path}" for appending: ${reason}`, { cause });
      }
    },
  };
}

/** Whole lines to be written with one call. */
interface Block {
  readonly bytes: Uint8Array;
  readonly rows: number;
}

class FileSinkWriter<T> implements SinkWriter<T> {
  readonly #path: string;
  readonly #file: Deno.FsFile;
  readonly #encode: Encode<T> | undefined;
  readonly #context: SinkContext;
  readonly #json = new JsonEncoder({ ending: "\n" });
  readonly #utf8 = new TextEncoder();
  readonly #blocks: Block[] = [];
  #blockedBytes = 0;
  #rowsPending = 0;
  #writing: Promise<void> | undefined;
  #failure: Error | undefined;
  #closed = false;

  constructor(
    path: string,
    file: Deno.FsFile,
    encode: Encode<T> | undefined,
    context: SinkContext,
  ) {
    this.#path = path;
    this.#file = file;
    this.#encode = encode;
    this.#context = context;
  }

  readonly write = (batch: SinkBatch<T>): Promise<void> | undefined => {
    if (this.#encode === undefined) this.#takeJson(batch);
    else this.#takeTexts(batch, this.#encode);
    if (this.#blocks.length > 0) this.#writing ??= this.#writeBlocks();
    return this.#blockedBytes > FILE_PENDING_BYTES_MAX ? this.#writing : undefined;
  };

  /** Rejects if a row could not be written: it stays pending, so that no checkpoint counts it as done. */
  readonly flush = async (): Promise<void> => {
    await this.#writing;
    await this.#attempt(() => this.#file.syncData());
    if (this.#failure !== undefined) throw this.#failure;
  };

  readonly close = async (): Promise<void> => {
    if (this.#closed) return;
    this.#closed = true;
    this.#blocks.length = 0;
    await this.#writing;
    this.#file.close();
  };

  readonly pending = (): number => this.#rowsPending;

  /** Makes blocks of a batch's rows as JSON. */
  #takeJson(batch: SinkBatch<T>): void {
    const { bytes, ends, faults } = this.#json.encode(batch.values, batch.length);
    for (const { row, error } of faults) {
      const reason = error instanceof NoJsonError ? "encode gave undefined" : failureText(error);
      this.#reject(batch, row, reason);
    }
    let start = 0;
    let last = 0;
    let rows = 0;
    for (const end of ends) {
      // A row that has no JSON has no bytes either.
      if (end === last) continue;
      if (rows > 0 && end - start > FILE_WRITE_BYTES_MAX) {
        this.#add(bytes.subarray(start, last), rows);
        start = last;
        rows = 0;
      }
      last = end;
      rows++;
    }
    if (rows > 0) this.#add(bytes.subarray(start, last), rows);
  }

  /** Makes blocks of the lines that the user's function makes of rows. */
  #takeTexts(batch: SinkBatch<T>, encode: Encode<T>): void {
    let text = "";
    let rows = 0;
    for (let row = 0; row < batch.length; row++) {
      const line = this.#lineOf(batch, row, encode);
      if (line === undefined) continue;
      // In UTF-16 code units: a block of text beyond ASCII has up to three times the bytes.
      if (rows > 0 && text.length + line.length >= FILE_WRITE_BYTES_MAX) {
        this.#add(this.#utf8.encode(text), rows);
        text = "";
        rows = 0;
      }
      text += line + "\n";
      rows++;
    }
    if (rows > 0) this.#add(this.#utf8.encode(text), rows);
  }

  #add(bytes: Uint8Array, rows: number): void {
    this.#rowsPending += rows;
    // After a failure nothing is written any more, so nothing may pile up either.
    if (this.#failure !== undefined) return;
    this.#blocks.push({ bytes, rows });
    this.#blockedBytes += bytes.length;
  }

  /** The row's line, or undefined for one that is none and has been rejected. */
  #lineOf(batch: SinkBatch<T>, row: number, encode: Encode<T>): string | undefined {
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
    this.#reject(batch, row, reason);
    return undefined;
  }

  #reject(batch: SinkBatch<T>, row: number, reason: string): void {
    this.#context.reject({
      value: batch.values[row],
      origin: batch.originAt(row),
      reason:
        `Cannot write a row to file "${this.#path}": ${reason}; expected the text of one line`,
    });
  }

  async #writeBlocks(): Promise<void> {
    for (let block = this.#blocks.shift(); block !== undefined; block = this.#blocks.shift()) {
      const { bytes, rows } = block;
      await this.#attempt(() => writeWhole(this.#file, bytes));
      this.#blockedBytes -= bytes.length;
      if (this.#failure !== undefined) {
        this.#blocks.length = 0;
        this.#blockedBytes = 0;
      } else {
        this.#rowsPending -= rows;
      }
    }
    this.#writing = undefined;
  }

  /** Does what may fail, and tells the first failure. */
  async #attempt(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (cause) {
      if (this.#failure !== undefined) return;
      const reason = cause instanceof Error ? cause.message : String(cause);
      this.#failure = new Error(
        `Cannot write to file "${this.#path}": ${reason}; ${this.#rowsPending} rows are not written`,
        { cause },
      );
      this.#context.fail(this.#failure);
    }
  }
}

function failureText(error: unknown): string {
  return `encode failed: ${error instanceof Error ? error.message : String(error)}`;
}

/** Writes all bytes: with one call, unless the system takes fewer at once, as when the disk is nearly full. */
async function writeWhole(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += await file.write(bytes.subarray(written));
  }
}

/** Ends the line that a writer left unfinished when its process was killed, so that it does not spoil the next row. */
async function endTornLine(file: Deno.FsFile): Promise<void> {
  const { size } = await file.stat();
  if (size === 0) return;
  await file.seek(-1, Deno.SeekMode.End);
  const last = new Uint8Array(1);
  await file.read(last);
  if (last[0] !== NEWLINE) await file.write(Uint8Array.of(NEWLINE));
}
