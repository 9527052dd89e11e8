/**
 * Draws that are mostly those of an earlier run: whatever is generated from them is nearly what was generated then, with
 * a change here and there.
 *
 * @module
 */

import type { Random } from "../../runtime/random.ts";

/** Draws that go on without end, and a list of those made up to now. */
export interface VariedRandom {
  readonly random: Random;
  readonly draws: readonly number[];
}

/**
 * Repeats these draws, one in so many changed, and goes on with new ones.
 *
 * @example All but the second
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { seededRandom } from "../../runtime/random.ts";
 * import { variedRandom } from "./varied_random.ts";
 * const { random, draws } = variedRandom([0.25, 0.5], 1e9, seededRandom(1));
 * assertEquals([random(), random(), random() < 1], [0.25, 0.5, true]);
 * assertEquals(draws.length, 3);
 * ```
 */
export function variedRandom(
  earlier: readonly number[],
  changedOneIn: number,
  source: Random,
): VariedRandom {
  const draws: number[] = [];
  const random = () => {
    const repeated = earlier[draws.length];
    const draw = repeated === undefined || source() * changedOneIn < 1 ? source() : repeated;
    draws.push(draw);
    return draw;
  };
  return { random, draws };
}
