/**
 * Tokens of JSON paths. The mistakes in them are in `parser_test.ts`, with the paths around them.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { PathCursor } from "../../../operators/json_path/cursor.ts";

describe("PathCursor", () => {
  it("goes past a token that is there, and stays where it is otherwise", () => {
    const cursor = new PathCursor("..ab-12 ");
    assertEquals(cursor.accept("["), false);
    assertEquals(cursor.number(), undefined);
    assertEquals(cursor.quoted(), undefined);
    assertEquals(cursor.offset, 0);
    assertEquals([cursor.accept(".."), cursor.shorthandName(), cursor.integer()], [
      true,
      "ab",
      -12,
    ]);
    cursor.skipBlanks();
    assertEquals([cursor.next, cursor.offset], ["", 8]);
  });

  it("reads names of any letters but not of digits, signs or half characters first", () => {
    for (const name of ["_", "a1", "ä\u{1F600}", "\u0080"]) {
      assertEquals(new PathCursor(`${name}-`).shorthandName(), name);
    }
    for (const other of ["1a", "-", "", "\ud83d", "\x7f"]) {
      assertEquals(new PathCursor(other).shorthandName(), undefined);
    }
  });

  it("reads numbers as JSON does", () => {
    const numbers = ["0", "-0", "1.50", "-12e+2", "1E-2"].map((text) =>
      new PathCursor(text).number()
    );
    assertEquals(numbers, [0, -0, 1.5, -1200, 0.01]);
  });

  it("fail() names the whole character that is there", () => {
    const cursor = new PathCursor("$\u{1F600}");
    cursor.expect("$");
    assertThrows(
      () => cursor.expect("["),
      SyntaxError,
      'Cannot compile JSON path "$\u{1F600}": expected "[" at offset 1, found "\u{1F600}"',
    );
  });
});
