/**
 * Batches through paths and JSON texts in JSON texts: what is selected, what the columns hold, whose memory they are,
 * and what hostile records can't do.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { RawBatch } from "../../../connectors/raw_record.ts";
import { ColumnDecoder } from "../../../operators/decoder/column_decoder.ts";
import { type DecodedBatch, RowStatus } from "../../../operators/decoder/decoded_batch.ts";
import { DECODER_MEMORY_BYTES_MAX } from "../../../operators/decoder/program_run.ts";
import { fields } from "../../../operators/fields.ts";
import type { StandardSchema } from "../../../operators/standard_schema.ts";
import { batchOf } from "./batch_of.ts";
import { differenceOf, outcomeOf } from "./outcome.ts";

const Event = fields({ id: "string", at: "number" });
const encoder = new TextEncoder();

function decoderOf<T>(paths: readonly string[], schema: StandardSchema<T>): ColumnDecoder<T> {
  const decoder = ColumnDecoder.of(paths, schema);
  assert(decoder !== undefined, `No program for ${paths}`);
  return decoder;
}

/** Decodes, compares each row with its outcome, and gives the statuses. */
function statusesOf(
  paths: readonly string[],
  records: readonly (string | Uint8Array)[],
  schema: StandardSchema<unknown> = Event,
): number[] {
  const decoded = decoderOf(paths, schema).decode(batchOf(records));
  return records.map((record, row) => {
    const bytes = typeof record === "string" ? encoder.encode(record) : record;
    const difference = differenceOf(decoded, row, outcomeOf(paths, schema, bytes));
    assertEquals(difference, undefined, `row ${row}: ${difference}`);
    return decoded.statusAt(row);
  });
}

function rowsOf(decoded: DecodedBatch<unknown>): unknown[] {
  return Array.from({ length: decoded.length }, (_, row) => decoded.rowAt(row));
}

const { FALLBACK, NOTHING, ACCEPTED } = RowStatus;
const event = '{"id":"a","at":5}';

describe("ColumnDecoder with paths", () => {
  it("follows names and indexes", () => {
    assertEquals(
      statusesOf(["$.a[1].b"], [
        `{"a":[0,{"b":${event}}]}`,
        `{"a":[0,{"b":${event}},{"b":1}]}`,
        `{"a":[{"b":${event}}]}`,
        '{"a":[]}',
        '{"a":{}}',
        '{"a":[0,[]]}',
        '{"b":1}',
        "5",
        `{"a":[0,{"b":${event}}}`,
        `{"a":[0,{"b":${event}}],"a":[]}`,
        '{"a":[0,{"b":null}]}',
      ]),
      [ACCEPTED, ACCEPTED, ...Array(6).fill(NOTHING), FALLBACK, FALLBACK, FALLBACK],
    );
    assertEquals(statusesOf(["$[0][0]"], [`[[${event}]]`, "[[]]", `{"0":1}`]), [
      ACCEPTED,
      NOTHING,
      NOTHING,
    ]);
  });

  it("follows JSON texts in strings", () => {
    const inner = JSON.stringify({ event: { id: "é\n\ud83d\ude00", at: -1.5 } });
    assertEquals(
      statusesOf(["$.detail", "$.event"], [
        JSON.stringify({ detail: inner, more: "\\" }),
        JSON.stringify({ detail: inner }).replaceAll('\\"', "\\u0022"),
        JSON.stringify({ detail: ` ${inner}\n` }),
        JSON.stringify({ detail: "{}" }),
        JSON.stringify({ detail: "[1,2]" }),
        JSON.stringify({ detail: "5" }),
        JSON.stringify({}),
        JSON.stringify({ detail: `${inner}x` }),
        JSON.stringify({ detail: `${inner}\0` }),
        JSON.stringify({ detail: inner.slice(0, -1) }),
        JSON.stringify({ detail: "" }),
        JSON.stringify({ detail: 5 }),
        JSON.stringify({ detail: null }),
        `${JSON.stringify({ detail: inner })}x`,
        `{"detail":"{}","x":tru}`,
        `{"detail":"\\ud800"}`,
      ]),
      [
        ...Array(3).fill(ACCEPTED),
        ...Array(4).fill(NOTHING),
        ...Array(9).fill(FALLBACK),
      ],
    );
  });

  it("follows texts in texts in texts", () => {
    const paths = ["$", "$.a", "$.b[0]", "$"];
    const text = JSON.stringify(JSON.stringify({ a: JSON.stringify({ b: [event] }) }));
    assertEquals(statusesOf(paths, [text, JSON.stringify("{}"), JSON.stringify("{")]), [
      ACCEPTED,
      NOTHING,
      FALLBACK,
    ]);
  });

  it("has no program for what it can't do exactly", () => {
    for (const path of ["$.a[*]", "$..a", "$[-1]", "$[?@.a]", "$[0:1]", "$['a','b']", "$['\"']"]) {
      assertEquals(ColumnDecoder.of([path], Event), undefined, path);
    }
    assertEquals(ColumnDecoder.of(["$"], fields({ "\n": "string" })), undefined);
    assertEquals(ColumnDecoder.of(["$"], fields({ "\ud800": "string" })), undefined);
    assertEquals(ColumnDecoder.of(["$"], fields({ kind: "=\\" })), undefined);
    const names = Array.from({ length: 65 }, (_, index) => [`n${index}`, "number"] as const);
    assertEquals(ColumnDecoder.of(["$"], fields(Object.fromEntries(names))), undefined);
    assert(ColumnDecoder.of(["$"], fields(Object.fromEntries(names.slice(1)))) !== undefined);
    const { shape: _, ...copy } = fields({ id: "string" });
    assertEquals(ColumnDecoder.of(["$"], copy), undefined);
  });
});

