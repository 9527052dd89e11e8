/**
 * A place in the text of a JSON path, moving forward: the parser's tokens and its one way to fail.
 * Blanks are never skipped here unasked, since RFC 9535 says place by place where they may stand.
 *
 * @module
 */

const NAME = /[A-Za-z_\u{80}-\u{D7FF}\u{E000}-\u{10FFFF}][\w\u{80}-\u{D7FF}\u{E000}-\u{10FFFF}]*/uy;
const INTEGER = /-?\d+/y;
const EXACT_INTEGER = /^(?:0|-?[1-9]\d*)$/;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /[a-z][a-z0-9_]*/y;
const HEX = /[0-9A-Fa-f]{4}/y;
const BLANKS = /[ \t\n\r]*/y;

const ESCAPED: Readonly<Record<string, string>> = {
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  "/": "/",
  "\\": "\\",
};

/**
 * Reads a JSON path from left to right. Offsets count UTF-16 code units from 0.
 *
 * @example A name after a dollar sign and a dot
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { PathCursor } from "./cursor.ts";
 * const cursor = new PathCursor("$.a");
 * cursor.expect("$");
 * assertEquals([cursor.accept("."), cursor.shorthandName(), cursor.next], [true, "a", ""]);
 * ```
 */
export class PathCursor {
  readonly path: string;
  /** Where the next token starts. It may be set back to an offset that was read before. */
  offset = 0;

  constructor(path: string) {
    this.path = path;
  }

  /** The next code unit as text; "" at the end. */
  get next(): string {
    return this.path.charAt(this.offset);
  }

  /**
   * Gives up.
   *
   * @throws {SyntaxError} always: with the path, the offset, what was expected and what is there
   */
  fail(expected: string, offset: number = this.offset): never {
    const code = this.path.codePointAt(offset);
    const found = code === undefined ? "its end" : JSON.stringify(String.fromCodePoint(code));
    throw new SyntaxError(
      `Cannot compile JSON path ${
        JSON.stringify(this.path)
      }: expected ${expected} at offset ${offset}, found ${found}`,
    );
  }

  skipBlanks(): void {
    this.#take(BLANKS);
  }

  /** Goes past `token` if it is next. */
  accept(token: string): boolean {
    if (!this.path.startsWith(token, this.offset)) return false;
    this.offset += token.length;
    return true;
  }

  /** Goes past `token`, which must be next. */
  expect(token: string): void {
    if (!this.accept(token)) this.fail(JSON.stringify(token));
  }

  /** A name as it may follow a dot. */
  shorthandName(): string | undefined {
    return this.#take(NAME);
  }

  /** A word of small letters: a function's name, `true`, `false` or `null`. */
  word(): string | undefined {
    return this.#take(WORD);
  }

  /** A number as in JSON. */
  number(): number | undefined {
    const text = this.#take(NUMBER);
    return text === undefined ? undefined : Number(text);
  }

  /**
   * An index or a part of a slice: within the range that doubles count exactly, without leading
   * zeros.
   */
  integer(): number | undefined {
    const start = this.offset;
    const text = this.#take(INTEGER);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!EXACT_INTEGER.test(text)) this.fail("an integer without leading zeros or -0", start);
    if (!Number.isSafeInteger(value)) this.fail("an integer within ±(2^53 - 1)", start);
    return value;
  }

  /** A string in single or double quotes. */
  quoted(): string | undefined {
    const quote = this.next;
    if (quote !== "'" && quote !== '"') return undefined;
    this.offset++;
    let text = "";
    while (!this.accept(quote)) {
      text += this.accept("\\") ? this.#escaped(quote) : this.#unescaped(quote);
    }
    return text;
  }

  #unescaped(quote: string): string {
    const code = this.path.codePointAt(this.offset);
    if (code === undefined) return this.fail(`the closing ${quote}`);
    if (code < 0x20) return this.fail("an escape such as \\n or \\u000a");
    if (isSurrogate(code)) return this.fail("a character, not half of one");
    const character = String.fromCodePoint(code);
    this.offset += character.length;
    return character;
  }

  #escaped(quote: string): string {
    if (this.accept(quote)) return quote;
    if (this.accept("u")) return this.#hexEscaped();
    const character = Object.hasOwn(ESCAPED, this.next) ? ESCAPED[this.next] : undefined;
    if (character === undefined) {
      return this.fail(`one of b f n r t / \\ u or ${quote} after the backslash`);
    }
    this.offset++;
    return character;
  }

  #hexEscaped(): string {
    const start = this.offset - 2;
    const high = this.#hex();
    if (!isSurrogate(high)) return String.fromCharCode(high);
    const low = this.accept("\\u") ? this.#hex() : 0;
    const pair = String.fromCharCode(high, low);
    if (!pair.isWellFormed()) {
      this.fail("a character or a pair of surrogates, high before low", start);
    }
    return pair;
  }

  #hex(): number {
    return parseInt(this.#take(HEX) ?? this.fail("four hexadecimal digits"), 16);
  }

  #take(token: RegExp): string | undefined {
    token.lastIndex = this.offset;
    const text = token.exec(this.path)?.[0];
    if (text !== undefined) this.offset += text.length;
    return text;
  }
}

function isSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdfff;
}
