/**
 * Several origins of watermarks as one: what is said of the parts of a stage when they become more or fewer. Pure.
 *
 * @module
 */

import type { OriginTime } from "./watermark.ts";

/**
 * The least of what they have said: nobody may promise more than the one that is furthest back. Those that are idle do not
 * count, unless all are.
 *
 * @example Two parts of a stage, one of them idle
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { joinedOrigin } from "./joined_origin.ts";
 * const one = { name: "sum@0", at: 20, idle: false, aligned: true, spoken: true };
 * const joined = joinedOrigin([one, { ...one, name: "sum@1", at: 10, idle: true, aligned: false }]);
 * assertEquals(joined, { at: 20, idle: false, aligned: true, spoken: true });
 * ```
 */
export function joinedOrigin(
  origins: readonly Omit<OriginTime, "name">[],
): Omit<OriginTime, "name"> {
  const active = origins.filter(({ idle }) => !idle);
  const counted = active.length > 0 ? active : origins;
  return {
    at: Math.min(...counted.map(({ at }) => at)),
    idle: active.length === 0,
    aligned: counted.every(({ aligned }) => aligned),
    spoken: origins.some(({ spoken }) => spoken),
  };
}
