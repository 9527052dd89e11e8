import {
  assert,
  assertAlmostEquals,
  assertArrayIncludes,
  assertEquals,
  assertExists,
  assertFalse,
  assertGreater,
  assertGreaterOrEqual,
  assertInstanceOf,
  AssertionError,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertNotEquals,
  assertObjectMatch,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
  equal,
  fail,
  unreachable,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";

/** Each assertion with a call that holds and one that must not. */
const cases: Record<string, { holds: () => void; fails: () => void }> = {
  assert: { holds: () => assert(1), fails: () => assert(0) },
  assertFalse: { holds: () => assertFalse(""), fails: () => assertFalse("a") },
  assertEquals: {
    holds: () =>
      assertEquals({ a: [new Map([[1, new Set([NaN])]])] }, {
        a: [new Map([[1, new Set([NaN])]])],
      }),
    fails: () => assertEquals({ a: [{ b: 1 }] }, { a: [{ b: 2 }] }),
  },
  "assertEquals of a missing property": {
    holds: () => assertEquals<object>({ a: undefined }, { a: undefined }),
    fails: () => assertEquals<object>({ a: undefined }, {}),
  },
  "assertEquals of types": {
    holds: () => assertEquals<unknown>(1n, 1n),
    fails: () => assertEquals<unknown>(1, "1"),
  },
  "assertEquals of bytes": {
    holds: () => assertEquals(new Uint8Array([1, 2]), new Uint8Array([1, 2])),
    fails: () => assertEquals(new Uint8Array([1, 2]), new Uint8Array([1, 3])),
  },
  "assertEquals of lengths": {
    holds: () => assertEquals([1, 2], [1, 2]),
    fails: () => assertEquals([1, 2, 3], [1, 2]),
  },
  assertNotEquals: {
    holds: () => assertNotEquals({ a: 1 }, { a: 2 }),
    fails: () => assertNotEquals({ a: 1 }, { a: 1 }),
  },
  assertStrictEquals: {
    holds: () => assertStrictEquals("a", "a"),
    fails: () => assertStrictEquals({}, {}),
  },
  assertAlmostEquals: {
    holds: () => assertAlmostEquals(0.1 + 0.2, 0.3),
    fails: () => assertAlmostEquals(1, 1.1, 0.05),
  },
  assertExists: { holds: () => assertExists(0), fails: () => assertExists(null) },
  assertInstanceOf: {
    holds: () => assertInstanceOf(new RangeError(), Error),
    fails: () => assertInstanceOf(new Error(), RangeError),
  },
  assertGreater: { holds: () => assertGreater(2, 1), fails: () => assertGreater(1, 1) },
  assertGreaterOrEqual: {
    holds: () => assertGreaterOrEqual(1, 1),
    fails: () => assertGreaterOrEqual(0, 1),
  },
  assertLess: { holds: () => assertLess(1, 2), fails: () => assertLess(1, 1) },
  assertLessOrEqual: { holds: () => assertLessOrEqual(1, 1), fails: () => assertLessOrEqual(2, 1) },
  assertMatch: { holds: () => assertMatch("abc", /^a/), fails: () => assertMatch("abc", /^b/) },
  assertStringIncludes: {
    holds: () => assertStringIncludes("abc", "bc"),
    fails: () => assertStringIncludes("abc", "cb"),
  },
  assertArrayIncludes: {
    holds: () => assertArrayIncludes([{ a: 1 }, { a: 2 }], [{ a: 2 }]),
    fails: () => assertArrayIncludes([{ a: 1 }], [{ a: 2 }]),
  },
  assertObjectMatch: {
    holds: () => assertObjectMatch({ a: 1, b: { c: [{ d: 1, e: 2 }] } }, { b: { c: [{ d: 1 }] } }),
    fails: () => assertObjectMatch({ a: 1, b: { c: 2 } }, { b: { c: 3 } }),
  },
  "assertObjectMatch of a missing property": {
    holds: () => assertObjectMatch({ a: 1 }, { a: 1 }),
    fails: () => assertObjectMatch({ a: 1 }, { b: undefined }),
  },
  assertThrows: {
    holds: () => {
      const raise = () => {
        throw new RangeError("too large");
      };
      assertEquals(assertThrows(raise, RangeError, "large").message, "too large");
    },
    fails: () => assertThrows(() => 1),
  },
  "assertThrows of a class": {
    holds: () => assertThrows(() => unreachable("here"), AssertionError, "here"),
    fails: () => assertThrows(() => fail("here"), RangeError),
  },
  "assertThrows of a message": {
    holds: () => assertThrows(() => fail("here"), AssertionError, "here"),
    fails: () => assertThrows(() => fail("here"), AssertionError, "there"),
  },
};

describe("assertions", () => {
  for (const [name, { holds, fails }] of Object.entries(cases)) {
    it(`${name}() holds and fails where it should`, () => {
      holds();
      let error: unknown;
      try {
        fails();
      } catch (thrown) {
        error = thrown;
      }
      if (!(error instanceof AssertionError)) throw new Error(`${name} did not fail: ${error}`);
    });
  }

  it("assertEquals() shows what differs and the message", () => {
    const error = assertThrows(
      () => assertEquals({ amount: 1, name: "a" }, { amount: 2, name: "a" }, "the note"),
      AssertionError,
      "the note",
    );
    assertMatch(error.message, /amount: 1/);
    assertMatch(error.message, /amount: 2/);
  });

  it("assertRejects() resolves to the error and fails where it should", async () => {
    const error = await assertRejects(() => Promise.reject(new TypeError("no")), TypeError, "no");
    assertEquals(error.message, "no");
    await assertRejects(() => assertRejects(() => Promise.resolve(1)), AssertionError);
    await assertRejects(
      () => assertRejects(() => Promise.reject(new Error("no")), TypeError),
      AssertionError,
    );
    await assertRejects(
      () => assertRejects(() => Promise.reject(new Error("no")), Error, "yes"),
      AssertionError,
    );
    await assertRejects(
      () =>
        assertRejects(() => {
          throw new Error("at once");
        }),
      AssertionError,
    );
  });

  it("equal() compares in depth", () => {
    assert(equal({ a: [1, { b: 2n }] }, { a: [1, { b: 2n }] }));
    assertFalse(equal({ a: [1, { b: 2n }] }, { a: [1, { b: 3n }] }));
  });
});
