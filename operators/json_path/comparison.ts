/**
 * How JSON paths compare (RFC 9535 section 2.3.5.2.2). Nothing, what a query gives that selects no
 * node, is `undefined` here: no JSON value is.
 *
 * @module
 */

import type { ComparisonOperator } from "./syntax.ts";

/** Compares two values, either of which may be nothing. */
export type Comparison = (left: unknown, right: unknown) => boolean;

/**
 * The function for an operator. Only numbers with numbers and strings with strings are in order;
 * equality is deep, and nothing equals nothing.
 *
 * @example What is in order
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { comparison } from "./comparison.ts";
 * assertEquals(comparison("<")(1, 2), true);
 * assertEquals(comparison("<")(1, "2"), false);
 * assertEquals(comparison("==")([1, { a: null }], [1, { a: null }]), true);
 * ```
 */
export function comparison(operator: ComparisonOperator): Comparison {
  switch (operator) {
    case "==":
      return equal;
    case "!=":
      return (left, right) => !equal(left, right);
    case "<":
      return less;
    case "<=":
      return (left, right) => less(left, right) || equal(left, right);
    case ">":
      return (left, right) => less(right, left);
    case ">=":
      return (left, right) => less(right, left) || equal(left, right);
    default:
      return operator satisfies never;
  }
}

/**
 * Whether a value is a JSON object.
 *
 * @example An array is none
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { isJsonObject } from "./comparison.ts";
 * assertEquals([{}, [], null].map(isJsonObject), [true, false, false]);
 * ```
 */
export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Equal in depth. Keeps a list of its own, since documents may be deeper than the stack. */
function equal(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object") return false;
  const pending: unknown[] = [left, right];
  while (pending.length > 0) {
    if (!equalButForChildren(pending.pop(), pending.pop(), pending)) return false;
  }
  return true;
}

/** Compares two nodes, and adds the pairs of their children to `pending`. */
function equalButForChildren(left: unknown, right: unknown, pending: unknown[]): boolean {
  if (left === right) return true;
  if (Array.isArray(left) && Array.isArray(right)) {
    if (left.length !== right.length) return false;
    for (let index = 0; index < left.length; index++) pending.push(left[index], right[index]);
    return true;
  }
  if (!isJsonObject(left) || !isJsonObject(right)) return false;
  const names = Object.keys(left);
  if (names.length !== Object.keys(right).length) return false;
  for (const name of names) {
    if (!Object.hasOwn(right, name)) return false;
    pending.push(left[name], right[name]);
  }
  return true;
}

function less(left: unknown, right: unknown): boolean {
  if (typeof left === "number" && typeof right === "number") return left < right;
  return typeof left === "string" && typeof right === "string" && precedes(left, right);
}

/**
 * The order of Unicode code points, which differs from JavaScript's of UTF-16 code units beyond
 * U+FFFF.
 */
function precedes(left: string, right: string): boolean {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) return rank(a) < rank(b);
  }
  return left.length < right.length;
}

/** Surrogates come after all other code units. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
