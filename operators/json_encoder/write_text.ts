/**
 * Strings as `JSON.stringify` writes them, in UTF-8 and without their quotes, code unit by code unit: for short ones that
 * is cheaper than a call of the platform's encoder.
 *
 * @module
 */

/** Bytes that a UTF-16 code unit may take: as an escape such as `\u001f`. */
export const TEXT_BYTES_PER_UNIT_MAX = 6;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const ASCII_END = 0x80;
const SURROGATES = 0xd800;
const LOW_SURROGATES = 0xdc00;
const SURROGATES_END = 0xe000;

/** 1 for the code units that are written as they are, in one byte. */
const PLAIN = Uint8Array.from(
  { length: 0x10000 },
  (_, unit) => Number(unit >= SPACE && unit < ASCII_END && unit !== QUOTE && unit !== BACKSLASH),
);
/** The letters of escapes that have one, by code unit. */
const ESCAPE_LETTERS = Uint8Array.from({ length: ASCII_END }, (_, unit) => {
  const escape = JSON.stringify(String.fromCharCode(unit)).slice(1, -1);
  return escape.length === 2 ? escape.charCodeAt(1) : 0;
});

/**
 * Writes a string's inside at `at` and returns where it ends; the quotes are the caller's. It needs room for
 * {@linkcode TEXT_BYTES_PER_UNIT_MAX} bytes a code unit.
 *
 * Lone surrogates become escapes, as in well-formed `JSON.stringify` (ECMA-262, QuoteJSONString).
 *
 * @example Escapes
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { writeText } from "./write_text.ts";
 * const bytes = new Uint8Array(20);
 * const end = writeText(bytes, 0, "a\n€");
 * assertEquals(new TextDecoder().decode(bytes.subarray(0, end)), "a\\n€");
 * ```
 */
export function writeText(bytes: Uint8Array, at: number, text: string): number {
  const length = text.length;
  for (let index = 0; index < length; index++) {
    const unit = text.charCodeAt(index);
    if (PLAIN[unit] !== 1) return writeRest(bytes, at + index, text, index);
    bytes[at + index] = unit;
  }
  return at + length;
}

/** The string from `index` on, whatever is in it. */
function writeRest(bytes: Uint8Array, at: number, text: string, index: number): number {
  for (; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (PLAIN[unit] === 1) {
      bytes[at++] = unit;
    } else if (unit < ASCII_END) {
      const letter = ESCAPE_LETTERS[unit] ?? 0;
      if (letter !== 0) {
        bytes[at++] = BACKSLASH;
        bytes[at++] = letter;
      } else {
        at = writeUnicodeEscape(bytes, at, unit);
      }
    } else if (unit < 0x800) {
      bytes[at++] = 0xc0 | unit >> 6;
      bytes[at++] = 0x80 | unit & 0x3f;
    } else if (unit < SURROGATES || unit >= SURROGATES_END) {
      bytes[at++] = 0xe0 | unit >> 12;
      bytes[at++] = 0x80 | unit >> 6 & 0x3f;
      bytes[at++] = 0x80 | unit & 0x3f;
    } else if (isPair(text, index)) {
      const point = text.codePointAt(index++) ?? 0;
      bytes[at++] = 0xf0 | point >> 18;
      bytes[at++] = 0x80 | point >> 12 & 0x3f;
      bytes[at++] = 0x80 | point >> 6 & 0x3f;
      bytes[at++] = 0x80 | point & 0x3f;
    } else {
      at = writeUnicodeEscape(bytes, at, unit);
    }
  }
  return at;
}

/** Whether the surrogate at `index` is the first of a pair. */
function isPair(text: string, index: number): boolean {
  const next = text.charCodeAt(index + 1);
  return text.charCodeAt(index) < LOW_SURROGATES && next >= LOW_SURROGATES && next < SURROGATES_END;
}

function writeUnicodeEscape(bytes: Uint8Array, at: number, unit: number): number {
  const escape = `\\u${unit.toString(16).padStart(4, "0")}`;
  for (let index = 0; index < escape.length; index++) bytes[at++] = escape.charCodeAt(index);
  return at;
}
