/**
 * Writing lines to a file that other writers append to as well. Rows become bytes when they are taken; blocks of whole
 * lines are written one after another, each with one call, and a flush syncs what has been written to the disk.
 *
 * @module
 */

import type { Sink, SinkBatch, SinkContext, SinkWriter } from "../sink.ts";
import { type EncodeLine, type LineBlock, LinesOfRows, writeWhole } from "./lines_of_rows.ts";

/** Bytes taken and not yet written at which a writer asks to wait. */
export const FILE_PENDING_BYTES_MAX = 4 * 1024 * 1024;

const NEWLINE = 0x0a;

/** The sink behind `file.sink()`: rows as JSON unless they are encoded otherwise. */
export function fileSink<T>(path: string, encode: EncodeLine<T> | undefined): Sink<T> {
  return {
    kind: "file",
    name: path,
    guarantee: "at least once",
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

class FileSinkWriter<T> implements SinkWriter<T> {
  readonly #path: string;
  readonly #file: Deno.FsFile;
  readonly #lines: LinesOfRows<T>;
  readonly #context: SinkContext;
  readonly #blocks: LineBlock[] = [];
  #blockedBytes = 0;
  #rowsPending = 0;
  #writing: Promise<void> | undefined;
  #failure: Error | undefined;
  #closed = false;

  constructor(
    path: string,
    file: Deno.FsFile,
    encode: EncodeLine<T> | undefined,
    context: SinkContext,
  ) {
    this.#path = path;
    this.#file = file;
    this.#lines = new LinesOfRows(`file "${path}"`, encode, context.reject);
    this.#context = context;
  }

  readonly write = (batch: SinkBatch<T>): Promise<void> | undefined => {
    this.#lines.blocks(batch, this.#add);
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

  readonly #add = (block: LineBlock): void => {
    this.#rowsPending += block.rows;
    // After a failure nothing is written any more, so nothing may pile up either.
    if (this.#failure !== undefined) return;
    this.#blocks.push(block);
    this.#blockedBytes += block.bytes.length;
  };

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

/** Ends the line that a writer left unfinished when its process was killed, so that it does not spoil the next row. */
async function endTornLine(file: Deno.FsFile): Promise<void> {
  const { size } = await file.stat();
  if (size === 0) return;
  await file.seek(-1, Deno.SeekMode.End);
  const last = new Uint8Array(1);
  await file.read(last);
  if (last[0] !== NEWLINE) await file.write(Uint8Array.of(NEWLINE));
}
