/**
 * Faults in JSON texts: found exactly where there is one, by comparison with `JSON.parse`.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { jsonFault } from "../../operators/json_text.ts";
import { fc } from "../deps.ts";

/** A text, and the fault as `position: expected, found`. */
const FAULTS: readonly (readonly [text: string, fault: string])[] = [
  ["", "0: a value, the end"],
  ["  ", "2: a value, the end"],
  ["hello", '0: a value, "h"'],
  ["\ufeff{}", "0: a value, U+FEFF"],
  ["\u00a01", "0: a value, U+00A0"],
  ["{} x", '3: the end, "x"'],
  ["1 2", '2: the end, "2"'],
  ["{", '1: a name in double quotes or "}", the end'],
  ["{a:1}", '1: a name in double quotes or "}", "a"'],
  ['{"a" 1}', '5: ":", "1"'],
  ['{"a":}', '5: a value, "}"'],
  ['{"a":1 "b"}', '7: "," or "}", """'],
  ['{"a":1,}', '7: a name in double quotes, "}"'],
  ['{"a":1]', '6: "," or "}", "]"'],
  ["[1,]", '3: a value, "]"'],
  ["[1", '2: "," or "]", the end'],
  ["[1 2]", '3: "," or "]", "2"'],
  ["[,1]", '1: a value or "]", ","'],
  ["]", '0: a value, "]"'],
  ["tru", '3: "true", the end'],
  ["nul\u{1F600}", '3: "null", U+1F600'],
  ["False", '0: a value, "F"'],
  ["NaN", '0: a value, "N"'],
  ["01", '1: the end, "1"'],
  ["-", "1: a digit, the end"],
  ["+1", '0: a value, "+"'],
  [".5", '0: a value, "."'],
  ["1.", "2: a digit, the end"],
  ["1e+", "3: a digit, the end"],
  ['"abc', '4: the closing ", the end'],
  ['"a\nb"', "2: an escape for a control character, U+000A"],
  ['"\\x"', '2: one of " \\ / b f n r t u after a backslash, "x"'],
  ['"\\', '2: one of " \\ / b f n r t u after a backslash, the end'],
  ['"\\u12g4"', '5: a hexadecimal digit, "g"'],
  ["'a'", `0: a value, "'"`],
];

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe("jsonFault()", () => {
  for (const [text, expected] of FAULTS) {
    it(`finds it in ${JSON.stringify(text)}`, () => {
      assertEquals(isJson(text), false);
      const fault = jsonFault(text);
      assertEquals(fault && `${fault.position}: ${fault.expected}, ${fault.found}`, expected);
    });
  }

  it("finds none in JSON", () => {
    for (
      const text of [
        " null\n",
        "-0.5E+10",
        '"\\u00e4\\"\\/\u2028\ud83d"',
        '{"":{"a":[[],{},[1,true,false]]}}\t\r',
        `${"[".repeat(100_000)}${"]".repeat(100_000)}`,
      ]
    ) {
      assertEquals(isJson(text), true);
      assertEquals(jsonFault(text), undefined);
    }
  });

  it("agrees with JSON.parse on JSON with one character changed", () => {
    const character = fc.constantFrom(...'{}[]:,"\\/0189.-+eEutrfalsn \n\u0001', "");
    fc.assert(
      fc.property(fc.json(), fc.nat(), character, fc.boolean(), (json, at, character, isInsert) => {
        const offset = at % (json.length + 1);
        const text = json.slice(0, offset) + character + json.slice(offset + (isInsert ? 0 : 1));
        assertEquals(jsonFault(text) === undefined, isJson(text), text);
      }),
      { numRuns: 1000, seed: 8259 },
    );
  });

  it("names the first position that no JSON text could have", () => {
    const tokens = fc.constantFrom("{", "}", "[", "]", ":", ",", '"a"', '"', "1", "-", "true", " ");
    fc.assert(
      fc.property(fc.array(tokens, { maxLength: 8 }), (parts) => {
        const text = parts.join("");
        const position = jsonFault(text)?.position ?? text.length;
        // What comes before can be completed: the same prefix alone fails at its end, or not at
        // all.
        assertEquals(jsonFault(text.slice(0, position))?.position ?? position, position, text);
      }),
      { numRuns: 1000, seed: 8259 },
    );
  });
});
