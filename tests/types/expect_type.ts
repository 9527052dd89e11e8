/**
 * Types as expectations: a file that uses them compiles only if they hold, so the compiler is the test runner.
 *
 * @module
 */

/** `true` if both are the same type: not just assignable, and with `any` and `never` told apart from everything. */
export type Equal<A, B> = (<X>() => X extends A ? 1 : 2) extends (<X>() => X extends B ? 1 : 2)
  ? true
  : false;

/**
 * Compiles if the value's type is exactly `Expected`.
 *
 * @example A literal's type
 * ```ts
 * import { expectType } from "./expect_type.ts";
 * expectType<string>()("a".toUpperCase(), true);
 * // @ts-expect-error it is a string, and nothing wider or narrower
 * expectType<string | number>()("a".toUpperCase(), true);
 * ```
 */
export function expectType<Expected>(): <Actual>(
  value: Actual,
  same: Equal<Expected, Actual>,
) => void {
  return () => {};
}
