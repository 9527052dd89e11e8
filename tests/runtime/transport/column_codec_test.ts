/**
 * The codec as a whole: what arrives is what structured clone would have made of the values, whichever way they took.
 *
 * @module
 */

import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  BUILDERS_MAX,
  type ColumnCodecOptions,
  ColumnDecoder,
  ColumnEncoder,
  decodeValues,
  type EncodedValues,
  encodeValues,
  transferables,
  UncloneableRow,
} from "../../../runtime/transport/column_codec.ts";
import { BYTES_CHUNK_BYTES } from "../../../runtime/transport/encoded_column.ts";
import { SHAPES_MAX } from "../../../runtime/transport/shaped_rows.ts";
import { fc } from "../../deps.ts";

/** The ways through the codec that must not differ. */
const ways: Readonly<Record<string, ColumnCodecOptions>> = {
  "generated code": { generateAfterRows: 0 },
  "loops": { generateAfterRows: Infinity },
  "loops, then generated code": { generateAfterRows: 3 },
};

class Money {
  constructor(readonly amount: number, readonly currency: string) {}
}

const arena = new Uint8Array(1 << 20).fill(7);
const cyclic: Record<string, unknown> = { id: 1 };
cyclic["self"] = cyclic;
const cyclicBelow: Record<string, unknown> = { id: 2, below: { list: [] as unknown[] } };
cyclicBelow["below"] = { list: [cyclicBelow["below"], cyclicBelow] };
const deep = Array.from({ length: 60 }).reduce<unknown>((inner) => ({ inner }), "bottom");
const withOwnProto = (): unknown =>
  JSON.parse('{"a":1,"__proto__":{"polluted":true},"b":{"__proto__":2}}');

