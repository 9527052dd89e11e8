/**
 * Durations as people write them.
 *
 * @module
 */

/** Milliseconds as a number, or a number with a unit: `"250ms"`, `"5s"`, `"15m"`, `"1.5h"`, `"7d"`. */
export type Duration =
  | number
  | `${number}ms`
  | `${number}s`
  | `${number}m`
  | `${number}h`
  | `${number}d`;

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * A duration in whole milliseconds.
 *
 * @throws {RangeError} if it is negative, not finite, or not of the form number and unit
 *
 * @example Units
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { milliseconds } from "./duration.ts";
 * assertEquals([milliseconds("5s"), milliseconds("1.5h"), milliseconds(20)], [5000, 5_400_000, 20]);
 * ```
 */
export function milliseconds(duration: Duration): number {
  const match = typeof duration === "number"
    ? undefined
    : /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(duration);
  const value = match
    ? Number(match[1]) * (UNIT_MS[match[2] ?? ""] ?? NaN)
    : typeof duration === "number"
    ? duration
    : NaN;
  if (!Number.isFinite(value) || value < 0) {
    throw new RangeError(
      `Cannot read duration ${
        typeof duration === "number" ? duration : JSON.stringify(duration)
      }: expected milliseconds, or a number with ms, s, m, h or d such as "5s"`,
    );
  }
  return Math.round(value);
}
