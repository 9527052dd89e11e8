/**
 * Shapes: which objects have one, and that generated code does what the loops do.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  isPlainObject,
  keysOf,
  RowBuilder,
  RowTaker,
  SHAPE_KEYS_MAX,
} from "../../../runtime/transport/row_shape.ts";

const ways = { "generated code": 0, "loops": Infinity, "loops, then generated code": 1 };

function taken(
  taker: RowTaker,
  values: readonly unknown[],
  from = 0,
  length = values.length,
  at = 0,
): { stop: number; cells: unknown[][] } {
  const cells: unknown[][] = taker.keys.map(() => []);
  return { stop: taker.take(values, from, length, cells, at), cells };
}

describe("isPlainObject()", () => {
  it("takes what a literal could have made", () => {
    class Booking {}
    assertEquals([{}, Object.create(null)].map(isPlainObject), [true, true]);
    const others = [null, undefined, 1, "a", [], new Booking(), new Date(0), new Map(), () => 1];
    assertEquals(others.filter(isPlainObject), []);
  });
});

describe("keysOf()", () => {
  it("leaves out what structured clone leaves out", () => {
    const value = Object.defineProperty({ a: 1, [Symbol("s")]: 2 }, "hidden", { value: 3 });
    assertEquals(keysOf(value), ["a"]);
  });

  it("gives no shape to objects with too many keys", () => {
    const wide = (keys: number) =>
      Object.fromEntries(Array.from({ length: keys }, (_, key) => [`key${key}`, key]));
    assertEquals(keysOf(wide(SHAPE_KEYS_MAX))?.length, SHAPE_KEYS_MAX);
    assertEquals(keysOf(wide(SHAPE_KEYS_MAX + 1)), undefined);
  });
});

for (const [way, generateAfterRows] of Object.entries(ways)) {
  describe(`RowTaker, by ${way}`, () => {
    it("takes rows apart up to the first of another shape", () => {
      const others: readonly unknown[] = [
        { a: 1 },
        { a: 1, b: 2, c: 3 },
        { b: 2, a: 1 },
        { a: 1, c: 2 },
        {},
        Object.assign([], { a: 1, b: 2 }),
        Object.assign(new Date(0), { a: 1, b: 2 }),
        Object.create({ a: 1, b: 2 }),
        null,
        undefined,
        "ab",
        2,
      ];
      for (const other of others) {
        const taker = new RowTaker(["a", "b"], generateAfterRows);
        const values = [{ a: 1, b: "x" }, { a: undefined, b: null }, other, { a: 3, b: "z" }];
        assertEquals(taken(taker, values), { stop: 2, cells: [[1, undefined], ["x", null]] });
        assertEquals(taken(taker, values, 2), { stop: 2, cells: [[], []] });
        assertEquals(taken(taker, values, 3), { stop: 4, cells: [[3], ["z"]] });
      }
    });

    it("puts cells where it was told and reads no further than it was told", () => {
      const taker = new RowTaker(["a"], generateAfterRows);
      const { stop, cells } = taken(taker, [{ a: 1 }, { a: 2 }, { a: 3 }, { a: 4 }], 1, 3, 1);
      assertEquals(stop, 3);
      assertEquals(cells[0]?.slice(1), [2, 3]);
      assertEquals(cells[0]?.length, 3);
    });

    it("reads an accessor once", () => {
      let reads = 0;
      const value = {
        get a() {
          return ++reads;
        },
      };
      const taker = new RowTaker(["a"], generateAfterRows);
      assertEquals(taken(taker, [value]).cells, [[1]]);
      assertEquals(reads, 1);
    });
  });

  describe(`RowBuilder, by ${way}`, () => {
    it("builds rows with keys of their own, in order", () => {
      const keys = ["b", "a", "__proto__", 'quo"te', "", "\u2028", "${1}", "2"];
      const builder = new RowBuilder(keys, generateAfterRows);
      const cells = keys.map((_, column) => [column, -column]);
      for (let time = 0; time < 3; time++) {
        const rows = builder.build(cells, 2);
        // The key like a number comes first, as in every object.
        const order = ["2", ...keys.slice(0, 7)];
        assertEquals(rows.map((row) => Object.keys(row ?? {})), [order, order]);
        assertEquals(rows.map((row) => Object.values(row ?? {})), [
          [7, 0, 1, 2, 3, 4, 5, 6],
          [-7, -0, -1, -2, -3, -4, -5, -6],
        ]);
        assertEquals(rows.map((row) => Object.getPrototypeOf(row) === Object.prototype), [
          true,
          true,
        ]);
      }
    });

    it("builds rows without keys", () => {
      assertEquals(new RowBuilder([], generateAfterRows).build([], 2), [{}, {}]);
    });
  });
}
