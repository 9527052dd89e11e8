/**
 * How walks and lookups run, beyond what they select (`json_path_test.ts`).
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { lookupOf, walkOf } from "../../../operators/json_path/evaluation.ts";
import { parseJsonPath } from "../../../operators/json_path/parser.ts";

describe("walkOf()", () => {
  it("hands over the very nodes, not copies", () => {
    const inner = { b: [1] };
    const document = { a: inner };
    const nodes: unknown[] = [];
    walkOf(parseJsonPath("$..b"))(document, document, (node) => nodes.push(node));
    assertEquals(nodes.length, 1);
    assertEquals(nodes[0] === inner.b, true);
  });

  it("tells @ from $ in filters", () => {
    const document = { limit: 2, items: [{ n: 1 }, { n: 2 }, { n: 3, limit: 9 }] };
    const nodes: unknown[] = [];
    const walk = walkOf(parseJsonPath("$.items[?@.n >= $.limit && !@.limit].n"));
    walk(document, document, (node) => nodes.push(node));
    assertEquals(nodes, [2]);
    for (
      const [path, expected] of [
        ["$.items[?count($.items[*]) == @.n].n", [3]],
        ["$.items[?value($..[1].n) == @.n].n", [2]],
        ["$.items[?count(@.*) == 2].n", [3]],
        ["$.items[?$.items[*].limit].n", [1, 2, 3]],
        ["$.items[?@.*.limit].n", []],
      ] as const
    ) {
      const found: unknown[] = [];
      walkOf(parseJsonPath(path))(document, document, (node) => found.push(node));
      assertEquals(found, [...expected], path);
    }
  });

  it("visits a node before what is below it, and items in order", () => {
    const document = { a: [{ a: [1] }, { a: 2 }] };
    const nodes: unknown[] = [];
    walkOf(parseJsonPath("$..a"))(document, document, (node) => nodes.push(node));
    assertEquals(nodes, [[{ a: [1] }, { a: 2 }], [1], 2]);
  });

  it("asks no getter of a prototype", () => {
    class Holder {
      readonly own = 1;
      get inherited(): number {
        throw new Error("asked");
      }
    }
    const document = new Holder();
    const nodes: unknown[] = [];
    walkOf(parseJsonPath("$['own', 'inherited']"))(document, document, (node) => nodes.push(node));
    walkOf(parseJsonPath("$.*"))(document, document, (node) => nodes.push(node));
    assertEquals(nodes, [1, 1]);
  });
});

describe("lookupOf()", () => {
  it("follows names into objects and indexes into arrays only", () => {
    const document = { a: [{ b: 1 }, "text"] };
    const at = (...steps: (string | number)[]) =>
      lookupOf({ from: "root", steps })(undefined, document);
    assertEquals(at(), document);
    assertEquals([at("a", 0, "b"), at("a", -2, "b"), at("a", -1)], [1, 1, "text"]);
    assertEquals(
      [at("a", "0"), at(0), at("a", 2), at("a", -3), at("a", 1, 0)],
      Array(5).fill(undefined),
    );
  });
});
