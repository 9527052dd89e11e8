/**
 * The one door to randomness. Everything that needs it takes a {@linkcode Random}; a seed makes a run repeatable.
 *
 * @module
 */

/** A number in [0, 1), each call a new one. */
export type Random = () => number;

/** The machine's own randomness, for jitter in production. */
export const systemRandom: Random = Math.random;

/**
 * A seeded generator (mulberry32): the same seed gives the same numbers on every machine.
 *
 * @example Same seed, same numbers
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { seededRandom } from "./random.ts";
 * assertEquals(seededRandom(7)(), seededRandom(7)());
 * ```
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
