/**
 * Strings of a batch, cut from the texts of chunks: a call of the text decoder costs as much as a whole record, and a
 * piece of a long text keeps all of it in memory. A chunk of about 1 KB is neither.
 *
 * @module
 */

/** Strings that start within so many bytes are decoded together; longer ones alone. */
export const TEXT_CHUNK_BYTES = 1024;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The strings' bytes, well-formed UTF-8, in any order of columns and rows. Chunks are decoded when first asked for. */
export class TextColumn {
  /** All bytes; a string is a piece of them. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** For each chunk where its first string starts and its last one ends. */
  readonly #chunks: Uint32Array;
  readonly #texts: (string | undefined)[] = [];
  // Of the chunk that was asked for last: the next string is mostly from it too.
  #chunk = -1;
  #text = "";
  #start = 0;
  #isAscii = false;

  constructor(bytes: Uint8Array<ArrayBuffer>, chunks: Uint32Array) {
    this.bytes = bytes;
    this.#chunks = chunks;
  }

  /** The string of the bytes from `start` to `end`. */
  textAt(start: number, end: number): string {
    if (start === end) return "";
    if (end - start > TEXT_CHUNK_BYTES) return decoder.decode(this.bytes.subarray(start, end));
    const chunk = Math.floor(start / TEXT_CHUNK_BYTES);
    if (chunk !== this.#chunk) this.#open(chunk);
    // Offsets in bytes are offsets in the text only where everything is ASCII.
    if (this.#isAscii) return this.#text.substring(start - this.#start, end - this.#start);
    return decoder.decode(this.bytes.subarray(start, end));
  }

  #open(chunk: number): void {
    const start = this.#chunks[2 * chunk] ?? 0;
    const end = this.#chunks[2 * chunk + 1] ?? 0;
    const text = this.#texts[chunk] ??= decoder.decode(this.bytes.subarray(start, end));
    this.#chunk = chunk;
    this.#text = text;
    this.#start = start;
    this.#isAscii = text.length === end - start;
  }
}
