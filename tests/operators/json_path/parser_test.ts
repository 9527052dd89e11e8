/**
 * Mistakes in paths: each is found when the path is compiled, at its offset, and says what should
 * stand there.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  JSON_PATH_NESTING_MAX,
  JSON_PATH_SEGMENTS_MAX,
  parseJsonPath,
} from "../../../operators/json_path/parser.ts";

/** A path, and what its error says after the path. */
const MISTAKES: readonly (readonly [path: string, message: string])[] = [
  ["", 'expected "$" at offset 0, found its end'],
  ["a.b", 'expected "$" at offset 0, found "a"'],
  ["@.a", 'expected "$" at offset 0, found "@"'],
  ["$ ", 'expected a segment (. .. or [) or the end at offset 1, found " "'],
  [" $", 'expected "$" at offset 0, found " "'],
  ["$a", 'expected a segment (. .. or [) or the end at offset 1, found "a"'],
  ["$.", 'expected a name or "*" at offset 2, found its end'],
  ["$. a", 'expected a name or "*" at offset 2, found " "'],
  ["$.a.1", 'expected a name or "*" at offset 4, found "1"'],
  ["$..", 'expected a name, "*" or "[" at offset 3, found its end'],
  ["$...a", 'expected a name, "*" or "[" at offset 3, found "."'],
  ["$[", "expected a selector"],
  ["$[a]", "expected a selector"],
  ["$[0", 'expected "," or "]" at offset 3, found its end'],
  ["$[0 1]", 'expected "," or "]" at offset 4, found "1"'],
  ["$[01]", 'expected an integer without leading zeros or -0 at offset 2, found "0"'],
  ["$[-0]", 'expected an integer without leading zeros or -0 at offset 2, found "-"'],
  ["$[9007199254740992]", "expected an integer within ±(2^53 - 1) at offset 2"],
  ["$['a]", "expected the closing ' at offset 5, found its end"],
  ["$['\n']", 'expected an escape such as \\n or \\u000a at offset 3, found "\\n"'],
  ["$['\\x']", 'expected one of b f n r t / \\ u or \' after the backslash at offset 4, found "x"'],
  ["$['\\\"']", "expected one of b f n r t / \\ u or ' after the backslash at offset 4"],
  ["$['\\u00g0']", "expected four hexadecimal digits at offset 5"],
  ["$['\\ud83d']", "expected a character or a pair of surrogates, high before low at offset 3"],
  ["$['\\ude00\\ud83d']", "expected a character or a pair of surrogates"],
  ["$['\ud83d']", "expected a character, not half of one at offset 3"],
  ["$[?]", 'expected a query, a function, a literal or "(" at offset 3, found "]"'],
  ["$[?@.a = 1]", 'expected "," or "]" at offset 7, found "="'],
  ["$[?@.a == ]", 'expected a query, a function or a literal at offset 10, found "]"'],
  ["$[?@.a == True]", 'expected a query, a function or a literal at offset 10, found "T"'],
  ["$[?(@.a]", 'expected "&&", "||" or ")" at offset 7, found "]"'],
  ["$[?true]", "expected a comparison, as a literal is no test by itself, at offset 3"],
  ["$[?!@.a == 1]", 'expected no comparison after "!" without parentheses at offset 8'],
  [
    "$[?@.* == 1]",
    "expected a query that selects one node at most, by names and indexes, at offset 3",
  ],
  [
    "$[?1 == @..a]",
    "expected a query that selects one node at most, by names and indexes, at offset 8",
  ],
  ["$[?@['a','b'] == 1]", "expected a query that selects one node at most"],
  // Table 13 of the RFC: well-formed but not well-typed.
  [
    "$[?length(@.*) < 3]",
    "expected a query that selects one node at most, by names and indexes, at offset 10",
  ],
  ["$[?count(1) == 1]", 'expected a query at offset 9, found "1"'],
  [
    "$[?match(@.timezone, 'Europe/.*') == true]",
    "expected a value, not true or false of a test, at offset 3",
  ],
  [
    "$[?value(@..color)]",
    "expected a comparison, as what a function gives is no test by itself, at offset 3",
  ],
  [
    "$[?length(match(@.a, 'b')) == 1]",
    "expected a value, not true or false of a test, at offset 10",
  ],
  ["$[?count(count(@.a)) == 1]", 'expected a query at offset 9, found "c"'],
  [
    "$[?length() == 1]",
    "expected a literal, a query or a function that gives a value at offset 10",
  ],
  [
    "$[?length(@.a, @.b) == 1]",
    'expected ")" after the function\'s last argument at offset 13, found ","',
  ],
  ["$[?match(@.a)]", 'expected "," at offset 12, found ")"'],
  ["$[?foo(@.*)]", "expected the function length, count, match, search or value at offset 3"],
  [
    "$[?match(@.a, '\\\\d+')]",
    "expected an I-Regexp (expected an escape of I-Regexp (RFC 9485: no \\d",
  ],
  [
    "$[?search(@.a, '(')]",
    'expected an I-Regexp (expected ")" at offset 1 of the pattern, found its end) at offset 15',
  ],
];