/** Batches of values, by what is special about them. */
const batches: Readonly<Record<string, readonly unknown[]>> = {
  "no rows": [],
  "one row": [{ id: "a" }],
  "numbers": [1, -0, 0, NaN, Infinity, -Infinity, 2 ** 53, Number.MIN_VALUE],
  "strings": ["", "a", "", "żółw", "\u{1F600}", ""],
  "lone surrogates": ["a\uD83D", "\uDE00b", "\uDC00", "\uD800\uD800", "\u0000\u2028"],
  "booleans": [true, false, true],
  "only null": [null, null],
  "only undefined": [undefined, undefined],
  "null and undefined": [null, undefined, null],
  "numbers, null and undefined": [1, null, undefined, -0, null],
  "strings, null and undefined": [null, "a", undefined, "b", ""],
  "one string, null and undefined": ["a", null, "a", undefined],
  "booleans, null and undefined": [true, null, undefined, false],
  "bytes, null and undefined": [new Uint8Array([1, 2]), null, undefined, new Uint8Array(0)],
  "values of all types": ["a", 1, true, null, undefined, 10n, new Date(5), [1], new Map([[1, 2]])],
  "big integers": [1n, -(2n ** 70n)],
  "records": [{ id: "b-1", amount: 1.5, paid: true }, { id: "b-2", amount: -0, paid: false }],
  "a field that is the same in all rows": [{ kind: "PAID", at: 1 }, { kind: "PAID", at: 2 }],
  "a union": [
    { kind: "PAID", amount: 1 },
    { kind: "CANCELLED" },
    { kind: "PAID", amount: 2 },
    { kind: "FAILED", reason: "card" },
    { kind: "CANCELLED" },
  ],
  "the same keys in another order": [{ a: 1, b: 2 }, { b: 3, a: 4 }, { a: 5, b: 6 }],
  "missing and undefined": [{ a: 1, b: undefined }, { a: 1 }, { b: undefined, a: 1 }, { a: 2 }],
  "a key more": [{ a: 1 }, { a: 1, b: 2 }, { a: 3 }, {}],
  "no keys": [{}, {}, {}],
  "keys like numbers": [{ b: 1, 2: "x", 1: "y" }, { 1: "z", b: 2, 2: "w" }],
  "keys that are hard to write": [
    { 'a"b': 1, "a\nb": 2, "\u2028": 3, "${x}": 4, "\uD800": 5, "": 6, constructor: 7 },
    { 'a"b': 1, "a\nb": 2, "\u2028": 3, "${x}": 4, "\uD800": 5, "": 6, constructor: 8 },
  ],
  "own __proto__": [withOwnProto(), withOwnProto(), { a: 1 }],
  "no prototype": [Object.assign(Object.create(null), { a: 1 }), { a: 2 }],
  "symbols and hidden fields": [
    Object.defineProperty({ a: 1, [Symbol("s")]: 2 }, "hidden", { value: 3 }),
    { a: 2 },
  ],
  "accessors": [{
    get a() {
      return 1;
    },
    b: 2,
  }, { a: 3, b: 4 }],
  "fields that change type": [{ a: 1 }, { a: "1" }, { a: [1] }, { a: null }, { a: { b: 1 } }],
  "nested records": [{ id: 1, by: { name: "a", at: 1 } }, { id: 2, by: { name: "b", at: 2 } }],
  "nested records, some null, of several shapes": [
    { by: { name: "a" } },
    { by: null },
    { by: { at: 1 } },
    { by: undefined },
    { by: "me" },
    { by: { name: "b", of: { of: { of: { of: { of: 1 } } } } } },
  ],
  "records in lists": [{ items: [{ sku: "a" }] }, { items: [] }],
  "class instances": [new Money(1, "EUR"), new Money(2, "EUR"), { amount: 3, currency: "EUR" }],
  "fields that are class instances": [{ at: new Date(1), price: new Money(1, "EUR"), by: /x/g }],
  "maps and sets": [{ m: new Map([["a", { b: 1 }]]), s: new Set([1, "2"]) }],
  "errors": [new RangeError("too far"), { error: new TypeError("no") }],
  "typed arrays": [{ a: new Float64Array([1, NaN]), b: new DataView(new ArrayBuffer(2)) }],
  "buffers": [new ArrayBuffer(3), { a: new ArrayBuffer(4, { maxByteLength: 8 }) }],
  "bytes": [{ data: new Uint8Array([1, 2, 3]) }, { data: arena.subarray(10, 12) }],
  "bytes that share memory": [new Uint8Array(new SharedArrayBuffer(4))],
  "cycles": [{ id: 0, self: 1 }, cyclic, { id: 2, self: 2 }, cyclicBelow],
  "deep": [{ deep, id: 1 }, { deep: 1, id: 2 }],
  "a hole in a list": [{ list: [1, , 3] }, { list: new Array(5) }],
  "a very long sparse list": [{ list: new Array(1_000_000) }],
  "many rows": Array.from(
    { length: 3000 },
    (_, row) => ({ id: `row-${row}`, row, odd: row % 2 > 0 }),
  ),
  "more shapes than have columns": Array.from(
    { length: 5 * SHAPES_MAX },
    (_, row) => ({ [`key${row % (2 * SHAPES_MAX)}`]: row, other: `x${row}` }),
  ),
  "more keys than a shape has": [
    Object.fromEntries(Array.from({ length: 2000 }, (_, key) => [`key${key}`, key])),
  ],
};

/** Sends values through a codec and a thread boundary. */
function crossed(
  values: readonly unknown[],
  encoder: ColumnEncoder,
  decoder?: ColumnDecoder,
): unknown[] {
  return decodeValues(posted(encodeValues(values, values.length, encoder)), decoder);
}

function posted(encoded: EncodedValues): EncodedValues {
  return structuredClone(encoded, { transfer: transferables(encoded) });
}

/** Deep equality does not look at the order of keys, so that is compared on its own. */
function assertSame(actual: unknown[], expected: unknown[]): void {
  assertEquals(actual, expected);
  assertEquals(keyOrder(actual), keyOrder(expected));
}

