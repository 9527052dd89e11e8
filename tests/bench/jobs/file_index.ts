/**
 * Where the records of a generated file are, block by block: made by one walk over the file, and kept as plain columns of
 * numbers, eight bytes a record.
 *
 * @module
 */

/** Lines of the file that make one block; the last block may have fewer. */
export const BLOCK_ROWS = 1000;
/** The file is walked in pieces of so many bytes; a line must be shorter. */
const PIECE_BYTES = 1 << 20;
const NEWLINE = 10;
const NUMBERS_START = 1024;

/** Records of a file: those that hold a text, or all of them. */
export interface FileIndex {
  readonly blocks: number;
  /** Where each block starts in the file, in bytes. One more than there are blocks: the last is the file's length. */
  readonly offsets: Uint32Array;
  /** The first record of each block; one more than there are blocks. */
  readonly rows: Uint32Array;
  /** Record i's payload, its newline left out, is from `starts[i]` to `ends[i]` of its block. */
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
}

/** Shards of a thread share what one of them has found; once all have let go of it, it need not stay. */
const indexes = new Map<string, WeakRef<FileIndex>>();

/** The index of a file, made when nobody in this thread holds it already. */
export function sharedIndex(path: string, containing: string | undefined): FileIndex {
  const key = JSON.stringify([path, containing]);
  const known = indexes.get(key)?.deref();
  if (known !== undefined) return known;
  const index = indexFile(path, containing);
  indexes.set(key, new WeakRef(index));
  return index;
}

/**
 * Walks over a file of lines.
 *
 * @param containing only records that hold this text, if said
 * @throws {TypeError} if the file does not end with a newline, or a line of it is too long
 */
export function indexFile(path: string, containing?: string): FileIndex {
  using file = Deno.openSync(path);
  const piece = new Uint8Array(PIECE_BYTES);
  const walk = new Walk(containing);
  let filled = 0;
  for (;;) {
    const read = file.readSync(piece.subarray(filled));
    if (read === null) break;
    filled += read;
    const taken = walk.take(piece.subarray(0, filled));
    if (taken === 0 && filled === PIECE_BYTES) {
      throw new TypeError(
        `Cannot index ${path}: the line at byte ${walk.offset} has more than ${PIECE_BYTES} bytes`,
      );
    }
    piece.copyWithin(0, taken, filled);
    filled -= taken;
  }
  if (filled > 0) {
    throw new TypeError(
      `Cannot index ${path}: it ends in the middle of the line at byte ${walk.offset}; ` +
        "delete its folder to have it generated again",
    );
  }
  return walk.index();
}

/** The walk over a file, some lines at a time. */
class Walk {
  /** Where in the file the next line starts. */
  offset = 0;
  readonly #containing: Uint8Array | undefined;
  #lines = 0;
  #blockOffset = 0;
  readonly #offsets = new NumberList();
  readonly #rows = new NumberList();
  readonly #starts = new NumberList();
  readonly #ends = new NumberList();

  constructor(containing: string | undefined) {
    this.#containing = containing === undefined ? undefined : new TextEncoder().encode(containing);
  }

  /** Takes the lines at the beginning of `bytes`; returns how many bytes these are. */
  take(bytes: Uint8Array): number {
    const containing = this.#containing;
    let from = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
      if (this.#lines++ % BLOCK_ROWS === 0) {
        this.#blockOffset = this.offset;
        this.#offsets.add(this.offset);
        this.#rows.add(this.#starts.length);
      }
      if (containing === undefined || holds(bytes, from, end, containing)) {
        this.#starts.add(this.offset - this.#blockOffset);
        this.#ends.add(this.offset - this.#blockOffset + end - from);
      }
      this.offset += end + 1 - from;
      from = end + 1;
    }
    return from;
  }

  /** What was found; the walk ends with it. */
  index(): FileIndex {
    this.#offsets.add(this.offset);
    this.#rows.add(this.#starts.length);
    return {
      blocks: this.#offsets.length - 1,
      offsets: this.#offsets.numbers(),
      rows: this.#rows.numbers(),
      starts: this.#starts.numbers(),
      ends: this.#ends.numbers(),
    };
  }
}

/** Whether a text is somewhere in `bytes[from .. end)`. */
function holds(bytes: Uint8Array, from: number, end: number, text: Uint8Array): boolean {
  for (let start = from; start + text.length <= end; start++) {
    let same = 0;
    while (same < text.length && bytes[start + same] === text[same]) same++;
    if (same === text.length) return true;
  }
  return false;
}

/** Integers below 2^32, however many there will be. */
class NumberList {
  length = 0;
  #numbers = new Uint32Array(NUMBERS_START);

  add(value: number): void {
    if (this.length === this.#numbers.length) {
      const longer = new Uint32Array(2 * this.length);
      longer.set(this.#numbers);
      this.#numbers = longer;
    }
    this.#numbers[this.length++] = value;
  }

  numbers(): Uint32Array {
    return this.#numbers.slice(0, this.length);
  }
}