describe("parseJsonPath()", () => {
  for (const [path, message] of MISTAKES) {
    it(`refuses ${JSON.stringify(path)}`, () => {
      const error = assertThrows(() => parseJsonPath(path), SyntaxError, message);
      const start = `Cannot compile JSON path ${JSON.stringify(path)}: expected `;
      assertEquals(error.message.slice(0, start.length), start);
    });
  }

  it("accepts what Table 13 of the RFC calls well-typed", () => {
    for (
      const path of [
        "$[?length(@) < 3]",
        "$[?count(@.*) == 1]",
        "$[?match(@.timezone, 'Europe/.*')]",
        '$[?value(@..color) == "red"]',
      ]
    ) parseJsonPath(path);
  });

  it("binds && closer than ||, and ! closest", () => {
    const [filter] = parseJsonPath("$[?!@.a && @.b || @.c]").segments[0]?.selectors ?? [];
    const kinds = filter?.kind === "filter" && filter.test.kind === "or"
      ? filter.test.tests.map((test) =>
        test.kind === "and" ? test.tests.map(({ kind }) => kind) : test.kind
      )
      : filter;
    assertEquals(kinds, [["not", "exists"], "exists"]);
  });

  it("reads escapes and numbers as JSON does", () => {
    const [segment] = parseJsonPath("$[\"\\u0041\\ud83d\\ude00\\/\\\"\", '\\'\\n']").segments;
    assertEquals(segment?.selectors, [
      { kind: "name", name: 'A\u{1F600}/"' },
      { kind: "name", name: "'\n" },
    ]);
  });

  it("accepts blanks where the grammar has them", () => {
    const dense = parseJsonPath("$.a['b',1:2:3,?(@.c==1)&&!@.d||count(@.*)>0]");
    const wide = parseJsonPath(
      "$\n.a\t[ 'b' , 1 : 2 : 3 , ? ( @.c == 1 ) && ! @.d || count( @.* ) > 0 ]",
    );
    assertEquals(wide, dense);
  });

  it("bounds segments, those of filters included", () => {
    parseJsonPath("$" + ".a".repeat(JSON_PATH_SEGMENTS_MAX));
    parseJsonPath(`$[?@${".a".repeat(JSON_PATH_SEGMENTS_MAX - 1)}]`);
    for (
      const path of [
        "$" + ".a".repeat(JSON_PATH_SEGMENTS_MAX + 1),
        `$[?@${".a".repeat(JSON_PATH_SEGMENTS_MAX)}]`,
      ]
    ) {
      assertThrows(
        () => parseJsonPath(path),
        SyntaxError,
        `at most ${JSON_PATH_SEGMENTS_MAX} segments`,
      );
    }
  });

  it("bounds nesting, and counts only what is open", () => {
    const nested = (depth: number) => `$[?${"(".repeat(depth)}@.a${")".repeat(depth)}]`;
    parseJsonPath(nested(JSON_PATH_NESTING_MAX - 1));
    assertThrows(
      () => parseJsonPath(nested(JSON_PATH_NESTING_MAX)),
      SyntaxError,
      `at most ${JSON_PATH_NESTING_MAX} filters`,
    );
    parseJsonPath(`$[?${"(@.a)&&".repeat(3 * JSON_PATH_NESTING_MAX)}@.a]`);
    assertThrows(() => parseJsonPath("$" + "[?@".repeat(1000)), SyntaxError, "at most");
    assertThrows(() => parseJsonPath("$[?" + "length(".repeat(1000)), SyntaxError, "at most");
  });
});
