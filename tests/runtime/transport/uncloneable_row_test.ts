/**
 * The search for rows that can't be cloned is exact: it asks structured clone.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  ColumnEncoder,
  encodeValues,
  UncloneableRow,
  uncloneableRows,
} from "../../../runtime/transport/column_codec.ts";

describe("uncloneableRows()", () => {
  it("finds all of them, in order, with their reasons", () => {
    const values = [1, { f: () => 1 }, { g: 1 }, Symbol("s"), () => 1];
    const found = uncloneableRows(values, 4);
    assert(found.every((error) => error instanceof UncloneableRow));
    assertEquals(found.map((error) => error.row), [1, 3]);
    assertEquals(found.map((error) => error.message.split("cloned: ")[1]), [
      'field "f" is a function',
      "it is a symbol",
    ]);
    assert(found.every((error) => error.cause instanceof DOMException));
  });

  it("finds what the look ahead lets pass", () => {
    const values = [{ a: 1 }, { list: [new Proxy({}, {})] }];
    encodeValues(values, 2, new ColumnEncoder());
    const found = uncloneableRows(values, 2);
    assertEquals(found.map((error) => error.row), [1]);
    assertMatch(
      found[0]?.message ?? "",
      /^Cannot send row 1 to another worker as its value cannot/,
    );
  });

  it("finds nothing in a batch that can be cloned", () => {
    assertEquals(uncloneableRows([1, { a: [new Date(1)] }, null], 3), []);
    assertEquals(uncloneableRows([], 0), []);
  });
});
