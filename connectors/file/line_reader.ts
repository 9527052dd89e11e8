/**
 * Lines of a file, in pieces: each piece's whole lines are a batch over one arena, and what is left of the last line is
 * carried over to the next piece.
 *
 * @module
 */

import { RawBatch } from "../raw_record.ts";
import { NO_TIMESTAMP } from "../source.ts";

/** Bytes asked of the file at once, unless a line is longer. */
export const FILE_READ_BYTES_MAX = 256 * 1024;
/** The longest line; beyond it the file is taken for something other than lines. */
export const FILE_LINE_BYTES_MAX = 16 * 1024 * 1024;

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** The lines of one open file, piece by piece. */
export class LineReader {
  readonly #path: string;
  readonly #file: Deno.FsFile;
  /** Where `#held` starts in the file. */
  #offset: number;
  /** The start of a line whose end has not been read. */
  #held = new Uint8Array(0);

  constructor(path: string, file: Deno.FsFile, offset: number) {
    this.#path = path;
    this.#file = file;
    this.#offset = offset;
  }

  /** The next lines that are whole, or undefined at the end of the file as it is now. */
  async next(): Promise<RawBatch | undefined> {
    while (true) {
      // Asking for as much as is held keeps the copying of a long line in proportion to its length.
      const ask = Math.max(FILE_READ_BYTES_MAX, this.#held.length);
      const arena = new Uint8Array(this.#held.length + ask);
      arena.set(this.#held);
      const count = await this.#file.read(arena.subarray(this.#held.length));
      if (count === null) {
        await this.#checkSize();
        return undefined;
      }
      const length = this.#held.length + count;
      const end = arena.lastIndexOf(NEWLINE, length - 1) + 1;
      this.#held = arena.slice(end, length);
      if (this.#held.length > FILE_LINE_BYTES_MAX) {
        throw new RangeError(
          `Cannot read file "${this.#path}": the line at byte ${
            this.#offset + end
          } is longer than ` +
            `${FILE_LINE_BYTES_MAX} bytes; expected one JSON value a line`,
        );
      }
      if (end > 0) return this.#take(arena.subarray(0, end));
    }
  }

  /** What the file ends with if that is no whole line. */
  rest(): RawBatch | undefined {
    const last = this.#held;
    this.#held = new Uint8Array(0);
    return last.length > 0 ? this.#take(last) : undefined;
  }

  #take(arena: Uint8Array): RawBatch {
    const batch = batchOf(this.#path, arena, this.#offset);
    this.#offset += arena.length;
    return batch;
  }

  /** A file that is shorter than what was read of it was cut or written anew: its positions mean nothing any more. */
  async #checkSize(): Promise<void> {
    const { size } = await this.#file.stat();
    const read = this.#offset + this.#held.length;
    if (size < read) {
      throw new RangeError(
        `Cannot go on reading file "${this.#path}": ${read} bytes of it were read and now it has ${size}; ` +
          "append to files that are followed, and start a new job for a new file",
      );
    }
  }
}

/** The lines of an arena that starts at `offset` in its file, without the empty ones. */
function batchOf(path: string, arena: Uint8Array, offset: number): RawBatch {
  const starts: number[] = [];
  const ends: number[] = [];
  const sequenceNumbers: string[] = [];
  let start = 0;
  while (start < arena.length) {
    const newline = arena.indexOf(NEWLINE, start);
    const next = newline < 0 ? arena.length : newline + 1;
    let end = newline < 0 ? arena.length : newline;
    if (end > start && arena[end - 1] === CARRIAGE_RETURN) end--;
    if (end > start) {
      starts.push(start);
      ends.push(end);
      sequenceNumbers.push(String(offset + next));
    }
    start = next;
  }
  return new RawBatch({
    shardId: path,
    arena,
    starts,
    ends,
    partitionKeys: [],
    sequenceNumbers,
    arrivals: new Float64Array(starts.length).fill(NO_TIMESTAMP),
    position: String(offset + arena.length),
  });
}
