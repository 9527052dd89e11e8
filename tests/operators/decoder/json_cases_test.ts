/**
 * JSON texts case by case: what the decoder must accept by itself, what it must leave to `JSON.parse`, and that what it
 * decides is what `JSON.parse` says.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ColumnDecoder } from "../../../operators/decoder/column_decoder.ts";
import type { DecodedBatch } from "../../../operators/decoder/decoded_batch.ts";
import { fields } from "../../../operators/fields.ts";
import { batchOf } from "./batch_of.ts";
import { differenceOf, outcomeOf } from "./outcome.ts";

const Row = fields({
  id: "string",
  n: "number?",
  b: "boolean?",
  s: "string|null?",
  place: { city: "string", zip: "number|null" },
});
const PLACE = '"place":{"city":"Bern","zip":3000}';

const encoder = new TextEncoder();
const STATUS = ["undecided", "nothing", "accepted"];

function decodeAll(
  paths: readonly string[],
  records: readonly (string | Uint8Array)[],
): DecodedBatch<unknown> {
  const decoder = ColumnDecoder.of<unknown>(paths, Row);
  assert(decoder !== undefined);
  const decoded = decoder.decode(batchOf(records));
  for (const [row, record] of records.entries()) {
    const bytes = typeof record === "string" ? encoder.encode(record) : record;
    const difference = differenceOf(decoded, row, outcomeOf(paths, Row, bytes));
    assertEquals(difference, undefined, `${record}: ${difference}`);
  }
  return decoded;
}

function statusesOf(decoded: DecodedBatch<unknown>): (string | undefined)[] {
  return Array.from({ length: decoded.length }, (_, row) => STATUS[decoded.statusAt(row)]);
}

/** As the value of a member that is wanted, and of one that is not. */
function bothWays(name: string, value: string): string[] {
  return [
    `{"id":"a","${name}":${value},${PLACE}}`,
    `{"id":"a","x":${value},${PLACE}}`,
    `{"id":"a","x":[${value}],"y":{"z":${value}},${PLACE}}`,
  ];
}

const NUMBERS_EXACT =
  `0 -0 1 -1 12345678 123456789 1234567890123 123456789012345 999999999999999 9007199254740991
  9007199254740992 -9007199254740992 0.5 -0.25 0.1 123.456 1e0 1E5 1e+5 1e-5 -1.5e-3 1e22 1e-22 4.35
  0.000001 0.00000000123 12345678.12345678 00000 0e0 -0e-5 0.0 100000000 1000000000000000 8.5e10
  9007199254740993 12345678901234567 123456789012345678 1234567890123456789 0.12345678901234567 1e23
  0.30000000000000004 1e-23 0.00000000000000000000000001 90071992547409931e-1 1e48 1e-48`
    .split(/\s+/).filter((text) => text !== "00000");
const NUMBERS_BEYOND =
  `12345678901234567890 12345678901234567890123 0.123456789012345678901 1e400 -1e400
  1e-400 2.2250738585072011e-308 5e-324 1.7976931348623157e308 1e99999 1e49 1e-49`.split(/\s+/);
const NO_NUMBERS =
  `01 -01 00 - + +1 .5 1. 1.e5 1e 1e+ 1E- 0x1 1_0 NaN Infinity -Infinity 1a 1.2.3 1e5.5 --1 1-1`
    .split(/\s+/);

describe("ColumnDecoder with numbers", () => {
  it("reads those within its bounds to the last bit", () => {
    for (const text of NUMBERS_EXACT) {
      const decoded = decodeAll(["$"], bothWays("n", text));
      assertEquals(statusesOf(decoded), ["accepted", "accepted", "accepted"], text);
    }
  });

  it("leaves others undecided where they are wanted, and goes past them elsewhere", () => {
    for (const text of NUMBERS_BEYOND) {
      const decoded = decodeAll(["$"], bothWays("n", text));
      assertEquals(statusesOf(decoded), ["undecided", "accepted", "accepted"], text);
    }
  });

  it("accepts none that JSON does not have", () => {
    for (const text of NO_NUMBERS) {
      const decoded = decodeAll(["$"], bothWays("n", text));
      assertEquals(statusesOf(decoded), ["undecided", "undecided", "undecided"], text);
    }
  });

  it("reads integers and fractions of every length up to its bound", () => {
    for (let digits = 1; digits <= 20; digits++) {
      const all = "12345678901234567890".slice(0, digits);
      for (let point = 1; point < digits; point++) {
        decodeAll(["$"], bothWays("n", `${all.slice(0, point)}.${all.slice(point)}`));
        decodeAll(["$"], bothWays("n", `-0.${"0".repeat(point)}${all}e${point}`));
      }
      const [status] = statusesOf(decodeAll(["$"], bothWays("n", all)));
      assertEquals(status, digits <= 19 ? "accepted" : "undecided", all);
    }
  });
});

