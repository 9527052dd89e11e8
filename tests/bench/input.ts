/**
 * A generated file in memory, as rows of bytes. Engines take their records from here, so that no disk is measured.
 *
 * @module
 */

const NEWLINE = 10;

/** All rows of a file in one arena. Row i is `bytes[starts[i] .. starts[i + 1] - 1)`; its newline follows. */
export interface LoadedInput {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** One more than there are rows: the last is the arena's length. */
  readonly starts: Uint32Array<ArrayBuffer>;
  readonly records: number;
}

/**
 * Reads a file whole.
 *
 * @throws {TypeError} if it does not hold as many lines as it should
 */
export function loadInput(path: string, records: number): LoadedInput {
  const bytes = Deno.readFileSync(path);
  const starts = new Uint32Array(records + 1);
  let lines = 0;
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, end + 1)) {
    if (++lines <= records) starts[lines] = end + 1;
  }
  if (lines !== records || starts[records] !== bytes.length) {
    throw new TypeError(
      `Cannot load ${path}: it has ${lines} lines in ${bytes.length} bytes, expected ${records}; delete its folder to have it generated again`,
    );
  }
  return { bytes, starts, records };
}

const decoder = new TextDecoder();

/**
 * The texts of rows `from` to `to - 1`, by one decoder call: a call a row would cost more than the decoding. All
 * generated text is ASCII, so that offsets in bytes are offsets in the text.
 */
export function rowTexts(input: LoadedInput, from: number, to: number, texts: string[]): void {
  const { bytes, starts } = input;
  const base = starts[from] ?? 0;
  const text = decoder.decode(bytes.subarray(base, starts[to]));
  let start = 0;
  for (let row = from; row < to; row++) {
    const next = (starts[row + 1] ?? 0) - base;
    texts[row - from] = text.substring(start, next - 1);
    start = next;
  }
}
