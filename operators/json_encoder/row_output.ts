/**
 * The bytes of a batch in the making: a buffer that grows, and texts of rows that wait to become bytes together, since a
 * call of the platform's encoder costs more than the encoding. What is taken is never written again.
 *
 * @module
 */

/** Bytes of the first buffer. */
const BUFFER_BYTES_START = 4096;
/** A larger buffer is not kept for the next batch unless this one filled it. */
const BUFFER_BYTES_KEPT_MAX = 1024 * 1024;
/** Bytes of a batch: more than the ends of rows can tell. */
export const ENCODED_BYTES_MAX = 2 ** 32 - 1;
/** Code units of texts that wait, unless one alone has more. */
const WAITING_UNITS_MAX = 64 * 1024;
/** UTF-8 needs at most so many bytes per UTF-16 code unit. */
const BYTES_PER_UNIT_MAX = 3;

const utf8 = new TextEncoder();

/** Where rows of a batch are written, one after another. */
export class RowOutput {
  /** Written directly by those who have asked for {@linkcode room}. */
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  /** The same bytes. */
  view: DataView<ArrayBuffer> = new DataView(this.bytes.buffer);
  /** Where the next byte goes. */
  at = 0;
  /** Where rows end. */
  ends: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  #startBytes = BUFFER_BYTES_START;
  /** Rows that are texts so far, joined. Until they are bytes, `ends` has how many code units each has. */
  #text = "";
  #textRows = 0;
  #firstTextRow = 0;

  /** Begins a batch, whatever became of the one before. */
  start(rows: number): void {
    this.at = 0;
    this.ends = new Uint32Array(rows);
    this.#text = "";
    this.#textRows = 0;
  }

  /**
   * Makes `bytes` long enough for so many more from `at` on, and puts texts that wait there first.
   *
   * @throws {RangeError} if the batch would have more than {@linkcode ENCODED_BYTES_MAX} bytes
   */
  room(bytes: number): void {
    if (this.#textRows > 0) this.#settle();
    this.#grow(bytes);
  }

  /** A row that is a text so far; "" for one that is nothing. Rows with texts follow one another until there is `room`. */
  addText(row: number, text: string): void {
    if (this.#textRows++ === 0) this.#firstTextRow = row;
    this.#text += text;
    this.ends[row] = text.length;
    if (this.#text.length >= WAITING_UNITS_MAX) this.#settle();
  }

  /** The batch's bytes: whoever takes them owns them. */
  take(): Uint8Array<ArrayBuffer> {
    if (this.#textRows > 0) this.#settle();
    const taken = this.at;
    this.#startBytes = Math.max(BUFFER_BYTES_START, taken + (taken >> 3));
    if (taken >= this.bytes.length * 0.75) {
      const bytes = this.bytes.subarray(0, taken);
      this.#replace(new Uint8Array(0));
      return bytes;
    }
    const bytes = this.bytes.slice(0, taken);
    if (this.bytes.length > BUFFER_BYTES_KEPT_MAX) this.#replace(new Uint8Array(0));
    return bytes;
  }

  #grow(bytes: number): void {
    const needed = this.at + bytes;
    if (needed <= this.bytes.length) return;
    if (needed > ENCODED_BYTES_MAX) {
      throw new RangeError(
        `Cannot encode a batch of rows as JSON: it may need ${needed} bytes, at most ` +
          `${ENCODED_BYTES_MAX} are allowed; write fewer rows at once`,
      );
    }
    const larger = new Uint8Array(Math.max(needed, this.bytes.length * 2, this.#startBytes));
    larger.set(this.bytes.subarray(0, this.at));
    this.#replace(larger);
  }

  #replace(bytes: Uint8Array<ArrayBuffer>): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }

  #settle(): void {
    const text = this.#text;
    // If this throws, the texts still wait, so that nobody can take the batch without them.
    this.#grow(text.length);
    // Only where everything is ASCII all of it fits, and lengths in code units are lengths in bytes.
    const end = this.at + text.length;
    const isAscii = utf8.encodeInto(text, this.bytes.subarray(this.at, end)).read === text.length;
    if (!isAscii) this.#grow(text.length * BYTES_PER_UNIT_MAX);
    const { ends } = this;
    const stop = this.#firstTextRow + this.#textRows;
    let from = 0;
    for (let row = this.#firstTextRow; row < stop; row++) {
      const to = from + (ends[row] ?? 0);
      this.at += isAscii
        ? to - from
        : utf8.encodeInto(text.substring(from, to), this.bytes.subarray(this.at)).written;
      ends[row] = this.at;
      from = to;
    }
    this.#text = "";
    this.#textRows = 0;
  }
}
