/**
 * `@std/testing/mock` by name and signature: functions that remember their calls, and stand in for methods until
 * restored. The part that the tests use.
 *
 * @module
 */

import { assertEquals, AssertionError, assertRejects, equal } from "./assert.ts";

/** Thrown when a spy or stub is used in a way that can't work. */
export class MockError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "MockError";
  }
}

/** One call as it happened. */
export interface SpyCall<Self = unknown, Args extends unknown[] = unknown[], Return = unknown> {
  args: Args;
  returned?: Return;
  error?: Error;
  self?: Self;
}

/** A function that remembers its calls. */
export interface Spy<Self = unknown, Args extends unknown[] = unknown[], Return = unknown> {
  (this: Self, ...args: Args): Return;
  original: (this: Self, ...args: Args) => Return;
  calls: SpyCall<Self, Args, Return>[];
  restored: boolean;
  /** Puts the method back. */
  restore(): void;
}

/** A spy on a method, restored at the end of a `using` block. */
export interface MethodSpy<Self = unknown, Args extends unknown[] = unknown[], Return = unknown>
  extends Spy<Self, Args, Return>, Disposable {}

/** A method's stand-in. */
export interface Stub<Self = unknown, Args extends unknown[] = unknown[], Return = unknown>
  extends MethodSpy<Self, Args, Return> {
  fake: (this: Self, ...args: Args) => Return;
}

/** What a call is expected to be; what is left out is not looked at. */
export interface ExpectedSpyCall<
  Self = unknown,
  Args extends unknown[] = unknown[],
  Return = unknown,
> {
  args?: [...Args, ...unknown[]];
  self?: Self;
  returned?: Return;
  error?: {
    // deno-lint-ignore no-explicit-any -- error classes of any shape, as in the original
    Class?: new (...args: any[]) => Error;
    msgIncludes?: string;
  };
}

type MethodArgs<Self, Name extends keyof Self> = Self[Name] extends (...args: infer Args) => unknown
  ? Args
  : never;
type MethodReturn<Self, Name extends keyof Self> = Self[Name] extends // deno-lint-ignore no-explicit-any -- only the result matters here
(...args: any[]) => infer Return ? Return
  : never;

/** A function that remembers its calls: one that does nothing, the given one, or an object's method in place. */
export function spy<Self = unknown, Args extends unknown[] = unknown[]>(): Spy<Self, Args, void>;
export function spy<Self, Args extends unknown[], Return>(
  func: (this: Self, ...args: Args) => Return,
): Spy<Self, Args, Return>;
export function spy<Self extends object, Name extends keyof Self>(
  self: Self,
  property: Name,
): MethodSpy<Self, MethodArgs<Self, Name>, MethodReturn<Self, Name>>;
export function spy(target?: unknown, property?: PropertyKey): unknown {
  if (typeof target === "object" && target !== null && property !== undefined) {
    return replaced(target, property, undefined);
  }
  return recording(typeof target === "function" ? target : () => undefined, () => {
    throw new MockError("Cannot restore: the spy is no method");
  });
}

/** Replaces an object's method by another function, or by one that does nothing, until restored. */
export function stub<Self extends object, Name extends keyof Self>(
  self: Self,
  property: Name,
  func?: (this: Self, ...args: MethodArgs<Self, Name>) => MethodReturn<Self, Name>,
): Stub<Self, MethodArgs<Self, Name>, MethodReturn<Self, Name>> {
  const fake = func ?? (() => undefined);
  return replaced(self, property, fake) as Stub<
    Self,
    MethodArgs<Self, Name>,
    MethodReturn<Self, Name>
  >;
}

/** A function that returns the values one after another, throws those that are errors, and throws when none is left. */
export function returnsNext<Return, Self = unknown, Args extends unknown[] = unknown[]>(
  values: Iterable<Return | Error>,
): (this: Self, ...args: Args) => Return {
  const remaining = values[Symbol.iterator]();
  let calls = 0;
  return () => {
    const next = remaining.next();
    if (next.done) {
      throw new MockError(`Not expected to be called more than ${calls} time(s)`);
    }
    calls++;
    if (next.value instanceof Error) throw next.value;
    return next.value;
  };
}

/** The spy was called so many times. */
export function assertSpyCalls<Self, Args extends unknown[], Return>(
  spy: Spy<Self, Args, Return>,
  expectedCalls: number,
): void {
  if (spy.calls.length !== expectedCalls) {
    throw new AssertionError(
      `Expected spy to be called ${expectedCalls} times, but it was called ${spy.calls.length} times`,
    );
  }
}

