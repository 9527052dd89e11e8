/**
 * Text from outside in messages: bounded, on one line, well-formed.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { excerpt } from "../../operators/excerpt.ts";

describe("excerpt()", () => {
  it("keeps what fits and cuts what does not", () => {
    assertEquals(excerpt("abc", 3), "abc");
    assertEquals(excerpt("abcd", 3), "abc…");
    assertEquals(excerpt("", 3), "");
  });

  it("makes one line", () => {
    assertEquals(excerpt("a\r\nb\tc\u2028d\u0000\u009be", 20), "a b c d e");
  });

  it("leaves no half character", () => {
    assertEquals(excerpt("a\u{1F600}b", 2), "a\ufffd…");
    assertEquals(excerpt("\ude00", 2), "\ufffd");
  });
});
