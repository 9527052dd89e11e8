/**
 * The memory that a batch's columns are written to: one growing buffer that is kept between batches, from which each
 * batch leaves with a copy of exactly its size. One buffer a batch and not one a column, since each buffer that crosses
 * to another thread has a cost of its own.
 *
 * @module
 */

/** A block that grew beyond this is let go after its batch, so that one huge batch does not stay in memory. */
export const BLOCK_KEPT_BYTES_MAX = 1 << 20;

const BLOCK_BYTES_MIN = 1 << 14;
/** Every column starts at a multiple of the widest cell, so that typed arrays can be laid over it. */
const ALIGNMENT_BYTES = 8;

/** A growing buffer, and the typed arrays over it. Growing replaces them: take them after `reserve`. */
export class ColumnBlock {
  #buffer = new ArrayBuffer(BLOCK_BYTES_MIN);
  #used = 0;
  numbers: Float64Array<ArrayBuffer> = new Float64Array(this.#buffer);
  ends: Uint32Array<ArrayBuffer> = new Uint32Array(this.#buffer);
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(this.#buffer);

  /** Bytes reserved so far. */
  get used(): number {
    return this.#used;
  }

  /**
   * Makes room and returns its offset in bytes, a multiple of 8. What is there is left over from earlier batches:
   * the caller writes all of it.
   *
   * @example Two columns
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { ColumnBlock } from "./column_block.ts";
   * const block = new ColumnBlock();
   * assertEquals([block.reserve(3), block.reserve(8), block.used], [0, 8, 16]);
   * ```
   */
  reserve(bytes: number): number {
    const at = this.#used;
    const used = at + Math.ceil(bytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
    if (used > this.#buffer.byteLength) this.#replace(used);
    this.#used = used;
    return at;
  }

  /** A copy of what was reserved, the caller's to give away. */
  copy(): ArrayBuffer {
    return this.#buffer.slice(0, this.#used);
  }

  /** Starts the next batch. */
  clear(): void {
    this.#used = 0;
    if (this.#buffer.byteLength > BLOCK_KEPT_BYTES_MAX) this.#replace(BLOCK_BYTES_MIN);
  }

  #replace(bytesMin: number): void {
    let capacity = BLOCK_BYTES_MIN;
    while (capacity < bytesMin) capacity *= 2;
    const old = this.bytes.subarray(0, this.#used);
    this.#buffer = new ArrayBuffer(capacity);
    this.numbers = new Float64Array(this.#buffer);
    this.ends = new Uint32Array(this.#buffer);
    this.bytes = new Uint8Array(this.#buffer);
    this.bytes.set(old);
  }
}