function keyOrder(value: unknown, seen = new Set<unknown>()): unknown {
  if (typeof value !== "object" || value === null || seen.has(value)) return undefined;
  seen.add(value);
  if (ArrayBuffer.isView(value)) return undefined;
  return Object.keys(value).map((key) => [key, keyOrder(Reflect.get(value, key), seen)]);
}

for (const [way, options] of Object.entries(ways)) {
  describe(`encodeValues() and decodeValues(), by ${way}`, () => {
    for (const [name, values] of Object.entries(batches)) {
      it(`carries ${name}`, () => {
        const encoder = new ColumnEncoder(options);
        const decoder = new ColumnDecoder(options);
        const expected = structuredClone([...values]);
        for (let time = 0; time < 3; time++) {
          assertSame(crossed(values, encoder, decoder), expected);
        }
      });
    }

    it("carries batch after batch of different values with one encoder", () => {
      const encoder = new ColumnEncoder(options);
      const decoder = new ColumnDecoder(options);
      const all = Object.values(batches);
      for (const values of [...all, ...all.toReversed()]) {
        assertSame(crossed(values, encoder, decoder), structuredClone([...values]));
      }
    });

    it("carries any values", () => {
      const anything = fc.anything({
        maxDepth: 4,
        withBigInt: true,
        withBoxedValues: true,
        withDate: true,
        withMap: true,
        withNullPrototype: true,
        withObjectString: true,
        withSet: true,
        withSparseArray: true,
        withTypedArray: true,
      });
      const record = fc.record({
        id: fc.string({ unit: "binary" }),
        amount: fc.double(),
        note: fc.option(fc.string()),
        by: fc.option(fc.record({ name: fc.string(), any: anything }), { nil: undefined }),
        data: fc.uint8Array(),
      }, { requiredKeys: ["id", "amount"] });
      const encoder = new ColumnEncoder(options);
      const decoder = new ColumnDecoder(options);
      const property = fc.property(fc.array(fc.oneof(record, anything)), (values) => {
        assertSame(crossed(values, encoder, decoder), structuredClone(values));
      });
      fc.assert(property, { seed: 20, numRuns: 200 });
    });
  });
}

