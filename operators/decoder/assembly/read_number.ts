/**
 * Numbers to the last bit, or not at all. A whole number up to 2^53 and a power of ten up to 10^22 are both exact as
 * doubles, so that one multiplication or division of the two is rounded once, correctly (W. D. Clinger, "How to read
 * floating point numbers accurately", 1990). With more digits it takes more (`nearest_double.ts`). Whatever is beyond
 * that is left to `JSON.parse`.
 *
 * @module
 */

import { nearestDouble } from "./nearest_double";
import { FIVE_EXPONENT_MAX } from "./powers_of_five";
import { MINUS, otherThanDigits } from "./validate";

/** Digits without leading zeros: as many as an unsigned 64-bit number always holds. */
const DIGITS_MAX: i32 = 19;
const WHOLE_MAX: u64 = 1 << 53;
/** Digits that are read at once: below `WHOLE_MAX` in any case. */
const SHORT_DIGITS_MAX: u32 = 15;
const EXPONENT_MAX: i32 = 22;
/** Digits of a written exponent. */
const EXPONENT_DIGITS_MAX: i32 = 4;
const POINT: u32 = 0x2e;

const POWERS = memory.data<f64>([
  1.0,
  1e1,
  1e2,
  1e3,
  1e4,
  1e5,
  1e6,
  1e7,
  1e8,
  1e9,
  1e10,
  1e11,
  1e12,
  1e13,
  1e14,
  1e15,
  1e16,
  1e17,
  1e18,
  1e19,
  1e20,
  1e21,
  1e22,
]);

let whole: u64 = 0;
let digits: i32 = 0;

/** Reads a number into `to` and returns the address after it, or 0: none, or beyond what is exact here. */
export function readNumber(at: usize, to: usize): usize {
  const isNegative = load<u8>(at) == MINUS;
  const start = at + (isNegative as usize);
  // Most numbers are short: all is seen in 16 bytes.
  const others = otherThanDigits(v128.load(start));
  const count = ctz(others);
  let end = start + count;
  if (count == 0 || count > SHORT_DIGITS_MAX || (count > 1 && load<u8>(start) == 0x30)) {
    return readLongNumber(at, to);
  }
  let value = shortNumber(end, count) as f64;
  if (load<u8>(end) == POINT) {
    const decimals = ctz(others >> (count + 1));
    end += decimals + 1;
    if (decimals == 0 || count + decimals > SHORT_DIGITS_MAX - 1) return readLongNumber(at, to);
    const power = load<f64>(POWERS + (decimals << 3));
    value = (value * power + (shortNumber(end, decimals) as f64)) / power;
  }
  if ((load<u8>(end) | 0x20) == 0x65) return readLongNumber(at, to);
  store<f64>(to, isNegative ? -value : value);
  return end;
}

@inline
/** The value of up to 15 digits, which end at `end`. */
function shortNumber(end: usize, count: u32): i64 {
  const last = load<u64>(end - 8);
  if (count <= 8) return eightDigits(withoutFirst(last, 8 - count));
  return eightDigits(withoutFirst(load<u64>(end - 16), 16 - count)) * 100000000 +
    eightDigits(last);
}

/** Eight characters of which so many first ones are made zeros; at most seven. */
function withoutFirst(eight: u64, count: u32): u64 {
  const bits = (count << 3) as u64;
  return (eight >> bits) << bits;
}

function readLongNumber(at: usize, to: usize): usize {
  const isNegative = load<u8>(at) == MINUS;
  if (isNegative) at++;
  whole = 0;
  digits = 0;
  if (load<u8>(at) == 0x30) at++;
  else {
    at = readDigits(at);
    if (at == 0) return 0;
  }
  let exponent: i32 = 0;
  if (load<u8>(at) == POINT) {
    const point = at + 1;
    at = readDigits(point);
    if (at == 0) return 0;
    exponent = -((at - point) as i32);
  }
  if (((load<u8>(at) as u32) | 0x20) == 0x65) {
    at = readExponent(at + 1);
    if (at == 0) return 0;
    exponent += written;
  }
  if (whole != 0 && (exponent < -FIVE_EXPONENT_MAX || exponent > FIVE_EXPONENT_MAX)) return 0;
  const value = doubleOf(whole, exponent);
  store<f64>(to, isNegative ? -value : value);
  return at;
}

function doubleOf(whole: u64, exponent: i32): f64 {
  if (whole == 0) return 0;
  // Rounded once, as everything here.
  if (exponent == 0) return whole as f64;
  if (whole > WHOLE_MAX || exponent < -EXPONENT_MAX || exponent > EXPONENT_MAX) {
    return nearestDouble(whole, exponent);
  }
  const value = (whole as i64) as f64;
  return exponent < 0
    ? value / load<f64>(POWERS + ((-exponent) << 3))
    : value * load<f64>(POWERS + (exponent << 3));
}

/** Digits, behind those read before. */
function readDigits(at: usize): usize {
  const start = at;
  while (true) {
    const eight = load<u64>(at);
    if (!areDigits(eight)) break;
    if (whole == 0 && (eight & 0x0f) == 0) break;
    digits += 8;
    if (digits > DIGITS_MAX) return 0;
    whole = whole * 100000000 + eightDigits(eight);
    at += 8;
  }
  while (true) {
    const digit = (load<u8>(at) as u32) - 0x30;
    if (digit > 9) break;
    whole = whole * 10 + digit;
    if (whole != 0 && ++digits > DIGITS_MAX) return 0;
    at++;
  }
  return at == start ? 0 : at;
}

function areDigits(eight: u64): bool {
  return ((eight & 0xf0f0f0f0f0f0f0f0) |
    (((eight + 0x0606060606060606) & 0xf0f0f0f0f0f0f0f0) >> 4)) == 0x3333333333333333;
}

/** Pairs of digits, then pairs of pairs, then of those: three multiplications. */
function eightDigits(eight: u64): u64 {
  const twos = ((eight & 0x0f0f0f0f0f0f0f0f) * 2561) >> 8;
  const fours = ((twos & 0x00ff00ff00ff00ff) * 6553601) >> 16;
  return ((fours & 0x0000ffff0000ffff) * 42949672960001) >> 32;
}

let written: i32 = 0;

function readExponent(at: usize): usize {
  const sign: u32 = load<u8>(at);
  if (sign == 0x2b || sign == MINUS) at++;
  const start = at;
  written = 0;
  while (true) {
    const digit = (load<u8>(at) as u32) - 0x30;
    if (digit > 9) break;
    if ((at - start) as i32 == EXPONENT_DIGITS_MAX) return 0;
    written = written * 10 + (digit as i32);
    at++;
  }
  if (sign == MINUS) written = -written;
  return at == start ? 0 : at;
}
