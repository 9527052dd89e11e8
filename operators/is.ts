/**
 * Narrowing a discriminated union by its tag.
 *
 * @module
 */

/**
 * A guard for one variant of a union: for `filter`, and wherever a type predicate is taken.
 *
 * @param tag the property that tells variants apart
 * @param value its value in the variant that is wanted
 *
 * @example Payments among events
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { is } from "./is.ts";
 * type Event = { kind: "PAID"; amount: number } | { kind: "CANCELLED" };
 * const events: Event[] = [{ kind: "PAID", amount: 5 }, { kind: "CANCELLED" }];
 * assertEquals(events.filter(is("kind", "PAID")).map((paid) => paid.amount), [5]);
 * ```
 */
export function is<Tag extends string, V extends string>(
  tag: Tag,
  value: V,
): <T extends { readonly [P in Tag]: string }>(
  event: T,
) => event is Extract<T, { readonly [P in Tag]: V }> {
  return <T extends { readonly [P in Tag]: string }>(
    event: T,
  ): event is Extract<T, { readonly [P in Tag]: V }> => {
    const found: string = event[tag];
    return found === value;
  };
}