/** The spy's call of that number, from 0, was as expected. */
export function assertSpyCall<Self, Args extends unknown[], Return>(
  spy: Spy<Self, Args, Return>,
  callIndex: number,
  expected?: ExpectedSpyCall<Self, Args, Return>,
): void {
  const call = spy.calls[callIndex];
  if (call === undefined) {
    throw new AssertionError(
      `Expected spy to be called at least ${
        callIndex + 1
      } times, but it was called ${spy.calls.length} times`,
    );
  }
  if (expected === undefined) return;
  if (expected.args !== undefined) {
    assertEquals<unknown>(call.args, expected.args, `arguments of call ${callIndex}`);
  }
  if ("self" in expected && !equal(call.self, expected.self)) {
    throw new AssertionError(`Expected spy to be called with another "this" in call ${callIndex}`);
  }
  if ("returned" in expected) {
    if (call.error !== undefined) {
      throw new AssertionError(
        `Expected spy call ${callIndex} to return, but it threw: ${call.error.message}`,
      );
    }
    assertEquals<unknown>(call.returned, expected.returned, `result of call ${callIndex}`);
  }
  if (expected.error !== undefined) assertCallError(call.error, callIndex, expected.error);
}

/** The arguments of the spy's call of that number, from 0, were as expected. */
export function assertSpyCallArgs<Self, Args extends unknown[], Return>(
  spy: Spy<Self, Args, Return>,
  callIndex: number,
  expected: [...Args, ...unknown[]],
): void {
  assertSpyCall(spy, callIndex, { args: expected });
}

/** As {@linkcode assertSpyCall} for a call that returned a promise: looks at what it came to. */
export async function assertSpyCallAsync<Self, Args extends unknown[], Return>(
  spy: Spy<Self, Args, Promise<Return>>,
  callIndex: number,
  expected?: ExpectedSpyCall<Self, Args, Return>,
): Promise<void> {
  const { returned, error, ...rest } = expected ?? {};
  assertSpyCall(spy, callIndex, rest);
  const result = spy.calls[callIndex]?.returned;
  if (expected !== undefined && "returned" in expected) {
    assertEquals<unknown>(await result, returned, `result of call ${callIndex}`);
  }
  if (error !== undefined) {
    await assertRejects(() => Promise.resolve(result), error.Class ?? Error, error.msgIncludes);
  }
}

function assertCallError(
  error: Error | undefined,
  callIndex: number,
  expected: NonNullable<ExpectedSpyCall["error"]>,
): void {
  if (error === undefined) {
    throw new AssertionError(`Expected spy call ${callIndex} to throw, but it returned`);
  }
  const { name } = error;
  if (expected.Class !== undefined && !(error instanceof expected.Class)) {
    throw new AssertionError(
      `Expected spy call ${callIndex} to throw ${expected.Class.name}, but it threw ${name}`,
    );
  }
  if (expected.msgIncludes !== undefined && !error.message.includes(expected.msgIncludes)) {
    throw new AssertionError(
      `Expected spy call ${callIndex} to throw "${expected.msgIncludes}", but it threw "${error.message}"`,
    );
  }
}

/** A function that calls `run`, with what it remembers and how to restore it. */
function recording(run: Callable, restore: () => void): Callable & Recording {
  const calls: SpyCall[] = [];
  const recorder = function (this: unknown, ...args: unknown[]): unknown {
    const call: SpyCall = { args };
    if (this !== undefined) call.self = this;
    calls.push(call);
    try {
      call.returned = run.apply(this, args);
    } catch (error) {
      call.error = error instanceof Error ? error : new Error(String(error));
      throw error;
    }
    return call.returned;
  };
  return Object.assign(recorder, { original: run, calls, restored: false, restore });
}

// deno-lint-ignore ban-types -- any function at all can be spied on
type Callable = Function;
interface Recording {
  original: Callable;
  calls: SpyCall[];
  restored: boolean;
  restore: () => void;
}

function replaced(target: object, property: PropertyKey, fake: Callable | undefined): unknown {
  const original: unknown = Reflect.get(target, property);
  if (typeof original !== "function") {
    throw new MockError(`Cannot spy: property "${String(property)}" is not an instance method`);
  }
  if ("calls" in original && "restored" in original) {
    throw new MockError(`Cannot spy: already spying on instance method "${String(property)}"`);
  }
  const descriptor = Object.getOwnPropertyDescriptor(target, property);
  if (descriptor !== undefined && !descriptor.configurable) {
    throw new MockError(`Cannot spy: property "${String(property)}" can't be replaced`);
  }
  const recorder = recording(fake ?? original, () => {
    if (recorder.restored) throw new MockError("Cannot restore: the method is already restored");
    if (descriptor !== undefined) Object.defineProperty(target, property, descriptor);
    else Reflect.deleteProperty(target, property);
    recorder.restored = true;
  });
  Object.assign(recorder, { original }, fake ? { fake } : {});
  Object.defineProperty(recorder, Symbol.dispose, {
    value: () => {
      if (!recorder.restored) recorder.restore();
    },
  });
  Object.defineProperty(target, property, {
    configurable: true,
    enumerable: descriptor?.enumerable ?? false,
    writable: true,
    value: recorder,
  });
  return recorder;
}
