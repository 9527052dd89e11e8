import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { decodeContents, encodeContents } from "../../../runtime/state/content_columns.ts";
import { ColumnEncoder } from "../../../runtime/transport/column_codec.ts";

describe("encodeContents()", () => {
  // deno-lint-ignore no-sparse-arrays
  const holes = [[1, , 2]];
  const cases: [string, unknown[], string][] = [
    ["lists and nothing", [[1], undefined, [], [{ a: 1 }, { a: 2 }]], "lists"],
    ["maps and nothing", [undefined, new Map([["a", { n: 1 }]]), new Map()], "maps"],
    ["nothing at all", [undefined, undefined], "values"],
    ["no keys", [], "values"],
    ["lists and maps", [[1], new Map()], "values"],
    ["lists and values", [[1], 5, null], "values"],
    ["lists with holes", holes, "values"],
    ["lists with more than items", [Object.assign([1], { more: 2 })], "values"],
    ["lists with as many holes as more", [Object.assign(new Array(1), { more: 2 })], "values"],
  ];
  for (const [what, contents, kind] of cases) {
    it(`keeps ${what} as ${kind}`, () => {
      const encoded = encodeContents(contents, new ColumnEncoder());
      assertEquals([encoded.kind, decodeContents(encoded)], [kind, contents]);
    });
  }

  it("gives lists and maps that are new each time", () => {
    const encoded = encodeContents([[1], [2]], new ColumnEncoder());
    const [list] = decodeContents(encoded);
    if (Array.isArray(list)) list.push(5);
    assertEquals(decodeContents(encoded), [[1], [2]]);
  });
});
