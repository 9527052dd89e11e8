/**
 * Records that are decoded like those before them: what each comes to must not depend on its neighbours, whether or not
 * they are alike.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ColumnDecoder } from "../../../operators/decoder/column_decoder.ts";
import { type DecodedBatch, RowStatus } from "../../../operators/decoder/decoded_batch.ts";
import { fields } from "../../../operators/fields.ts";
import { batchOf } from "./batch_of.ts";
import { isSame } from "./outcome.ts";

const Row = fields({
  id: "string?",
  at: "number?",
  paid: "boolean?",
  note: "string|null?",
  inner: { city: "string?" },
});
const { FALLBACK, NOTHING, ACCEPTED } = RowStatus;

/** Decodes records together, and compares each with what becomes of it alone. */
function decodeAlike(
  paths: readonly string[],
  records: readonly (string | Uint8Array)[],
): DecodedBatch<unknown> {
  const decoder = ColumnDecoder.of<unknown>(paths, Row);
  assert(decoder !== undefined);
  const decoded = decoder.decode(batchOf(records));
  for (const [row, record] of records.entries()) {
    const alone = decoder.decode(batchOf([record]));
    assertEquals(decoded.statusAt(row), alone.statusAt(0), `status of ${record}`);
    if (alone.statusAt(0) !== ACCEPTED) continue;
    assert(isSame(decoded.rowAt(row), alone.rowAt(0)), `row of ${record}`);
  }
  return decoded;
}

function statuses(decoded: DecodedBatch<unknown>): number[] {
  return Array.from({ length: decoded.length }, (_, row) => decoded.statusAt(row));
}

/** What is learned first, and records that are nearly like it. */
const MODEL =
  '{"x":"plain","id":"a1","at":12,"list":[1,{"y":[]}],"paid":true,"note":null,"none":null,"n":7,' +
  '"a name of more than sixteen bytes":"é","inner":{"city":"Bern"}}';
const ALIKE = [
  ["x", '"plain"', '""', '"a longer one, beyond sixteen bytes"', '"\\"\\u00e9\\\\"', '"é€😀"'],
  ["id", '"a1"', '""', '"sixteen bytes 16"', '"seventeen bytes17"', '"\\ud83d\\ude00"', '"ü"'],
  ["at", "12", "0", "-0", "1.5e3", "12345678", "123456789012345", "9007199254740991", "-1"],
  ["paid", "true", "false"],
  ["note", "null", '"n"', '"\\n"'],
  ["none", "null", "true", "false"],
  ["n", "7", "1e400", "123456789012345678901234567890", "-0.5E-7"],
  ["list", '[1,{"y":[]}]', "[]", '[[["]"]]]'],
  ["a name of more than sixteen bytes", '"é"', '"plain"'],
  ["city", '"Bern"', '"a"'],
].flatMap(([name, value, ...others]) =>
  others.map((other) => MODEL.replace(`"${name}":${value}`, `"${name}":${other}`))
);
const UNLIKE = [
  ["true", "tru", "truee", "null", "True"],
  ["12", "01", "1.", "-", "1e", "12x", "", "123456789012345678901", '"12"'],
  ['"plain"', '"plain', "plain", '"\\x"', '"\n"', '"\\ud83"', '"'],
  ['"a1"', '"\\ud800"', '"a1', "5", "null", "{}"],
  ['"y":[]', '"y":[', '"y":[}', '"y"'],
  ["[1,", "[1", "[1,,", "{1,"],
  ['"n":', '"n" :', '"n"', '"id":', '"m":'],
  [',"paid":true', "", ',"paid":true,"paid":true', ' ,"paid":true', ";paid"],
  ["Bern", "Bern\\", 'Be"rn', "B\0"],
  ['"city":"Bern"', "", '"town":"Bern"'],
  ["}}", "}", "}}}", "}} ", "} }", "}}x", "]}", ""],
  ["{", "", "[", " {", "\ufeff{"],
  [MODEL, "", "{}", "[]", "null", "5", '"x"', MODEL + MODEL, '{"inner":{}}'],
].flatMap(([part = "", ...others]) => others.map((other) => MODEL.replace(part, other)));

