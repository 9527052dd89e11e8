import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  type JsonShape,
  jsonShapeOf,
  widenedShape,
} from "../../../operators/json_encoder/json_shape.ts";
import { RowOutput } from "../../../operators/json_encoder/row_output.ts";
import {
  generatedWriteRows,
  ROW_TEXT_UNITS_MAX,
} from "../../../operators/json_encoder/write_rows.ts";

function shapeOf(examples: readonly unknown[]): JsonShape {
  const [first, ...others] = examples.map((example) => {
    const shape = jsonShapeOf(example);
    assert(shape !== undefined);
    return shape;
  });
  assert(first !== undefined);
  return others.reduce(widenedShape, first);
}

/** How many rows code for the examples' shape writes, which must be as JSON.stringify does. */
function rowsWritten(examples: readonly unknown[], rows: readonly unknown[]): number {
  const output = new RowOutput();
  output.start(rows.length);
  const stop = generatedWriteRows(shapeOf(examples), "\n")(rows, 0, rows.length, output);
  const { ends } = output;
  const lines = rows.slice(0, stop).map((row) => `${JSON.stringify(row)}\n`);
  const bytes = output.take();
  assertEquals(new TextDecoder().decode(bytes), lines.join(""));
  assertEquals(stop === 0 ? 0 : ends[stop - 1], bytes.length);
  return stop;
}

const assertFits = (...rows: readonly unknown[]) =>
  assertEquals(rowsWritten(rows, rows), rows.length);
const assertMisfit = (example: unknown, row: unknown) =>
  assertEquals(rowsWritten([example], [example, row, example]), 1, Deno.inspect(row));

describe("generatedWriteRows()", () => {
  it("writes members of every kind, and objects in objects", () => {
    assertFits(
      { s: "a", n: 1.5, t: true, f: false, z: null, o: { p: { q: "" }, r: {} }, 'a"\n': 1, é: -0 },
    );
    assertFits({});
  });

  it("writes members of mixed kinds", () => {
    assertFits({ a: 1 }, { a: "x" }, { a: null }, { a: true }, { a: '"' });
  });

  it("leaves members out that are undefined, with their commas", () => {
    const rows = Array.from({ length: 16 }, (_, bits) => ({
      a: bits & 1 ? 1 : undefined,
      b: bits & 2 ? "x" : undefined,
      c: { d: bits & 4 ? true : undefined, e: bits & 8 ? 1 : undefined },
      f: bits & 1 ? undefined : 1,
    }));
    assertFits(...rows);
    assertFits(...rows.map(({ a, b }) => ({ first: 1, a, b })));
    assertFits(...rows.map(({ a, b }) => ({ a, b, last: 1 })));
    assertFits(...rows.map(({ a }) => ({ u: undefined, a, v: undefined })));
  });

  it("takes objects without a prototype and frozen ones", () => {
    assertFits(Object.assign(Object.create(null), { a: 1 }), Object.freeze({ a: 2 }));
  });

  it("stops at a row of other keys or another order", () => {
    const example = { a: 1, b: "x", c: { d: 1 } };
    const others = [
      { a: 1, b: "x" },
      { a: 1, b: "x", c: { d: 1 }, e: 1 },
      { b: "x", a: 1, c: { d: 1 } },
      { a: 1, b: "x", c: {} },
      { a: 1, b: "x", c: { d: 1, e: 1 } },
      { a: 1, b: "x", c: { e: 1 } },
      Object.defineProperty({ a: 1, b: "x", c: { d: 1 } }, "a", { enumerable: false }),
    ];
    for (const other of others) assertMisfit(example, other);
  });

  it("stops at a row of other kinds, before anything of it is written", () => {
    const example = { a: 1, b: "x", c: { d: true } };
    const kinds = [undefined, null, 1n, Symbol(), () => 1, [], new Date(0), {}, new Number(1)];
    for (const other of kinds) {
      assertMisfit(example, { ...example, a: other });
      assertMisfit(example, { ...example, b: other });
      assertMisfit(example, { ...example, c: other });
      assertMisfit(example, { ...example, c: { d: other } });
      assertMisfit(example, other);
    }
    assertMisfit(example, { ...example, a: "1" });
    assertMisfit(example, { ...example, b: 1 });
    assertMisfit(example, { ...example, c: { d: "true" } });
  });

  it("stops at objects that are not plain", () => {
    class Point {
      x = 1;
    }
    assertMisfit({ x: 1 }, new Point());
    assertMisfit({ x: 1 }, Object.create({ x: 1 }));
    assertMisfit({ x: 1 }, Object.assign(Object.create({ toJSON: () => 2 }), { x: 1 }));
    assertMisfit({ x: 1 }, Object.setPrototypeOf(Object.assign([], { x: 1 }), Object.prototype));
    assertMisfit({ x: 1 }, Object.assign(new Map(), { x: 1 }));
    assertMisfit({ p: { x: 1 } }, { p: new Point() });
    assertMisfit({}, new Number(3));
  });

  it("stops at rows that inherit a toJSON from Object.prototype, and goes on when it is gone", () => {
    const write = generatedWriteRows(shapeOf([{ x: 1 }]), "");
    const output = new RowOutput();
    output.start(1);
    Object.defineProperty(Object.prototype, "toJSON", { value: () => 2, configurable: true });
    try {
      assertEquals(write([{ x: 1 }], 0, 1, output), 0);
    } finally {
      Reflect.deleteProperty(Object.prototype, "toJSON");
    }
    assertEquals(write([{ x: 1 }], 0, 1, output), 1);
  });

  it("stops at a row whose getter throws, and keeps the rows before it", () => {
    const throwing = {
      a: 1,
      get b(): number {
        throw new RangeError("no value");
      },
    };
    assertEquals(rowsWritten([{ a: 1, b: 2 }], [{ a: 3, b: 4 }, { a: 5, b: 6 }, throwing]), 2);
  });

  it("has room for escapes and numbers wherever the buffer ends", () => {
    for (let length = 0; length <= ROW_TEXT_UNITS_MAX / 2; length++) {
      const rows = Array.from({ length: 40 }, (_, row) => ({
        text: "\0".repeat(length),
        number: -0.0000012345678901234567,
        either: row % 2 === 0 ? "\ud800".repeat(length) : -1.2345678901234567e-300,
      }));
      assertFits(...rows);
    }
  });

  it("stops at a row whose strings are long together", () => {
    const row = (a: number, b: number) => ({ a: "x".repeat(a), b: { c: "y".repeat(b) } });
    assertFits(row(ROW_TEXT_UNITS_MAX, 0), row(1, ROW_TEXT_UNITS_MAX - 1));
    assertMisfit(row(1, 1), row(1, ROW_TEXT_UNITS_MAX));
  });

  it("continues where texts wait", () => {
    const output = new RowOutput();
    output.start(3);
    output.addText(0, "text");
    const write = generatedWriteRows(shapeOf([{ x: 1 }]), "");
    assertEquals(write([0, { x: 1 }, { y: 1 }], 1, 3, output), 2);
    output.addText(2, "end");
    assertEquals(new TextDecoder().decode(output.take()), 'text{"x":1}end');
  });
});