describe("encodeValues()", () => {
  it("encodes the first rows only", () => {
    const encoded = encodeValues([{ a: 1 }, { a: 2 }, () => 1], 2, new ColumnEncoder());
    assertEquals(decodeValues(encoded), [{ a: 1 }, { a: 2 }]);
  });

  it("refuses a length that the values do not have", () => {
    for (const length of [3, -1, 0.5, NaN]) {
      assertThrows(
        () => encodeValues([1, 2], length, new ColumnEncoder()),
        RangeError,
        `Cannot encode ${length} rows of a batch of 2`,
      );
    }
  });

  it("names the row and the field that can't be cloned", () => {
    const detached = new Uint8Array(1);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    const unreadable = {
      get f() {
        throw new Error("not today");
      },
    };
    const bad: readonly (readonly [unknown, string])[] = [
      [{ f: () => 1 }, 'field "f" is a function'],
      [{ f: Symbol("s") }, 'field "f" is a symbol'],
      [{ f: { g: [1, { h: () => 1 }] } }, 'field "f.g[1].h" is a function'],
      [{ f: new Map([["k", () => 1]]) }, 'field "f[0]" is a function'],
      [{ f: new WeakMap() }, 'field "f" is an instance of WeakMap: '],
      [{ f: Promise.resolve(1) }, 'field "f" is an instance of Promise: '],
      [{ f: detached }, 'field "f" is on a detached buffer'],
      [unreadable, 'field "f" throws when it is read: not today'],
      [Object.assign(new Money(1, "EUR"), { f: () => 1 }), 'field "f" is a function'],
      [() => 1, "it is a function"],
      [Symbol("s"), "it is a symbol"],
      [[() => 1], 'field "[0]" is a function'],
      [Object.assign({ f: () => 1 }, { cycle: cyclic }), 'field "f" is a function'],
    ];
    for (const [value, reason] of bad) {
      const values = [{ f: 1 }, "x", { f: new Money(2, "EUR") }, value, { f: () => 2 }];
      const error = assertThrows(
        () => encodeValues(values, values.length, new ColumnEncoder()),
        UncloneableRow,
        `Cannot send row 3 to another worker as its value cannot be cloned: ${reason}`,
      );
      assert(error instanceof TypeError);
      assertEquals(error.row, 3);
    }
  });

  it("goes on after a row that can't be cloned", () => {
    for (const options of Object.values(ways)) {
      const encoder = new ColumnEncoder(options);
      const good = [{ a: "x", b: { c: 1 } }, { a: "y", b: { c: 2 } }];
      for (const bad of [{ a: "z", b: { c: () => 1 } }, { a: () => 1, b: 1 }, () => 1]) {
        assertThrows(() => encodeValues([...good, bad], 3, encoder), UncloneableRow);
        assertSame(crossed(good, encoder), good);
      }
    }
  });

  it("leaves the values as they were", () => {
    const values = [{ a: "x", data: arena.subarray(0, 3), list: [1] }];
    crossed(values, new ColumnEncoder());
    assertEquals(values, [{ a: "x", data: new Uint8Array([7, 7, 7]), list: [1] }]);
    assertEquals(arena.length, 1 << 20);
  });

  it("makes copies of an object that rows share", () => {
    const shared = { city: "Oslo" };
    const [first, second] = crossed([{ at: shared }, { at: shared }], new ColumnEncoder());
    assertEquals(first, second);
    assert(typeof first === "object" && first !== null && "at" in first);
    assert(typeof second === "object" && second !== null && "at" in second);
    assert(first.at !== second.at);
  });

  it("does not change a batch when it encodes the next", () => {
    const encoder = new ColumnEncoder();
    const first = encodeValues([{ a: 1, b: "x" }], 1, encoder);
    encodeValues([{ a: 2, b: "y" }], 1, encoder);
    assertEquals(decodeValues(first), [{ a: 1, b: "x" }]);
  });

  it("sends a view on a large arena without the arena", () => {
    const values = Array.from({ length: 20 }, (_, row) => ({
      row,
      data: arena.subarray(row * 100, row * 100 + 10),
    }));
    const encoded = encodeValues(values, values.length, new ColumnEncoder());
    assert(encoded.block.byteLength < 1000, `block is ${encoded.block.byteLength} bytes`);
    assert(encoded.bytes < 1000, `estimate is ${encoded.bytes} bytes`);
    for (const row of decodeValues(posted(encoded))) {
      assert(typeof row === "object" && row !== null && "data" in row);
      assert(row.data instanceof Uint8Array);
      assertEquals(row.data, new Uint8Array(10).fill(7));
      assert(row.data.buffer.byteLength <= BYTES_CHUNK_BYTES);
    }
  });

  it("puts records in columns and not in lists of values", () => {
    const values = [{ id: "a", at: 1, by: { ok: true } }, { id: "b", at: 2, by: { ok: false } }];
    const { columns } = encodeValues(values, 2, new ColumnEncoder());
    assert(columns.kind === "shape");
    assertEquals(columns.shape.columns.map((column) => column.kind), ["text", "number", "nested"]);
  });

  it("estimates the payload", () => {
    const bytesOf = (values: unknown[]) =>
      encodeValues(values, values.length, new ColumnEncoder()).bytes;
    assertEquals(bytesOf([]), 0);
    assertEquals(bytesOf([1, 2, 3]), 24);
    assertEquals(bytesOf(["abcd", "efgh"]), 8 + 8);
    assertEquals(bytesOf([{ a: "abcd" }, { a: "abcd" }]), 4);
    assert(bytesOf([["x".repeat(500)], 1]) >= 500);
    const large = { text: "x".repeat(700), self: {} };
    large.self = large;
    assert(bytesOf([large]) >= 700);
  });
});

