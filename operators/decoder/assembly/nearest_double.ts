/**
 * The double nearest to a decimal number of up to 19 digits, for exponents within bounds (D. Lemire, "Number parsing at a
 * gigabyte per second", 2021; N. Mushtak and D. Lemire, "Fast number parsing without fallback", 2022: what is computed
 * here always suffices to tell to which side to round).
 *
 * @module
 */

import { FIVE_EXPONENT_MAX, POWERS_OF_FIVE } from "./powers_of_five";

/** Bits of a double behind its point, and what its exponent is counted from. */
const FRACTION_BITS: i32 = 52;
const EXPONENT_BIAS: i32 = 1023;
/** Exponents of ten in which a number can be just between two doubles. */
const TIE_EXPONENT_MIN: i32 = -4;
const TIE_EXPONENT_MAX: i32 = 23;

let high: u64 = 0;
let low: u64 = 0;

/** `whole * 10^exponent`; `whole` is not 0, and the exponent at most `FIVE_EXPONENT_MAX`, up or down. */
export function nearestDouble(whole: u64, exponent: i32): f64 {
  const shifted = clz(whole);
  multiplyByPower(whole << shifted, exponent);
  const highest = (high >> 63) as i32;
  // All bits of the double, and one more to round by.
  const shift = highest + 64 - FRACTION_BITS - 3;
  let bits = high >> shift;
  let power = twosOfTens(exponent) + highest - (shifted as i32) + EXPONENT_BIAS;
  const isTie = low <= 1 && exponent >= TIE_EXPONENT_MIN && exponent <= TIE_EXPONENT_MAX &&
    (bits & 3) == 1 && bits << shift == high;
  // Just between two doubles, the even one is taken.
  if (isTie) bits--;
  bits = (bits + (bits & 1)) >> 1;
  if (bits == (2 as u64) << FRACTION_BITS) power++;
  const fraction = bits & (((1 as u64) << FRACTION_BITS) - 1);
  return reinterpret<f64>(((power as u64) << FRACTION_BITS) | fraction);
}

/** Leaves in `high` and `low` the first bits of the product with a power of five: enough of them. */
function multiplyByPower(whole: u64, exponent: i32): void {
  const power = POWERS_OF_FIVE + ((exponent + FIVE_EXPONENT_MAX) << 4);
  multiply(whole, load<u64>(power));
  // Only if all bits behind those needed are set could a carry from the power's low half change them.
  if ((high & 0x1ff) != 0x1ff) return;
  const firstHigh = high;
  const firstLow = low;
  multiply(whole, load<u64>(power, 8));
  low = firstLow + high;
  high = firstHigh + (low < firstLow ? 1 : 0);
}

/** Leaves the product of two in `high` and `low`. */
function multiply(one: u64, other: u64): void {
  const oneLow = one & 0xffffffff;
  const oneHigh = one >> 32;
  const otherLow = other & 0xffffffff;
  const otherHigh = other >> 32;
  const lows = oneLow * otherLow;
  const middle = oneHigh * otherLow + (lows >> 32);
  const rest = oneLow * otherHigh + (middle & 0xffffffff);
  high = oneHigh * otherHigh + (middle >> 32) + (rest >> 32);
  low = (rest << 32) | (lows & 0xffffffff);
}

/** The binary exponent of a power of ten: the logarithm of 10 to the base of 2, in 65536ths. */
function twosOfTens(exponent: i32): i32 {
  return ((217706 * exponent) >> 16) + 63;
}