describe("ColumnDecoder with fields", () => {
  it("tells null and missing apart", () => {
    const schema = fields({
      s: "string|null?",
      n: "number|null?",
      b: "boolean|null?",
      in: { s: "string?", n: "number|null", b: "boolean?" },
    });
    const records = [
      '{"s":"x","n":0,"b":false,"in":{"s":"","n":1,"b":true}}',
      '{"s":null,"n":null,"b":null,"in":{"n":null}}',
      '{"in":{"b":false,"n":-0}}',
    ];
    assertEquals(statusesOf(["$"], records, schema), [ACCEPTED, ACCEPTED, ACCEPTED]);
    const wrong = ['{"in":{}}', '{"in":{"n":1,"s":null}}', '{"s":0,"in":{"n":1}}', "{}"];
    assertEquals(statusesOf(["$"], wrong, schema), wrong.map(() => FALLBACK));
  });

  it("takes a literal and nothing like it", () => {
    const schema = fields({ kind: "=PAID", long: "=0123456789abcdefgh", empty: "=" });
    const text = '{"kind":"PAID","long":"0123456789abcdefgh","empty":""}';
    assertEquals(
      statusesOf(["$"], [
        text,
        text.replace("PAID", "PAI"),
        text.replace("PAID", "PAIDE"),
        text.replace("fgh", "fgx"),
        text.replace("fgh", "fg"),
        text.replace("PAID", "\\u0050AID"),
        text.replace('""', "null"),
      ], schema),
      [ACCEPTED, ...Array(6).fill(FALLBACK)],
    );
  });

  it("finds all of 64 members, and required ones that are missing", () => {
    const shape = Object.fromEntries(
      Array.from({ length: 64 }, (_, index) => [`name${index}`, "number"] as const),
    );
    const whole = Object.fromEntries(Object.keys(shape).map((name, index) => [name, index]));
    const { name63: _, ...rest } = whole;
    const reversed = Object.fromEntries(Object.entries(whole).reverse());
    assertEquals(
      statusesOf(["$"], [whole, rest, reversed].map((row) => JSON.stringify(row)), fields(shape)),
      [ACCEPTED, FALLBACK, ACCEPTED],
    );
  });

  it("accepts any object for no fields", () => {
    assertEquals(statusesOf(["$"], ["{}", '{"a":[1]}', "[]"], fields({})), [
      ACCEPTED,
      ACCEPTED,
      FALLBACK,
    ]);
  });
});

