/**
 * Reading the time out of a sequence number. The layout is not documented by AWS; it has been the same since 2014
 * (kinesalite's `db/index.js` describes it) and is used here for hints only: whether a position may be older than the
 * stream's retention, and which closed shards end before a given time where the service's own filter is missing.
 * What doesn't have that layout gives undefined, and then nothing is concluded.
 *
 * @module
 */

/** Sequence numbers of this layout have 186 bits, the first hexadecimal digit being 2 and the last the version. */
const HEX_DIGITS = 47;
const VERSION_DIGIT = "2";
const TIME_DIGITS = { from: 29, to: 38 };
/** 2200-01-01: a time beyond it means that the layout is another one. */
const SECONDS_MAX = 7_258_118_400;

/**
 * When a record was written, ms since the epoch in whole seconds, or undefined if the number doesn't tell.
 *
 * @example A number that is not of Kinesis
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { sequenceTime } from "./sequence_number.ts";
 * assertEquals(sequenceTime("17"), undefined);
 * ```
 */
export function sequenceTime(sequenceNumber: string): number | undefined {
  if (!/^\d{50,60}$/.test(sequenceNumber)) return undefined;
  const hex = BigInt(sequenceNumber).toString(16);
  if (hex.length !== HEX_DIGITS || !hex.startsWith("2") || !hex.endsWith(VERSION_DIGIT)) {
    return undefined;
  }
  const seconds = parseInt(hex.slice(TIME_DIGITS.from, TIME_DIGITS.to), 16);
  return seconds > 0 && seconds < SECONDS_MAX ? seconds * 1000 : undefined;
}
