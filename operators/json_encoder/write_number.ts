/**
 * Numbers as `JSON.stringify` writes them, digit by digit into bytes: no string is made for whole numbers, nor for
 * fractions of up to six digits such as prices and coordinates. Others are left to `String`.
 *
 * @module
 */

/** Bytes of the longest number, such as -0.0000012345678901234567 (ECMA-262, Number::toString). */
export const NUMBER_BYTES_MAX = 25;

/** Whole numbers are cut here, so that each part is divided as a 32-bit integer. */
const PART = 1e8;
/** Fractions that are whole in millionths are written as two integers. */
const MILLIONTHS = 1e6;
/** Below it, millionths are at most 15 digits: only one decimal of so few stands for a double, so that it is shortest. */
const FRACTION_MAX = 1e9;

const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;

/** The two digits of 0 to 99, the first one in the low byte. */
const PAIRS = Uint16Array.from(
  { length: 100 },
  (_, pair) => ZERO + Math.floor(pair / 10) + ((ZERO + pair % 10) << 8),
);

/**
 * Writes a number at `at` and returns where it ends. It needs room for {@linkcode NUMBER_BYTES_MAX} bytes.
 *
 * @example What is no number in JSON
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { writeNumber } from "./write_number.ts";
 * const bytes = new Uint8Array(25);
 * const end = writeNumber(new DataView(bytes.buffer), 0, -12.5);
 * assertEquals(new TextDecoder().decode(bytes.subarray(0, end)), "-12.5");
 * assertEquals(writeNumber(new DataView(bytes.buffer), 0, NaN), "null".length);
 * ```
 */
export function writeNumber(view: DataView, at: number, value: number): number {
  const int32 = value | 0;
  if (int32 === value && int32 >= 0) return writeDigits(view, at, int32);
  const size = Math.abs(value);
  if (size <= Number.MAX_SAFE_INTEGER && Math.floor(size) === size) {
    if (value < 0) view.setUint8(at++, MINUS);
    return writeWhole(view, at, size);
  }
  if (size < FRACTION_MAX) {
    const millionths = Math.round(size * MILLIONTHS);
    // Division rounds to the nearest double, as reading the decimal does: equal means that the decimal reads as it.
    if (millionths / MILLIONTHS === size) {
      if (value < 0) view.setUint8(at++, MINUS);
      return writeFraction(view, at, millionths);
    }
  }
  return writeAscii(view, at, Number.isFinite(value) ? String(value) : "null");
}

function writeAscii(view: DataView, at: number, text: string): number {
  for (let index = 0; index < text.length; index++) {
    view.setUint8(at + index, text.charCodeAt(index));
  }
  return at + text.length;
}

/** A whole number from 0 to 2^53 - 1. */
function writeWhole(view: DataView, at: number, value: number): number {
  const high = Math.floor(value / PART);
  const low = value - high * PART;
  if (high === 0) return writeDigits(view, at, low | 0);
  const end = writeDigits(view, at, high | 0) + 8;
  writePairs(view, end, low | 0, 4);
  return end;
}

function writeFraction(view: DataView, at: number, millionths: number): number {
  const whole = Math.floor(millionths / MILLIONTHS);
  at = writeDigits(view, at, whole | 0);
  view.setUint8(at, POINT);
  let end = at + 7;
  writePairs(view, end, (millionths - whole * MILLIONTHS) | 0, 3);
  while (view.getUint8(end - 1) === ZERO) end--;
  return end;
}

/** An integer from 0 to 2^31 - 1. */
function writeDigits(view: DataView, at: number, value: number): number {
  if (value < 10) {
    view.setUint8(at, ZERO + value);
    return at + 1;
  }
  const end = at + digitsOf(value);
  let place = end;
  while (value >= 100) {
    const rest = (value / 100) | 0;
    place -= 2;
    view.setUint16(place, PAIRS[value - rest * 100] ?? 0, true);
    value = rest;
  }
  if (value >= 10) view.setUint16(place - 2, PAIRS[value] ?? 0, true);
  else view.setUint8(place - 1, ZERO + value);
  return end;
}

/** Writes so many pairs of digits before `end`, leading zeros too. */
function writePairs(view: DataView, end: number, value: number, pairs: number): void {
  for (let place = end - 2; pairs > 0; pairs--, place -= 2) {
    const rest = (value / 100) | 0;
    view.setUint16(place, PAIRS[value - rest * 100] ?? 0, true);
    value = rest;
  }
}

/** How many digits an integer from 10 on has. */
function digitsOf(value: number): number {
  if (value < 100_000) {
    if (value < 1000) return value < 100 ? 2 : 3;
    return value < 10_000 ? 4 : 5;
  }
  if (value < 10_000_000) return value < 1_000_000 ? 6 : 7;
  if (value < 100_000_000) return 8;
  return value < 1_000_000_000 ? 9 : 10;
}
