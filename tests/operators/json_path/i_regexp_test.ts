/**
 * I-Regexp: what matches, and what is refused although JavaScript would take it.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { iRegexp } from "../../../operators/json_path/i_regexp.ts";

/** A pattern, a subject that it matches as a whole, one that it does not. */
const MATCHES: readonly (readonly [pattern: string, matched: string, unmatched: string])[] = [
  ["", "", "a"],
  ["abc", "abc", "abcd"],
  ["a|bc|", "bc", "abc"],
  ["(ab)*c?", "ababc", "aab"],
  ["a+", "aaa", ""],
  ["a{2}", "aa", "a"],
  ["a{2,}", "aaa", "a"],
  ["a{1,2}", "aa", "aaa"],
  ["a.c", "a\u{1F600}c", "a\nc"],
  ["a.c", "a\u2028c", "a\rc"],
  ["[.]", ".", "a"],
  ["[a-c]", "b", "-"],
  ["[-a]", "-", "b"],
  ["[a-]", "-", "b"],
  ["[^a-c]", "d", "b"],
  ["[a^]", "^", "b"],
  ["[\\]\\-\\\\]", "-", "["],
  ["[\\t-\\r]", "\n", " "],
  ["\\(\\)\\*\\+\\-\\.\\?\\[\\\\\\]\\^\\{\\|\\}", "()*+-.?[\\]^{|}", ""],
  ["\\n\\r\\t", "\n\r\t", "nrt"],
  ["\\p{Lu}\\p{L}", "Aa", "aA"],
  ["\\P{Nd}", "a", "1"],
  ["[\\p{Nd}_]+", "1_2", "a"],
  ["[^\\p{L}]", "1", "a"],
  ["[\u{1F600}-\u{1F602}]", "\u{1F601}", "\u{1F603}"],
  ["(a(b(c)))", "abc", "ab"],
  ["a,b-c/d", "a,b-c/d", ""],
  ["^a$", "a", "^a$"],
];

const REFUSED = [
  "(",
  ")",
  "(a",
  "a)",
  "[",
  "[]",
  "[^]",
  "[a",
  "[a-b-c]",
  "[z-a]",
  "[\\p{L}-z]",
  "[a-\\p{L}]",
  "[[:alpha:]]",
  "[a-z-[aeiou]]",
  "*",
  "a**",
  "a*?",
  "a++",
  "a{",
  "a{,2}",
  "a{2,1}",
  "{2}",
  "}",
  "]",
  "^*",
  "(?:a)",
  "(?=a)",
  "(?<name>a)",
  "\\",
  "\\d",
  "\\w",
  "\\s",
  "\\b",
  "\\1",
  "\\u0041",
  "\\x41",
  "\\/",
  "\\p{Greek}",
  "\\p{Cs}",
  "\\p{L",
  "\\pL",
  "\ud83d",
];

describe("iRegexp()", () => {
  for (const [pattern, matched, unmatched] of MATCHES) {
    it(`matches by ${JSON.stringify(pattern)}`, () => {
      const whole = iRegexp(pattern, "whole");
      assertEquals([whole.test(matched), whole.test(unmatched)], [true, false]);
    });
  }

  for (const pattern of REFUSED) {
    it(`refuses ${JSON.stringify(pattern)}`, () => {
      assertThrows(() => iRegexp(pattern, "whole"), SyntaxError);
    });
  }

  it("takes a whole or a part", () => {
    assertEquals(iRegexp("a|b", "whole").test("ab"), false);
    assertEquals(iRegexp("a|b", "part").test("xbx"), true);
    assertEquals(iRegexp("^b", "part").test("ab"), false);
  });

  it("says where the pattern goes wrong", () => {
    assertThrows(
      () => iRegexp("ab\\d", "part"),
      SyntaxError,
      'expected an escape of I-Regexp (RFC 9485: no \\d, \\s or \\w) at offset 2 of the pattern, found "\\\\d"',
    );
  });
});