describe("ColumnDecoder with strings", () => {
  const ACCEPTED = [
    "",
    "a",
    '\\"',
    "\\\\",
    "\\/",
    "\\b\\f\\n\\r\\t",
    "\\u0041",
    "\\u00e9",
    "\\u20AC",
    "\\ud83d\\ude00",
    "\\uD83D\\uDE00",
    "\\u0000",
    "\\uffff",
    "é€😀",
    "\u2028\u2029\u007f",
    "\ufeff",
    "\ufeffa",
    "\u0800\uffff\u{10000}\u{10ffff}",
  ];
  const LONE = ["\\ud83d", "\\ude00", "\\ud83dx", "\\ud83d\\u0041", "\\ud83d\\n", "\\ude00\\ud83d"];
  const NO_STRINGS = [
    "\\",
    "\\x",
    "\\u",
    "\\u12",
    "\\u123g",
    "\\u 123",
    "\\U0041",
    "\\'",
    "\\0",
    "\n",
    "\t",
    "\u0000",
    "\u001f",
    "\\\n",
    "\\ud83d\\ude0",
  ];

  it("unescapes and copies", () => {
    for (const text of ACCEPTED) {
      const decoded = decodeAll(["$"], bothWays("s", `"${text}"`));
      assertEquals(statusesOf(decoded), ["accepted", "accepted", "accepted"], text);
    }
  });

  it("leaves halves of surrogate pairs undecided where they are wanted", () => {
    for (const text of LONE) {
      const decoded = decodeAll(["$"], bothWays("s", `"${text}"`));
      assertEquals(statusesOf(decoded), ["undecided", "accepted", "accepted"], text);
    }
  });

  it("accepts none that JSON does not have", () => {
    for (const text of NO_STRINGS) {
      const decoded = decodeAll(["$"], bothWays("s", `"${text}"`));
      assertEquals(statusesOf(decoded), ["undecided", "undecided", "undecided"], text);
    }
  });

  it("does all that at every place around 16-byte borders", () => {
    for (let before = 0; before <= 49; before++) {
      for (const text of [...ACCEPTED, ...LONE, ...NO_STRINGS]) {
        const padded = `"${"x".repeat(before)}${text}${"y".repeat(before % 19)}"`;
        const decoded = decodeAll(["$"], bothWays("s", padded));
        assertEquals(
          statusesOf(decoded),
          ACCEPTED.includes(text)
            ? ["accepted", "accepted", "accepted"]
            : LONE.includes(text)
            ? ["undecided", "accepted", "accepted"]
            : ["undecided", "undecided", "undecided"],
          padded,
        );
      }
    }
  });

  it("accepts UTF-8 and nothing else, at every place around 16-byte borders", () => {
    const good = ["c2 80", "df bf", "e0 a0 80", "ed 9f bf", "ee 80 80", "ef bb bf", "ef bf bf"]
      .concat("f0 90 80 80", "f4 8f bf bf");
    const bad = ["80", "bf", "c0 80", "c1 bf", "c2", "c2 41", "e0 9f bf", "e1 80", "ed a0 80"]
      .concat("ed bf bf", "f0 8f bf bf", "f4 90 80 80", "f5 80 80 80", "f1 80 80", "ff", "fe");
    for (const hex of [...good, ...bad]) {
      const character = Uint8Array.from(hex.split(" "), (byte) => parseInt(byte, 16));
      for (let before = 0; before <= 33; before++) {
        for (const name of ["s", "x"]) {
          const record = new Uint8Array([
            ...encoder.encode(`{"id":"a",${PLACE},"${name}":"${"x".repeat(before)}`),
            ...character,
            ...encoder.encode('"}'),
          ]);
          const expected = good.includes(hex) ? "accepted" : "undecided";
          assertEquals(statusesOf(decodeAll(["$"], [record])), [expected], `${before} ${hex}`);
        }
      }
    }
  });
});

describe("ColumnDecoder with names", () => {
  it("finds a name among those that begin like it", () => {
    const names = ["a", "ab", "abc", "0123456789abcd", "0123456789abcde", "0123456789abcdef"]
      .concat("0123456789abcdefg", "0123456789abcdef0123456789abcdef", "é", "éa", "");
    for (const wanted of names) {
      const schema = fields({ [wanted]: "number" });
      const decoder = ColumnDecoder.of<unknown>(["$"], schema);
      for (const name of names) {
        const record = `{${JSON.stringify(name)}:1}`;
        const decoded = decoder?.decode(batchOf([record]));
        const status = name === wanted ? "accepted" : "undecided";
        assertEquals(STATUS[decoded?.statusAt(0) ?? 0], status, `${wanted}: ${record}`);
      }
    }
  });

  it("leaves names twice and names with escapes undecided where they could be wanted", () => {
    const decoded = decodeAll(["$"], [
      `{"id":"a","id":"b",${PLACE}}`,
      `{"\\u0069d":"a",${PLACE}}`,
      `{"id":"a","\\u0069d":"b",${PLACE}}`,
      `{"id":"a",${PLACE},${PLACE}}`,
      `{"id":"a","x":1,"x":2,"y":{"\\n":1,"id":1,"id":2},${PLACE}}`,
    ]);
    const undecided = ["undecided", "undecided", "undecided", "undecided"];
    assertEquals(statusesOf(decoded), [...undecided, "accepted"]);
  });

  it("has names that every object inherits as its own only", () => {
    const schema = fields({ constructor: "string?", ["__proto__"]: "number" });
    const decoded = ColumnDecoder.of<unknown>(["$"], schema)?.decode(
      batchOf(['{"__proto__":1}', "{}"]),
    );
    assertEquals(Object.entries(decoded?.rowAt(0) ?? {}), [
      ["constructor", undefined],
      ["__proto__", 1],
    ]);
    assertEquals(decoded?.statusAt(1), 0);
  });
});

