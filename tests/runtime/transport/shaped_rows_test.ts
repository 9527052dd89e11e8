/**
 * Splitting by shape: what gets columns, and that the limits hold.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ColumnBlock } from "../../../runtime/transport/column_block.ts";
import type { EncodedColumns } from "../../../runtime/transport/encoded_column.ts";
import {
  NESTED_COLUMNS_MAX,
  NESTING_MAX,
  RowSplitter,
  SHAPES_MAX,
} from "../../../runtime/transport/shaped_rows.ts";

function splitter(generateAfterRows = Infinity): {
  readonly settings: { nestedColumnsLeft: number };
  readonly split: (values: readonly unknown[]) => EncodedColumns;
} {
  const settings = { generateAfterRows, nestedColumnsLeft: NESTED_COLUMNS_MAX };
  const rows = new RowSplitter(settings);
  return {
    settings,
    split(values) {
      const columns = rows.encode(values, values.length, {
        block: new ColumnBlock(),
        otherBytes: 0,
      });
      assert(columns !== undefined);
      return columns;
    },
  };
}

/** Signature and length of each shape, then the number of rows without one. */
function summary(columns: EncodedColumns): unknown[] {
  switch (columns.kind) {
    case "column":
      return [columns.column.kind];
    case "shape":
      return [columns.shape.signature, columns.shape.length];
    case "mixed":
      return [
        ...columns.shapes.flatMap((shape) => [shape.signature, shape.length]),
        columns.rest.length,
      ];
    default:
      return columns satisfies never;
  }
}

describe("RowSplitter.encode()", () => {
  it("gives each shape its columns and the rest one", () => {
    const { split } = splitter();
    assertEquals(summary(split([{ a: 1 }, { a: 2 }])), ['["a"]', 2]);
    assertEquals(summary(split(["x", "y"])), ["text"]);
    assertEquals(summary(split([{ b: 1 }, "x", { a: 2 }, { b: 3 }, [1]])), [
      '["a"]',
      1,
      '["b"]',
      2,
      2,
    ]);
  });

  it("has columns for so many shapes, and forgets those of no use when there are more", () => {
    const { split } = splitter();
    const fresh = (batch: number, count: number) =>
      Array.from({ length: count }, (_, row) => ({ [`key${batch}-${row}`]: row }));
    const used = [{ a: 1 }, { a: 2 }];

    assertEquals(split([...used, ...fresh(0, SHAPES_MAX - 1)]).kind, "mixed");
    const second = split([...used, ...fresh(1, 3)]);
    assertEquals(summary(second), ['["a"]', 2, 3]);
    // The overflow made room: the same keys are shapes now, and the one in use has stayed.
    const third = split([...used, ...fresh(1, 3)]);
    assertEquals(summary(third), [
      '["a"]',
      2,
      '["key1-0"]',
      1,
      '["key1-1"]',
      1,
      '["key1-2"]',
      1,
      0,
    ]);
  });

  it("nests so deep and no deeper", () => {
    const { split } = splitter();
    const value = Array.from({ length: NESTING_MAX + 3 }).reduce<unknown>(
      (inner) => ({ inner }),
      1,
    );
    let columns = split([value]);
    for (let depth = 1; depth < NESTING_MAX; depth++) {
      assert(columns.kind === "shape");
      const [column] = columns.shape.columns;
      assert(column?.kind === "nested");
      columns = column.columns;
    }
    assert(columns.kind === "shape");
    assertEquals(columns.shape.columns[0]?.kind, "any");
  });

  it("bounds the columns with columns of their own, and gives them back with their shape", () => {
    const { settings, split } = splitter();
    const nested = (batch: number, row: number) => ({ [`key${batch}-${row}`]: { a: { b: 1 } } });
    for (let batch = 0; batch < 20; batch++) {
      split(Array.from({ length: SHAPES_MAX }, (_, row) => nested(batch, row)));
      // Two for each shape, until the next batch has no use for these shapes and no room for its own.
      const taken = batch % 2 === 0 ? 2 * SHAPES_MAX : 0;
      assertEquals(settings.nestedColumnsLeft, NESTED_COLUMNS_MAX - taken);
    }
    const many = Object.fromEntries(
      Array.from({ length: 60 }, (_, key) => [`key${key}`, { a: { b: 1 } }]),
    );
    const exhausted = splitter();
    const columns = exhausted.split([many]);
    assertEquals(exhausted.settings.nestedColumnsLeft, 0);
    assert(columns.kind === "shape");
    assertEquals(columns.shape.columns.at(-1)?.kind, "any");
  });

  it("loses no row when objects inherit keys", () => {
    const prototype: object = Object.prototype;
    Object.defineProperty(prototype, "inherited", {
      value: 1,
      enumerable: true,
      configurable: true,
    });
    try {
      for (const generateAfterRows of [0, Infinity]) {
        const { split } = splitter(generateAfterRows);
        assertEquals(summary(split(Array.from({ length: 40 }, (_, a) => ({ a })))), ["any"]);
      }
    } finally {
      Reflect.deleteProperty(prototype, "inherited");
    }
  });
});