describe("ColumnDecoder with batches", () => {
  it("gives batches that own their memory", () => {
    const decoder = decoderOf(["$"], Event);
    const first = decoder.decode(batchOf(['{"id":"first","at":1}', '{"id":"é","at":2}']));
    decoder.decode(batchOf(Array(5000).fill('{"id":"XXXXXXXXXXXX","at":99}')));
    assertEquals(rowsOf(first), [{ id: "first", at: 1 }, { id: "é", at: 2 }]);
    assert(first.rowAt(0) !== first.rowAt(0));
  });

  it("cuts strings of all lengths and alphabets from chunks", () => {
    const schema = fields({ a: "string", b: "string" });
    const letters = ["x", "é", "€", "😀"];
    const rows = Array.from({ length: 2000 }, (_, row) => {
      const isPlain = row < 500 || row % 7 > 0;
      const a = (isPlain ? "x" : letters[row % 4] ?? "").repeat(row % 41);
      return { a, b: row % 300 === 0 ? "long ".repeat(row) : `b${row}` };
    });
    const records = rows.map((row) => JSON.stringify(row));
    // Every third record is no JSON: what was copied of it must not show.
    const broken = records.map((text, row) => row % 3 === 0 ? text.slice(0, -1) : text);
    const decoder = decoderOf(["$"], schema);
    const decoded = decoder.decode(batchOf(broken));
    for (const [row, expected] of rows.entries()) {
      assertEquals(decoded.statusAt(row), row % 3 === 0 ? FALLBACK : ACCEPTED);
      if (row % 3 > 0) assertEquals(decoded.rowAt(row), expected);
    }
    // In any order.
    for (let row = 1999; row > 0; row -= 7) {
      if (row % 3 > 0) assertEquals(decoded.rowAt(row), rows[row]);
    }
  });

  it("decodes long strings apart from short ones", () => {
    const schema = fields({ a: "string", b: "string" });
    const decoded = decoderOf(["$"], schema)
      .decode(batchOf([JSON.stringify({ a: "small", b: "x".repeat(1 << 20) })]));
    assertEquals(decoded.rowAt(0), { a: "small", b: "x".repeat(1 << 20) });
  });

  it("takes rows anywhere in an arena: gaps, overlaps, out of order, empty, beyond it", () => {
    const arena = encoder.encode(`##${event}##{"id":"b","at":6}##`);
    const second = 2 + event.length + 2;
    const decoded = decoderOf(["$"], Event).decode({
      arena,
      starts: [second, 2, 2, 2, 2, 5, -1, 2, 1e9, NaN],
      ends: [second + event.length, 2 + event.length, 2 + event.length - 1, 2, 1, 2, 5]
        .concat([1e9, 2e9, 5]),
    });
    const statuses = Array.from({ length: 10 }, (_, row) => decoded.statusAt(row));
    assertEquals(statuses, [ACCEPTED, ACCEPTED, ...Array(8).fill(FALLBACK)]);
    assertEquals([decoded.rowAt(0), decoded.rowAt(1)], [{ id: "b", at: 6 }, { id: "a", at: 5 }]);
    assertEquals(decoderOf(["$"], Event).decode(batchOf([])).length, 0);
  });

  it("decodes a batch once, however often it is asked for", () => {
    const columns = {
      ...batchOf([event]),
      shardId: "s",
      partitionKeys: ["p"],
      sequenceNumbers: ["1"],
      arrivals: [0],
      position: "1",
    };
    const batch = new RawBatch(columns);
    const decoder = decoderOf(["$"], Event);
    assert(decoder.decoded(batch) === decoder.decoded(batch));
    assert(decoder.decoded(batch) !== decoder.decoded(new RawBatch(columns)));
    assert(decoder.decoded(batch) !== decoderOf(["$"], Event).decoded(batch));
  });

  it("leaves a batch undecided that would need more memory than it may have", () => {
    // Many rows over the same bytes: their texts might all have to be copied.
    const arena = encoder.encode(`{"id":"a","at":5}${" ".repeat(1 << 20)}`);
    const rows = DECODER_MEMORY_BYTES_MAX / (1 << 20) + 1;
    const decoded = decoderOf(["$"], Event)
      .decode({ arena, starts: Array(rows).fill(0), ends: Array(rows).fill(arena.length) });
    assertEquals([decoded.length, decoded.statusAt(0), decoded.statusAt(rows - 1)], [rows, 0, 0]);
  });
});