describe("ColumnDecoder with structure", () => {
  const GOOD = [
    `{"id":"a",${PLACE}}`,
    ` \t\r\n{ "id" : "a" ,\n${PLACE.replaceAll(/([:,{}])/g, " $1 ")}\r} \t`,
    `{${PLACE},"b":true,"id":""}`,
    `{"b":false,"n":1,"s":null,"id":"a",${PLACE}}`,
    `{"id":"a","x":[],"y":{},"z":[[],{},[{}]],"t":[true,false,null,0,"s"],${PLACE}}`,
    `{"id":"a","x": [ ] ,"y" : { } ,"z":[ [ ] , { } ],${PLACE}}`,
    `{"id":"a","place":{"x":{"city":1},"zip":null,"city":"B"}}`,
    `{"id":"a","x":${"[".repeat(64)}1${"]".repeat(64)},${PLACE}}`,
  ];
  const UNDECIDED = [
    "",
    " ",
    "null",
    "[]",
    "{}",
    `[{"id":"a",${PLACE}}]`,
    `{"id":"a",${PLACE}}x`,
    `{"id":"a",${PLACE}}}`,
    `{"id":"a",${PLACE}}\0`,
    `\ufeff{"id":"a",${PLACE}}`,
    `{"id":"a",${PLACE},}`,
    `{,"id":"a",${PLACE}}`,
    `{"id":"a",,${PLACE}}`,
    `{"id":"a" ${PLACE}}`,
    `{"id" "a",${PLACE}}`,
    `{"id":"a":"b",${PLACE}}`,
    `{id:"a",${PLACE}}`,
    `{'id':"a",${PLACE}}`,
    `{"id":'a',${PLACE}}`,
    `{"id":"a",${PLACE},"x"}`,
    `{"id":"a",${PLACE},"x":}`,
    `{"id":"a",${PLACE},"x":[1,]}`,
    `{"id":"a",${PLACE},"x":[,1]}`,
    `{"id":"a",${PLACE},"x":[1 2]}`,
    `{"id":"a",${PLACE},"x":[1}}`,
    `{"id":"a",${PLACE},"x":{"y":1]}`,
    `{"id":"a",${PLACE},"x":{"y"}}`,
    `{"id":"a",${PLACE},"x":{1:1}}`,
    `{"id":"a",${PLACE},"x":{"y":1,}}`,
    `{"id":"a",${PLACE},"x":tru}`,
    `{"id":"a",${PLACE},"x":truee}`,
    `{"id":"a",${PLACE},"x":TRUE}`,
    `{"id":"a",${PLACE},"x":fals }`,
    `{"id":"a",${PLACE},"x":nul1}`,
    `{"id":"a",${PLACE},"x":undefined}`,
    `{"id":"a",${PLACE},/**/"x":1}`,
    `{"id":"a",${PLACE}\v}`,
    `{"id":"a",${PLACE}\u00a0}`,
    `{"id":null,${PLACE}}`,
    `{"id":1,${PLACE}}`,
    `{"id":["a"],${PLACE}}`,
    `{"id":"a","place":null}`,
    `{"id":"a","place":[]}`,
    `{"id":"a","place":"x"}`,
    `{"id":"a","place":{"city":"B"}}`,
    `{"id":"a","b":1,${PLACE}}`,
    `{"id":"a","b":null,${PLACE}}`,
    `{"id":"a","b":"true",${PLACE}}`,
    `{"id":"a","n":"1",${PLACE}}`,
    `{"id":"a","n":null,${PLACE}}`,
    `{"id":"a","s":1,${PLACE}}`,
    `{"id":"a","s":nulll,${PLACE}}`,
    `{"id":"a","x":${"[".repeat(65)}1${"]".repeat(65)},${PLACE}}`,
  ];

  it("accepts what it should", () => {
    assertEquals(statusesOf(decodeAll(["$"], GOOD)), GOOD.map(() => "accepted"));
  });

  it("leaves what it should undecided", () => {
    assertEquals(statusesOf(decodeAll(["$"], UNDECIDED)), UNDECIDED.map(() => "undecided"));
  });

  it("accepts no part of a record", () => {
    for (const text of GOOD) {
      const bytes = encoder.encode(text);
      const parts = Array.from(bytes, (_, end) => bytes.subarray(0, end));
      decodeAll(["$"], [...parts, bytes]);
      decodeAll(["$"], Array.from(bytes, (_, start) => bytes.subarray(start)));
    }
  });
});
