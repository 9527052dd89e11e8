/**
 * The streams of a keyed operator's side outputs, by name.
 *
 * @module
 */

import { onlyNamed, type Sided, type SideSpecs } from "./side.ts";
import type { Stream } from "./stream.ts";

/** Names of declared sides. @param fail throws the error */
export function sideNames(
  operator: string,
  specs: SideSpecs = {},
  fail: (what: string) => never,
): string[] {
  const names = Object.keys(specs);
  const wrong = names.find((name) => specs[name]?.kind !== "side");
  if (wrong === undefined) return names;
  return fail(`"${operator}" declares side output "${wrong}" as something else: use side<T>()`);
}

/** A stream with those of its sides. @param fail throws the error for a name that is not declared */
export function withSides<R, O extends SideSpecs>(
  operator: string,
  stream: Stream<R>,
  sides: readonly (readonly [name: string, stream: Stream<unknown>])[],
  fail: (what: string) => never,
): Sided<R, O> {
  const named: Stream<R> = Object.assign(stream, {
    sides: onlyNamed(sides, (name) => {
      const found = sides.map(([known]) => `"${known}"`).join(", ") || "none";
      fail(`"${operator}" has no side output "${name}": found ${found}; declare it in sides`);
    }),
  });
  return named as Sided<R, O>;
}