describe("ColumnDecoder with hostile records", () => {
  const around = ['{"id":"before","at":1}', '{"id":"behind","at":2}'];

  /** Decoded between two good records, which must stay as they are. */
  function statusOf(paths: readonly string[], record: string | Uint8Array): number | undefined {
    const [before = "", behind = ""] = around;
    const wrapped = [before, behind].map((text) =>
      paths.reduceRight((inner, path) => path === "$" ? inner : JSON.stringify({ d: inner }), text)
    );
    const statuses = statusesOf(paths, [wrapped[0] ?? "", record, wrapped[1] ?? ""]);
    assertEquals([statuses[0], statuses[2]], [ACCEPTED, ACCEPTED]);
    return statuses[1];
  }

  it("stays within the record and its bounds", () => {
    const mebi = 1 << 20;
    const cases: readonly (readonly [record: string, status: number])[] = [
      [`{"id":"${"x".repeat(mebi)}","at":1}`, ACCEPTED],
      [`{"id":"${"é".repeat(mebi)}","at":1}`, ACCEPTED],
      [`{"id":"${"\\n".repeat(mebi)}","at":1}`, ACCEPTED],
      [`{"id":"${"\\u0000".repeat(mebi / 8)}","at":1}`, ACCEPTED],
      [`{"id":"a","at":1,"${"x".repeat(mebi)}":"${"\\\\".repeat(mebi)}"}`, ACCEPTED],
      [`{"id":"${"x".repeat(mebi)}`, FALLBACK],
      [`{"id":"a","at":1${"0".repeat(mebi)}}`, FALLBACK],
      [`{"id":"a","at":1,"x":1${"0".repeat(mebi)}}`, ACCEPTED],
      [`{"id":"a","at":0.${"0".repeat(mebi)}1}`, FALLBACK],
      [`{"id":"a","at":1e${"9".repeat(mebi)}}`, FALLBACK],
      [`${" ".repeat(mebi)}${event}`, ACCEPTED],
      ["[".repeat(10_000) + "]".repeat(10_000), FALLBACK],
      [`{"x":${'{"x":['.repeat(10_000)}`, FALLBACK],
      ['{"x":'.repeat(10_000), FALLBACK],
      ['{"id":'.repeat(10_000), FALLBACK],
      [`{${Array.from({ length: 100_000 }, (_, key) => `"k${key}":${key}`)}}`, FALLBACK],
      [
        `{${Array.from({ length: 100_000 }, (_, key) => `"k${key}":${key}`)},"id":"a","at":1}`,
        ACCEPTED,
      ],
      ["\0".repeat(1000), FALLBACK],
      [`${event}${"\0".repeat(1000)}`, FALLBACK],
      ['{"id":"\\ud800","at":1}', FALLBACK],
      ['"'.repeat(1001), FALLBACK],
      ["\\".repeat(1001), FALLBACK],
      ['{"id":"a","at":1,"', FALLBACK],
      ['{"id":"a","at":1,"x":"\\', FALLBACK],
      ['{"id":"a","at":1,"x":"\\u', FALLBACK],
      ['{"id":"a","at":1,"x":tru', FALLBACK],
      ['{"id":"a","at":1,"x":-', FALLBACK],
    ];
    for (const [record, status] of cases) {
      assertEquals(statusOf(["$"], record), status, record.slice(0, 40));
      const inner = JSON.stringify({ d: record });
      assertEquals(statusOf(["$.d", "$"], inner), status, inner.slice(0, 40));
    }
  });

  it("never reads on into the next record", () => {
    const next = 'ame":"x","id":"next","at":9}}"]\\n0123456789null,true';
    const cuts = [event, '{"id":"a","at":5,"x":{"n":[1,"\\n\\u00e9é",null,true,-1.5e3]}}'];
    for (const text of cuts) {
      const bytes = encoder.encode(text);
      for (let end = 0; end < bytes.length; end++) {
        const arena = new Uint8Array([...bytes.subarray(0, end), ...encoder.encode(next)]);
        const decoded = decoderOf(["$"], Event).decode({ arena, starts: [0], ends: [end] });
        assertEquals(decoded.statusAt(0), FALLBACK, text.slice(0, end));
        // What goes on as if nothing had been cut.
        const whole = decoderOf(["$"], Event).decode({ arena: bytes, starts: [0], ends: [end] });
        assertEquals(whole.statusAt(0), FALLBACK, text.slice(0, end));
      }
    }
  });
});
