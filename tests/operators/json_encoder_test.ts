import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { assertSpyCalls, spy } from "@std/testing/mock";
import { type EncodedJson, JsonEncoder, NoJsonError } from "../../operators/json_encoder.ts";

/** Texts of rows, "" for faults. */
function rowsOf({ bytes, ends }: EncodedJson): string[] {
  return Array.from(
    ends,
    (end, row) => new TextDecoder().decode(bytes.subarray(row > 0 ? ends[row - 1] : 0, end)),
  );
}

const encodedRows = (encoder: JsonEncoder, values: readonly unknown[]) =>
  rowsOf(encoder.encode(values, values.length));

const jsonOf = (values: readonly unknown[], ending = "") =>
  values.map((value) => JSON.stringify(value) + ending);

/** Rows of all sorts. */
const SORTS: readonly unknown[] = [
  { a: 1, b: "x" },
  { a: 2, b: "é" },
  [1, { a: 1 }],
  "text\n",
  { b: "other", a: 1 },
  -0,
  null,
  true,
  new Date(0),
  { a: 3, b: null },
  { a: 4, b: "y", c: { d: [1] } },
  {},
  { toJSON: () => "€" },
  { a: 5, b: "z" },
];

describe("JsonEncoder", () => {
  it("encode() gives what JSON.stringify gives, before and after it has code", () => {
    for (const generateAfterRows of [0, 3, Infinity]) {
      const encoder = new JsonEncoder({ ending: "\n", generateAfterRows });
      for (let batch = 0; batch < 6; batch++) {
        assertEquals(encodedRows(encoder, SORTS), jsonOf(SORTS, "\n"));
      }
    }
  });

  it("encode() encodes as many values as it is told", () => {
    const { bytes, ends } = new JsonEncoder().encode([1, 2, 3], 2);
    assertEquals([new TextDecoder().decode(bytes), [...ends]], ["12", [1, 2]]);
    const none = new JsonEncoder().encode([1], 0);
    assertEquals([none.bytes.length, none.ends.length, none.faults], [0, 0, []]);
  });

  it("encode() tells rows without JSON and encodes the others", () => {
    const cycle: Record<string, unknown> = { a: 1 };
    cycle.self = cycle;
    const thrown = new RangeError("no value");
    const throwing = {
      a: 1,
      get b() {
        throw thrown;
      },
    };
    const values = [{ a: 1, b: "x" }, undefined, () => 1, Symbol(), cycle, { a: 1n }, throwing, {
      toJSON: () => undefined,
    }, { a: 2, b: "y" }];
    const encoder = new JsonEncoder({ generateAfterRows: 0, ending: "\n" });
    encoder.encode([{ a: 1, b: "x" }, { a: 1n, b: "" }], 1);
    const encoded = encoder.encode(values, values.length);
    assertEquals(rowsOf(encoded).map((text) => text !== ""), [
      true,
      ...Array.from({ length: 7 }, () => false),
      true,
    ]);
    assertEquals(encoded.faults.map(({ row }) => row), [1, 2, 3, 4, 5, 6, 7]);
    const errors = encoded.faults.map(({ error }) => error);
    for (const index of [0, 1, 2, 6]) assertInstanceOf(errors[index], NoJsonError);
    assertInstanceOf(errors[0], TypeError);
    assertEquals(errors[0].message, "Cannot encode a value of type undefined: it has no JSON");
    for (const index of [3, 4]) assert(!(errors[index] instanceof NoJsonError));
    assertEquals(errors[5], thrown);
  });

  it("encode() leaves earlier results alone", () => {
    const encoder = new JsonEncoder({ generateAfterRows: 0 });
    const batches = [100, 100, 1, 3000, 2000, 2, 2000].map((length, batch) =>
      Array.from({ length }, (_, row) => ({ batch, row, text: "x".repeat(row % 50) }))
    );
    const encoded = batches.map((batch) => encoder.encode(batch, batch.length));
    for (const [index, batch] of batches.entries()) {
      const result = encoded[index];
      assert(result !== undefined);
      assertEquals(rowsOf(result), jsonOf(batch));
    }
  });

  it("encode() calls JSON.stringify no more for rows of shapes that it knows", () => {
    const encoder = new JsonEncoder({ generateAfterRows: 0 });
    const rows = Array.from(
      { length: 100 },
      (_, row) => row % 3 === 0 ? { kind: "a", at: row } : { kind: "b", note: `n${row}` },
    );
    encoder.encode(rows, rows.length);
    {
      using stringify = spy(JSON, "stringify");
      encoder.encode(rows, rows.length);
      assertSpyCalls(stringify, 0);
    }
    assertEquals(encodedRows(encoder, rows), jsonOf(rows));
  });

  it("encode() sees a toJSON that Object.prototype has for a while", () => {
    const encoder = new JsonEncoder({ generateAfterRows: 0 });
    const rows = [{ a: 1 }, { a: 2 }];
    encoder.encode(rows, 2);
    Object.defineProperty(Object.prototype, "toJSON", { value: () => "seen", configurable: true });
    try {
      assertEquals(encodedRows(encoder, rows), ['"seen"', '"seen"']);
    } finally {
      Reflect.deleteProperty(Object.prototype, "toJSON");
    }
    assertEquals(encodedRows(encoder, rows), jsonOf(rows));
  });

  it("encode() writes what JSON.rawJSON made as it is", () => {
    const raw: unknown = Reflect.apply(Reflect.get(JSON, "rawJSON"), JSON, ["1.00"]);
    const encoder = new JsonEncoder({ generateAfterRows: 0 });
    const rows = [{ rawJSON: "1.00" }, raw, { a: raw }, { rawJSON: "2" }];
    encoder.encode(rows, rows.length);
    assertEquals(encodedRows(encoder, rows), [
      '{"rawJSON":"1.00"}',
      "1.00",
      '{"a":1.00}',
      '{"rawJSON":"2"}',
    ]);
  });

  it("encode() throws when a row's toJSON calls it, which is that row's fault alone", () => {
    const encoder = new JsonEncoder();
    const values = [1, { toJSON: () => encoder.encode([2], 1).bytes.length }, 3];
    const encoded = encoder.encode(values, 3);
    assertEquals(rowsOf(encoded), ["1", "", "3"]);
    const [fault] = encoded.faults;
    assertInstanceOf(fault?.error, TypeError);
    assert(fault.error.message.includes("use an encoder of your own"));
    assertEquals(encodedRows(encoder, [4]), ["4"]);
  });

  it("encode() throws for lengths that are none", () => {
    assertThrows(() => new JsonEncoder().encode([], -1), RangeError);
  });

  it("encode() gives the same where code may not be generated", async () => {
    const url = new URL("../../operators/json_encoder.ts", import.meta.url);
    const code = `import { JsonEncoder } from ${JSON.stringify(url.href)};
      const encoder = new JsonEncoder({ generateAfterRows: 0, ending: "\\n" });
      const rows = [{ a: 1 }, { a: "é" }];
      encoder.encode(rows, 2);
      Deno.stdout.writeSync(encoder.encode(rows, 2).bytes);`;
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-lock", "--v8-flags=--disallow-code-generation-from-strings", code],
      stderr: "inherit",
    }).output();
    assertEquals(new TextDecoder().decode(stdout), '{"a":1}\n{"a":"é"}\n');
  });
});
