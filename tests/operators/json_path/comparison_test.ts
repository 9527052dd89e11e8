/**
 * Comparisons beyond the RFC's table, which `json_path_test.ts` goes through.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { comparison, isJsonObject } from "../../../operators/json_path/comparison.ts";

describe("comparison()", () => {
  const equal = comparison("==");

  it("compares in depth, whatever the order of members", () => {
    assertEquals(equal({ a: [1, { b: null }], c: {} }, { c: {}, a: [1, { b: null }] }), true);
    assertEquals(equal({ a: [1, { b: null }] }, { a: [1, { b: 0 }] }), false);
    assertEquals(equal([1, 2], [2, 1]), false);
    assertEquals(equal([1], [1, 1]), false);
    assertEquals(equal([1, 1], [1]), false);
    assertEquals(equal({ a: 1 }, { a: 1, b: 1 }), false);
    assertEquals(equal({ a: 1, b: 1 }, { a: 1 }), false);
    assertEquals(equal({ a: 1 }, { b: 1 }), false);
  });

  it("tells kinds of values apart", () => {
    const values = [undefined, null, 0, "", false, [], {}];
    for (const [row, left] of values.entries()) {
      for (const [column, right] of values.entries()) {
        assertEquals(equal(left, right), row === column, `${row} and ${column}`);
      }
    }
  });

  it("takes no inherited property for a member", () => {
    assertEquals(equal({ constructor: 1 }, { a: 1 }), false);
    assertEquals(equal(JSON.parse('{"toString": 1}'), JSON.parse('{"valueOf": 1}')), false);
  });

  it("orders strings by code points and prefixes first", () => {
    const less = comparison("<");
    assertEquals(less("\uffff", "\u{10000}"), true);
    assertEquals(less("\u{10000}", "\uffff"), false);
    assertEquals(less("a", "ab"), true);
    assertEquals(less("a", "a"), false);
    assertEquals(less("", "a"), true);
    assertEquals(comparison(">=")("\u{10000}", "\uffff"), true);
  });
});

describe("isJsonObject()", () => {
  it("is true for objects alone", () => {
    assertEquals([{}, [], null, "a", 1, undefined].map(isJsonObject), [
      true,
      false,
      false,
      false,
      false,
      false,
    ]);
  });
});
