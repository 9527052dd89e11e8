/**
 * Keys as bytes, and back. What tells two keys apart is their kind and their bytes, so that each key has one form only:
 * strings are UTF-8, those that have no UTF-8 (half of a surrogate pair is in them) are UTF-16, and -0 is 0.
 *
 * @module
 */

import type { Key } from "../../key.ts";
import { tooLong } from "./key_errors.ts";
import type { KeyAreas } from "./key_memory.ts";

/** How a key stands in memory: the two low bits of a head, whose others are its length in bytes. */
export const KeyKind = { UTF8: 0, NUMBER: 1, UTF16: 2 } as const;

const NUMBER_HEAD = headOf(KeyKind.NUMBER, 8);
/** Up to so many characters a loop is faster than a call. */
const LOOP_CHARACTERS_MAX = 48;
/** Of a UTF-16 code unit. */
const UTF8_BYTES_MAX = 3;

/** An array of each length, written again and again: V8 spreads arrays much faster than typed arrays. */
const codesOfLength = Array.from(
  { length: LOOP_CHARACTERS_MAX + 1 },
  (_, length) => Array.from({ length }, () => 0),
);

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Writes a key to the areas.
 *
 * @returns its head
 * @throws {RangeError} if it is too long
 *
 * @example Kind and length
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { threadKeyMemory } from "./key_memory.ts";
 * import { KeyKind, readKey, writeKey } from "./key_text.ts";
 * const { areas } = threadKeyMemory;
 * const head = writeKey(areas, "\u00fc");
 * assertEquals([head & 3, head >> 2, readKey(areas, head)], [KeyKind.UTF8, 2, "\u00fc"]);
 * ```
 */
export function writeKey(areas: KeyAreas, key: Key): number {
  if (typeof key === "number") {
    areas.numbers[0] = key + 0;
    return NUMBER_HEAD;
  }
  if (key.length <= LOOP_CHARACTERS_MAX && writeAscii(areas.bytes, key)) {
    return headOf(KeyKind.UTF8, key.length);
  }
  if (!key.isWellFormed()) return writeUnits(areas, key);
  const { read, written } = encoder.encodeInto(key, areas.bytes);
  if (read < key.length) throw tooLong(key.length, areas.bytes.length);
  return headOf(KeyKind.UTF8, written);
}

/** The key that the areas have, by its head. */
export function readKey(areas: KeyAreas, head: number): Key {
  const length = head >>> 2;
  switch (head & 3) {
    case KeyKind.NUMBER:
      return areas.numbers[0] ?? 0;
    case KeyKind.UTF16:
      return textOfUnits(areas.units.subarray(0, length / 2));
    default:
      return asciiText(areas.bytes, length) ?? decoder.decode(areas.bytes.subarray(0, length));
  }
}

/**
 * Writes the strings among keys that begin at `from`, one after the other, with their starts and ends. A run ends where a
 * key is a number or has no UTF-8, or where the areas could be full.
 *
 * @returns how many strings; 0 if the first has no UTF-8, or alone may be too long
 */
export function writeTexts(
  areas: KeyAreas,
  keys: readonly Key[],
  from: number,
  to: number,
): number {
  const { starts, ends, bytes } = areas;
  const charactersMax = Math.floor(bytes.length / UTF8_BYTES_MAX);
  const rowsMax = Math.min(to - from, starts.length);
  let rows = 0;
  let text = "";
  for (; rows < rowsMax; rows++) {
    const key = keys[from + rows];
    if (typeof key !== "string" || text.length + key.length > charactersMax) break;
    starts[rows] = text.length;
    // Longer and longer strings are made flat once, by the encoder; that is less work than joining an array.
    text += key;
    ends[rows] = text.length;
  }
  const { written } = encoder.encodeInto(text, bytes);
  return written === text.length ? rows : measureTexts(areas, keys, from, rows);
}

/** Starts and ends of strings that are not all ASCII, up to the first without UTF-8; how many these are. */
function measureTexts(areas: KeyAreas, keys: readonly Key[], from: number, rows: number): number {
  let end = 0;
  for (let row = 0; row < rows; row++) {
    const key = String(keys[from + row]);
    // What was written of it is wrong: half a pair has been replaced, or has met its other half in the next string.
    if (!key.isWellFormed()) return row;
    areas.starts[row] = end;
    end += utf8Length(key);
    areas.ends[row] = end;
  }
  return rows;
}

/** The text of bytes that are ASCII and few. */
function asciiText(bytes: Uint8Array, length: number): string | undefined {
  const codes = codesOfLength[length];
  if (codes === undefined) return undefined;
  let bits = 0;
  for (let i = 0; i < length; i++) {
    const code = bytes[i] ?? 0;
    codes[i] = code;
    bits |= code;
  }
  return bits < 0x80 ? String.fromCharCode(...codes) : undefined;
}

function headOf(kind: number, length: number): number {
  return 4 * length + kind;
}

function writeAscii(bytes: Uint8Array, text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) return false;
    bytes[i] = code;
  }
  return true;
}

function writeUnits(areas: KeyAreas, text: string): number {
  const { units } = areas;
  if (text.length > units.length) throw tooLong(2 * text.length, areas.bytes.length);
  for (let i = 0; i < text.length; i++) units[i] = text.charCodeAt(i);
  return headOf(KeyKind.UTF16, 2 * text.length);
}

function textOfUnits(units: Uint16Array): string {
  let text = "";
  for (const unit of units) text += String.fromCharCode(unit);
  return text;
}

/** For text that is well-formed. */
function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) continue;
    // The halves of a pair have two bytes each.
    bytes += code < 0x800 || (code & 0xf800) === 0xd800 ? 1 : 2;
  }
  return bytes;
}