describe("a batch of records that are alike", () => {
  it("decodes them with other values in the same places", () => {
    const decoded = decodeAlike(["$"], [MODEL, ...ALIKE, MODEL, ...ALIKE]);
    assertEquals(new Set(statuses(decoded)), new Set([ACCEPTED]));
  });

  it("does not take for alike what is not", () => {
    for (const other of UNLIKE) decodeAlike(["$"], [MODEL, other, MODEL, other]);
    decodeAlike(["$"], [MODEL, ...UNLIKE, MODEL, ...ALIKE, ...UNLIKE]);
  });

  it("does the same behind a path, and in a text in a string", () => {
    const all = [MODEL, ...ALIKE, ...UNLIKE, MODEL];
    decodeAlike(["$.a[1].b"], all.map((text) => `{"c":"d","a":[0,{"b":${text}}],"e":"f"}`));
    const outer = (text: string) => `{"id":"a","detail":${JSON.stringify(text)},"e":5}`;
    decodeAlike(["$.detail", "$"], all.map(outer));
    decodeAlike(["$.detail", "$.a"], all.map((text) => outer(`{"b":[${text}],"a":${text}}`)));
    const accepted = decodeAlike(["$.detail", "$"], [MODEL, ...ALIKE].map(outer));
    assertEquals(new Set(statuses(accepted)), new Set([ACCEPTED]));
    decodeAlike(["$.detail", "$.detail", "$"], all.map((text) => outer(outer(text))));
  });

  it("does the same for a text that is escaped otherwise", () => {
    const escaped = [
      (text: string) => text.replaceAll('\\"', "\\u0022"),
      (text: string) => text.replace('\\"at', "\\u0022at"),
      (text: string) => text.replaceAll("/", "\\/"),
      (text: string) => text.replaceAll("é", "\\u00e9"),
      (text: string) => text.replaceAll(",", ",\\n\\t"),
      (text: string) => text.replace("Bern", "B\\u0065rn"),
    ];
    const plain = [MODEL, ...ALIKE].map((text) => JSON.stringify(text));
    for (const escape of escaped) {
      const texts = plain.flatMap((text) => [text, escape(text)]);
      decodeAlike(["$.d", "$"], texts.map((text) => `{"d":${text}}`));
      decodeAlike(["$.d", "$"], plain.map((text) => `{"d":${escape(text)}}`));
    }
  });

  it("looks into an object where there was an array, and the other way round", () => {
    const event = '{"inner":{},"at":5}';
    assertEquals(
      statuses(decodeAlike(["$.a.b"], ['{"a":[]}', '{"a":{}}', `{"a":{"b":${event}}}`])),
      [NOTHING, NOTHING, ACCEPTED],
    );
    assertEquals(
      statuses(decodeAlike(["$.a[0]"], ['{"a":{}}', '{"a":[]}', `{"a":[${event}]}`])),
      [NOTHING, NOTHING, ACCEPTED],
    );
    const texts = ['{"a":[]}', '{"a":[1]}', `{"a":{"b":${event}}}`].map((text) =>
      `{"d":${JSON.stringify(text)}}`
    );
    assertEquals(statuses(decodeAlike(["$.d", "$.a.b"], texts)), [NOTHING, NOTHING, ACCEPTED]);
  });

  it("does not complete a record that is cut off with the one behind it", () => {
    const record = '{"id":"abc","at":12,"inner":{"city":"Bern"},"list":[1,2]}';
    for (let cut = 0; cut < record.length; cut++) {
      const [head, tail] = [record.slice(0, cut), record.slice(cut)];
      const decoded = decodeAlike(["$"], [record, head, tail, record, head, tail]);
      assertEquals(decoded.statusAt(1), FALLBACK, head);
      assertEquals(decoded.statusAt(3), ACCEPTED);
    }
  });

  it("keeps to the room for a record's strings where it is cut off, or empty", () => {
    const decoder = ColumnDecoder.of<unknown>(["$"], Row);
    for (const city of ["x".repeat(1 << 20), `é${"x".repeat(1 << 20)}`]) {
      const arena = new TextEncoder().encode(`{"inner":{"city":"${city}"}}`);
      // The others begin where the first one does.
      const others = [40, 0, 20, 40];
      const decoded = decoder?.decode({
        arena,
        starts: [0, 0, 0, 0, 0],
        ends: [arena.length, ...others],
      });
      assert(decoded !== undefined);
      assertEquals(statuses(decoded), [ACCEPTED, ...others.map(() => FALLBACK)]);
      const absent = { id: undefined, at: undefined, paid: undefined, note: undefined };
      assertEquals(decoded.rowAt(0), { ...absent, inner: { city } });
    }
  });

  it("decodes more kinds of records than it learns, and kinds that never come again", () => {
    const kinds = Array.from({ length: 40 }, (_, kind) => `"k${kind}":"${kind}","inner":{}`);
    const few = Array.from({ length: 400 }, (_, row) => `{"at":${row},${kinds[row % 12]}}`);
    const many = Array.from({ length: 400 }, (_, row) => `{"at":${row},${kinds[row % 40]}}`);
    const single = Array.from({ length: 400 }, (_, row) => `{"k${row}":1,"at":${row},"inner":{}}`);
    for (const records of [few, many, single, [...single, ...few]]) {
      const decoded = decodeAlike(["$"], records);
      assertEquals(new Set(statuses(decoded)), new Set([ACCEPTED]));
    }
  });

  it("does not put a record that is not learned in the place of one that is", () => {
    const learned = Array.from({ length: 8 }, (_, kind) => `{"k${kind}":[],"inner":{}}`);
    const others = ['{"id":"x","inner":{}}', '{"k7":[]","inner":{}}', "{}"];
    // What fits allows for more to be learned.
    const decoded = decodeAlike(["$"], [...learned, ...learned, ...others]);
    assertEquals(statuses(decoded), [...Array<number>(17).fill(ACCEPTED), FALLBACK, FALLBACK]);
  });

  it("learns records with more values, and more bytes between them, than there is room for", () => {
    const list = `[${Array.from({ length: 500 }, (_, index) => `{"v${index}":${index}}`)}]`;
    const wide = `{${Array.from({ length: 300 }, (_, index) => `"v${index}":1,`).join("")}`;
    const long = `{"${"n".repeat(20_000)}":5,`;
    const ends = ['"at":5,"inner":{}}', '"at":6,"inner":{"city":"é"}}', '"inner":{}'];
    const records = [`{"l":${list},`, wide, long].flatMap((start) =>
      ends.map((end) => start + end)
    );
    decodeAlike(["$"], [...records, ...records]);
    const texts = [...records, ...records].map((text) => `{"d":${JSON.stringify(text)}}`);
    decodeAlike(["$.d", "$"], texts);
  });

  it("makes strings of all rows, long ones and those at the borders of chunks", () => {
    const lengths = [0, 1, 15, 16, 17, 400, 1000, 1023, 1024, 1025, 3000];
    const records = Array.from({ length: 200 }, (_, row) => {
      const [id, city] = [lengths[row % 11] ?? 0, lengths[(row * 7) % 11] ?? 0];
      return `{"id":"${"a".repeat(id)}","n":${row},"inner":{"city":"${"é".repeat(city)}"}}`;
    });
    const decoded = decodeAlike(["$"], records);
    for (const [row, record] of records.entries()) {
      const { id, inner } = JSON.parse(record);
      const expected = { id, at: undefined, paid: undefined, note: undefined, inner };
      assertEquals(decoded.rowAt(row), expected);
    }
  });
});
