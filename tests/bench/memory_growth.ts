/**
 * Whether a long run's memory stays flat: the most in its second half beside the most in its first quarter. By then
 * everything is loaded and compiled, and what still grows will grow on.
 *
 * @module
 */

/** Growth of the peak, first quarter to second half, that is still called flat: collectors' memory goes up and down. */
export const MEMORY_GROWTH_MAX = 1.1;

/** Resident memory at a moment of the run. */
export interface MemorySample {
  /** Records that went in by then. */
  readonly records: number;
  readonly rssMb: number;
}

/** What a run's samples come to. */
export interface MemoryGrowth {
  /** The most in the first quarter of all records. */
  readonly firstQuarterMb: number;
  /** The most in the second half. */
  readonly secondHalfMb: number;
  /** The second divided by the first. */
  readonly ratio: number;
  readonly flat: boolean;
}

/**
 * Compares a run's end with its beginning.
 *
 * @throws {RangeError} if there is no sample in the first quarter, or none in the second half
 *
 * @example A run that grows
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { memoryGrowth } from "./memory_growth.ts";
 * const samples = [{ records: 10, rssMb: 100 }, { records: 90, rssMb: 150 }];
 * const { ratio, flat } = memoryGrowth(samples, 100);
 * assertEquals([ratio, flat], [1.5, false]);
 * ```
 */
export function memoryGrowth(samples: readonly MemorySample[], total: number): MemoryGrowth {
  const most = (of: readonly MemorySample[], where: string) => {
    if (of.length === 0) {
      throw new RangeError(
        `Cannot compare memory over ${total} records: there is no sample in the ${where}; ` +
          "run more records",
      );
    }
    return of.reduce((peak, { rssMb }) => Math.max(peak, rssMb), 0);
  };
  const firstQuarterMb = most(
    samples.filter(({ records }) => records <= total / 4),
    "first quarter",
  );
  const secondHalfMb = most(samples.filter(({ records }) => records >= total / 2), "second half");
  const ratio = secondHalfMb / firstQuarterMb;
  return { firstQuarterMb, secondHalfMb, ratio, flat: ratio <= MEMORY_GROWTH_MAX };
}

/** The verdict in a line. */
export function verdictLine({ firstQuarterMb, secondHalfMb, ratio, flat }: MemoryGrowth): string {
  return `${flat ? "flat" : "grows"}: ${ratio.toFixed(2)} (at most ${secondHalfMb} MB in the ` +
    `second half, ${firstQuarterMb} MB in the first quarter; flat up to ${MEMORY_GROWTH_MAX})`;
}
