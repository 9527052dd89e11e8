/**
 * What tells that two engines wrote the same lines. The order of lines is left to the engine, so the checksum is a sum:
 * of the 32-bit FNV-1a of each line's bytes, newline excluded, modulo 2^48.
 *
 * @module
 */

const MODULUS = 2 ** 48;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
const LINE_BYTES_START = 4096;
/** A UTF-16 code unit takes at most so many bytes of UTF-8. */
const UTF8_BYTES_PER_UNIT_MAX = 3;

const encoder = new TextEncoder();

/**
 * The running checksum and count of output lines. Threads keep one each and merge at the end.
 *
 * @example Order does not matter
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Checksum } from "./checksum.ts";
 * const one = new Checksum();
 * one.add("x");
 * one.add("y");
 * const other = new Checksum();
 * other.add("y");
 * other.add("x");
 * assertEquals(one.hex(), other.hex());
 * ```
 */
export class Checksum {
  #outputs = 0;
  #sum = 0;
  #buffer = new Uint8Array(LINE_BYTES_START);

  /** How many lines were added. */
  get outputs(): number {
    return this.#outputs;
  }

  /** The sum so far, an integer below 2^48. */
  get sum(): number {
    return this.#sum;
  }

  /** Encodes a line, as a sink would, and adds it. */
  add(line: string): void {
    if (line.length * UTF8_BYTES_PER_UNIT_MAX > this.#buffer.length) {
      this.#buffer = new Uint8Array(2 * line.length * UTF8_BYTES_PER_UNIT_MAX);
    }
    this.addBytes(this.#buffer, 0, encoder.encodeInto(line, this.#buffer).written);
  }

  /** Adds a line that is bytes already: `bytes[start .. end)`. */
  addBytes(bytes: Uint8Array, start: number, end: number): void {
    let hash = FNV_OFFSET;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), FNV_PRIME);
    this.merge({ outputs: 1, sum: hash >>> 0 });
  }

  /** Takes over the lines of another checksum, or of one that came as a message. */
  merge(other: { readonly outputs: number; readonly sum: number }): void {
    this.#outputs += other.outputs;
    this.#sum = (this.#sum + other.sum) % MODULUS;
  }

  /** The sum as 12 hex digits. */
  hex(): string {
    return this.#sum.toString(16).padStart(12, "0");
  }
}
