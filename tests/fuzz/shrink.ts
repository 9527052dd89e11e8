/**
 * Makes a failing list small by leaving out runs of its items for as long as it still fails (delta debugging, A. Zeller
 * and R. Hildebrandt, 2002, without its complements).
 *
 * @module
 */

/** Runs of up to so many items are tried at every length: what must go together, such as a member, is seldom longer. */
export const SHRINK_RUN_MAX = 48;

/**
 * The list without all runs of up to {@linkcode SHRINK_RUN_MAX} items, and many longer ones, that it fails without.
 *
 * @param fails whether a list does; it must hold for `items`
 *
 * @example A digit that does not belong
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { shrunk } from "./shrink.ts";
 * assertEquals(shrunk([..."abcde5f"], (text) => text.includes("5")), ["5"]);
 * ```
 */
export function shrunk<T>(
  items: readonly T[],
  fails: (fewer: readonly T[]) => boolean,
): readonly T[] {
  let smallest = items;
  for (let run = Math.ceil(items.length / 2); run >= 1;) {
    const before = smallest.length;
    for (let at = 0; at < smallest.length;) {
      const fewer = smallest.toSpliced(at, run);
      if (fewer.length < smallest.length && fails(fewer)) smallest = fewer;
      else at += run > SHRINK_RUN_MAX ? run : 1;
    }
    if (run > SHRINK_RUN_MAX) run = Math.floor(run / 2);
    else if (run > 1) run--;
    // A run that could not go may have been held by one that is gone by now.
    else if (smallest.length === before) break;
    else run = Math.min(SHRINK_RUN_MAX, smallest.length);
  }
  return smallest;
}
