/**
 * `@std/assert` by name and signature, over `node:assert`: its registry can't be reached from every machine that must
 * run these tests. The part that the tests use; where the two could differ this one is the stricter (0 is not -0), so
 * what passes here passes with the original (`deno task test:jsr`).
 *
 * @module
 */

import nodeAssert from "node:assert/strict";
import { inspect, isDeepStrictEqual } from "node:util";

// deno-lint-ignore no-explicit-any -- constructors of any shape are accepted, as in the original
type Constructor<T = unknown> = abstract new (...args: any[]) => T;
type ErrorConstructorOf<E extends Error> = Constructor<E>;
type Falsy = false | 0 | 0n | "" | null | undefined;
/** What has a length and numbered items: arrays, typed arrays, strings. */
type ArrayLikeArgument<T> = ArrayLike<T> & object;

/** Thrown by every assertion that does not hold. */
export class AssertionError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}

/** Whether two values are equal in depth, prototypes included. */
export function equal(actual: unknown, expected: unknown): boolean {
  return isDeepStrictEqual(actual, expected);
}

/** The expression holds. */
export function assert(expression: unknown, message = ""): asserts expression {
  if (!expression) throw new AssertionError(message);
}

/** The expression is falsy. */
export function assertFalse(expression: unknown, message?: string): asserts expression is Falsy {
  if (expression) refuse("Expected expression to be falsy", message);
}

/** Both values are equal in depth. The message shows the lines that differ. */
export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  translated(() => nodeAssert.deepStrictEqual(actual, expected), message);
}

/** The values differ in depth. */
export function assertNotEquals<T>(actual: T, expected: T, message?: string): void {
  if (equal(actual, expected)) {
    refuse(`Expected actual: ${shown(actual)} not to be: ${shown(expected)}`, message);
  }
}

/** Both are the same value, by `Object.is`. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  message?: string,
): asserts actual is T {
  translated(() => nodeAssert.strictEqual(actual, expected), message);
}

/** Both are not the same value, by `Object.is`. */
export function assertNotStrictEquals<T>(actual: T, expected: T, message?: string): void {
  if (Object.is(actual, expected)) {
    refuse(`Expected "actual" to not be strictly equal to: ${shown(actual)}`, message);
  }
}

/** The numbers differ by at most `tolerance`; a ten-millionth of `expected` unless given. */
export function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance?: number,
  message?: string,
): void {
  if (Object.is(actual, expected)) return;
  const allowed = tolerance ?? (Number.isFinite(expected) ? Math.abs(expected * 1e-7) : 1e-7);
  const difference = Math.abs(expected - actual);
  if (difference <= allowed) return;
  refuse(
    `Expected actual: ${actual} to be close to ${expected}: ` +
      `difference ${difference} is greater than ${allowed}`,
    message,
  );
}

/** The value is neither null nor undefined. */
export function assertExists<T>(
  actual: T,
  message?: string,
): asserts actual is NonNullable<T> {
  if (actual === undefined || actual === null) {
    refuse(`Expected actual: ${shown(actual)} to not be null or undefined`, message);
  }
}

/** The value was made by the class or one derived from it. */
export function assertInstanceOf<C extends Constructor>(
  actual: unknown,
  expectedType: C,
  message = "",
): asserts actual is InstanceType<C> {
  if (actual instanceof expectedType) return;
  refuse(`Expected object to be an instance of "${expectedType.name}": ${shown(actual)}`, message);
}

/** `actual > expected`. */
export function assertGreater<T>(actual: T, expected: T, message?: string): void {
  if (!(actual > expected)) refuse(`Expect ${shown(actual)} > ${shown(expected)}`, message);
}

/** `actual >= expected`. */
export function assertGreaterOrEqual<T>(actual: T, expected: T, message?: string): void {
  if (!(actual >= expected)) refuse(`Expect ${shown(actual)} >= ${shown(expected)}`, message);
}

/** `actual < expected`. */
export function assertLess<T>(actual: T, expected: T, message?: string): void {
  if (!(actual < expected)) refuse(`Expect ${shown(actual)} < ${shown(expected)}`, message);
}

/** `actual <= expected`. */
export function assertLessOrEqual<T>(actual: T, expected: T, message?: string): void {
  if (!(actual <= expected)) refuse(`Expect ${shown(actual)} <= ${shown(expected)}`, message);
}

/** The text matches. */
export function assertMatch(actual: string, expected: RegExp, message?: string): void {
  if (actual.search(expected) < 0) {
    refuse(`Expected actual: ${shown(actual)} to match: ${expected}`, message);
  }
}

/** The text does not match. */
export function assertNotMatch(actual: string, expected: RegExp, message?: string): void {
  if (actual.search(expected) >= 0) {
    refuse(`Expected actual: ${shown(actual)} to not match: ${expected}`, message);
  }
}

/** The text contains the other. */
export function assertStringIncludes(actual: string, expected: string, message?: string): void {
  if (!actual.includes(expected)) {
    refuse(`Expected actual: ${shown(actual)} to contain: ${shown(expected)}`, message);
  }
}