describe("transferables()", () => {
  it("lists the one buffer that a batch has, if it has any", () => {
    const encoder = new ColumnEncoder();
    const encoded = encodeValues([{ a: 1, b: { c: true } }, { a: 2, d: null }], 2, encoder);
    assertEquals(transferables(encoded), [encoded.block]);
    assertEquals(transferables(encodeValues([], 0, encoder)), []);
    assertEquals(transferables(encodeValues([null, null], 2, encoder)), []);
  });

  it("lists nothing that belongs to the values", () => {
    const data = new Uint8Array([1]);
    const list = [new Uint8Array([2])];
    posted(encodeValues([{ data, list }], 1, new ColumnEncoder()));
    assertEquals([data.length, list[0]?.length], [1, 1]);
  });
});

describe("ColumnDecoder", () => {
  it("keeps the functions of the shapes it needed last", () => {
    const decoder = new ColumnDecoder();
    const signature = (number: number) => JSON.stringify([`key${number}`]);
    const first = decoder.builder(signature(0));
    const second = decoder.builder(signature(1));
    for (let number = 2; number < BUILDERS_MAX; number++) decoder.builder(signature(number));
    assertStrictEquals(decoder.builder(signature(0)), first);
    decoder.builder(signature(BUILDERS_MAX));
    assertStrictEquals(decoder.builder(signature(0)), first);
    assert(decoder.builder(signature(1)) !== second);
  });
});

describe("codec in a process of its own", () => {
  const module = (path: string) =>
    JSON.stringify(new URL(`../../../runtime/${path}`, import.meta.url).href);
  const imports = `
    import { ColumnEncoder, decodeValues, encodeValues } from ${
    module("transport/column_codec.ts")
  };
    import { systemClock } from ${module("clock.ts")};`;

  async function printed(program: string, flag: string): Promise<string[]> {
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", `--v8-flags=${flag}`, imports + program],
      env: { NO_COLOR: "1" },
    }).output();
    const lines = new TextDecoder().decode(stdout).trim().split("\n");
    assert(lines.length > 1, new TextDecoder().decode(stderr));
    return lines;
  }

  it("works by loops where code may not be generated", async () => {
    const lines = await printed(
      `let refused = false;
      try { new Function(""); } catch { refused = true; }
      const rows = [{ a: 1, b: "x" }, { a: 2, b: "y" }];
      const encoder = new ColumnEncoder({ generateAfterRows: 0 });
      for (let time = 0; time < 300; time++) {
        console.log(JSON.stringify([refused, decodeValues(encodeValues(rows, 2, encoder))]));
      }`,
      "--disallow-code-generation-from-strings",
    );
    assertEquals([...new Set(lines)], ['[true,[{"a":1,"b":"x"},{"a":2,"b":"y"}]]']);
    assertEquals(lines.length, 300);
  });

  it("lets go of the values of a batch, also of one that failed", async () => {
    const lines = await printed(
      `const encoder = new ColumnEncoder();
      const failing = new ColumnEncoder();
      const kept = new ColumnEncoder();
      const references = [];
      const encode = (target, field, bad) => {
        const values = [{ a: new Date(0), b: { c: new Date(1) } }, { a: null, b: field }, [2]];
        references.push(new WeakRef(values[0].a), new WeakRef(values[0].b.c), new WeakRef(values[2]));
        try { return encodeValues([...values, bad], 4, target); } catch { return undefined; }
      };
      encode(encoder, {}, 1);
      encode(failing, () => 1, { a: 1, b: 2 });
      const sent = encode(kept, {}, 1);
      await new Promise((resolve) => systemClock.defer(resolve));
      gc();
      for (const reference of references) console.log(reference.deref() !== undefined);
      // Used once more, so that neither encoder was garbage itself.
      encode(encoder, {}, 1);
      encode(failing, {}, 1);
      if (sent.length !== 4) throw new Error("Expected a batch");`,
      "--expose-gc",
    );
    // The last three are those of a batch that is still there.
    assertEquals(lines, [...new Array(6).fill("false"), ...new Array(3).fill("true")]);
  });
});