/** The array contains an equal of every expected item, in any order. */
export function assertArrayIncludes<T>(
  actual: ArrayLikeArgument<T>,
  expected: ArrayLikeArgument<T>,
  message?: string,
): void {
  const items = Array.from(actual);
  const missing = Array.from(expected).filter((wanted) => !items.some((it) => equal(it, wanted)));
  if (missing.length === 0) return;
  refuse(
    `Expected actual: ${shown(items)} to include: ${shown(Array.from(expected))}, missing: ${
      shown(missing)
    }`,
    message,
  );
}

/** The object has what the other has, in depth; what else it has does not matter. */
export function assertObjectMatch(
  // deno-lint-ignore no-explicit-any -- as in the original, so that interfaces are accepted
  actual: Record<PropertyKey, any>,
  expected: Record<PropertyKey, unknown>,
  message?: string,
): void {
  translated(() => nodeAssert.deepStrictEqual(restrictedTo(actual, expected), expected), message);
}

/** The function throws an error of the class whose message includes the text; returns the error. */
export function assertThrows(fn: () => unknown, message?: string): unknown;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: ErrorConstructorOf<E>,
  messageIncludes?: string,
  message?: string,
): E;
export function assertThrows(
  fn: () => unknown,
  classOrMessage?: ErrorConstructorOf<Error> | string,
  messageIncludes?: string,
  message?: string,
): unknown {
  let thrown: unknown;
  try {
    fn();
  } catch (error) {
    thrown = error;
    return checkedError(thrown, classOrMessage, messageIncludes, message);
  }
  return refuse("Expected function to throw", noteOf(classOrMessage, message));
}

/** The promise is rejected with an error of the class whose message includes the text; resolves to the error. */
export function assertRejects(
  fn: () => PromiseLike<unknown>,
  message?: string,
): Promise<unknown>;
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: ErrorConstructorOf<E>,
  messageIncludes?: string,
  message?: string,
): Promise<E>;
export async function assertRejects(
  fn: () => PromiseLike<unknown>,
  classOrMessage?: ErrorConstructorOf<Error> | string,
  messageIncludes?: string,
  message?: string,
): Promise<unknown> {
  const note = noteOf(classOrMessage, message);
  let promise: PromiseLike<unknown>;
  try {
    promise = fn();
  } catch (cause) {
    throw new AssertionError(noted("Function throws when expected to reject", note), { cause });
  }
  if (typeof promise?.then !== "function") {
    return refuse("Function returns no promise when expected to reject", note);
  }
  try {
    await promise;
  } catch (error) {
    return checkedError(error, classOrMessage, messageIncludes, message);
  }
  return refuse("Expected function to reject", note);
}

/** Fails always. */
export function fail(message?: string): never {
  return refuse("Failed assertion", message);
}

/** Marks a place that is never reached. */
export function unreachable(reason?: string): never {
  return refuse("Unreachable", reason);
}

function checkedError(
  error: unknown,
  classOrMessage: ErrorConstructorOf<Error> | string | undefined,
  messageIncludes: string | undefined,
  message: string | undefined,
): unknown {
  const note = noteOf(classOrMessage, message);
  if (typeof classOrMessage !== "function") return error;
  if (!(error instanceof classOrMessage)) {
    const found = error instanceof Error ? `"${error.name}": ${error.message}` : shown(error);
    throw new AssertionError(
      noted(`Expected error to be an instance of "${classOrMessage.name}", but was ${found}`, note),
      { cause: error },
    );
  }
  if (messageIncludes !== undefined && !error.message.includes(messageIncludes)) {
    throw new AssertionError(
      noted(
        `Expected error message to include ${shown(messageIncludes)}, but got ${
          shown(error.message)
        }`,
        note,
      ),
      { cause: error },
    );
  }
  return error;
}

/** Keeps of `actual` what `expected` names, in depth. */
function restrictedTo(actual: unknown, expected: unknown): unknown {
  if (Array.isArray(actual) && Array.isArray(expected)) {
    return actual.map((item, index) => restrictedTo(item, expected[index]));
  }
  if (!isPlainTarget(expected) || typeof actual !== "object" || actual === null) return actual;
  const kept: Record<PropertyKey, unknown> = Object.create(Object.getPrototypeOf(expected));
  for (const key of Reflect.ownKeys(expected)) {
    if (key in actual) {
      kept[key] = restrictedTo(Reflect.get(actual, key), Reflect.get(expected, key));
    }
  }
  return kept;
}

/** Objects compared by their properties; maps, sets, dates and the like are compared as a whole. */
function isPlainTarget(value: unknown): value is object {
  return Object.prototype.toString.call(value) === "[object Object]";
}

function noteOf(
  classOrMessage: ErrorConstructorOf<Error> | string | undefined,
  message: string | undefined,
): string | undefined {
  return typeof classOrMessage === "string" ? classOrMessage : message;
}

/** Runs an assertion of `node:assert`, whose messages show the differing lines, and rethrows its failure as ours. */
function translated(check: () => void, message: string | undefined): void {
  try {
    check();
  } catch (error) {
    refuse(error instanceof Error ? error.message : String(error), message);
  }
}

function refuse(text: string, message: string | undefined): never {
  throw new AssertionError(noted(text, message));
}

function noted(text: string, message: string | undefined): string {
  return message ? `${text}: ${message}` : text;
}

function shown(value: unknown): string {
  return inspect(value, { depth: 4 });
}
