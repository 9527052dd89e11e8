/**
 * JSON paths against the example tables of RFC 9535, against another implementation, and where the
 * RFC leaves a choice or a danger: what is inherited, documents deeper than the stack, surrogates.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { compileJsonPath } from "../../operators/json_path.ts";
import { fc, queryRfc9535 } from "../deps.ts";
import { COMPARISONS, COMPARISONS_DOCUMENT, SELECTIONS } from "./rfc9535_examples.ts";

function selected(path: string, document: unknown): unknown[] {
  const nodes: unknown[] = [];
  compileJsonPath(path).select(document, (node) => nodes.push(node));
  return nodes;
}

function sorted(nodes: readonly unknown[]): string[] {
  return nodes.map((node) => JSON.stringify(node)).sort();
}

/** The RFC's own way to say what a slice selects. */
function sliceOf(
  items: readonly unknown[],
  start: number | undefined,
  end: number | undefined,
  step: number,
): unknown[] {
  const { length } = items;
  const clamp = (low: number, value: number, high: number) => Math.min(Math.max(value, low), high);
  const normal = (index: number) => index >= 0 ? index : length + index;
  const from = normal(start ?? (step >= 0 ? 0 : length - 1));
  const to = end === undefined && step < 0 ? -length - 1 : normal(end ?? length);
  const nodes: unknown[] = [];
  if (step > 0) {
    const upper = clamp(0, to, length);
    for (let index = clamp(0, from, length); index < upper; index += step) nodes.push(items[index]);
  } else if (step < 0) {
    const lower = clamp(-1, to, length - 1);
    for (let index = clamp(-1, from, length - 1); lower < index; index += step) {
      nodes.push(items[index]);
    }
  }
  return nodes;
}

describe("RFC 9535 examples", () => {
  for (const { section, document, rows } of SELECTIONS) {
    for (const [path, expected] of rows) {
      it(`section ${section}: ${path}`, () => {
        assertEquals(selected(path, document), expected);
      });
    }
  }
  for (const [comparison, expected] of COMPARISONS) {
    it(`section 2.3.5.3: ${comparison}`, () => {
      // The one child of this document passes or fails the filter as a whole.
      const nodes = selected(`$[?${comparison}]`, COMPARISONS_DOCUMENT);
      assertEquals(nodes.length, expected ? Object.keys(COMPARISONS_DOCUMENT).length : 0);
    });
  }
});

describe("compileJsonPath() singular", () => {
  for (const path of ["$", "$.a", "$['a'][0].b", "$[-1]", "$ .a ['b']"]) {
    it(`is true for ${path}`, () => {
      assertEquals(compileJsonPath(path).singular, true);
      assertEquals(compileJsonPath(path).path, path);
    });
  }
  for (const path of ["$.*", "$..a", "$[0, 1]", "$[0:1]", "$[?@.a]", "$.a[*].b"]) {
    it(`is false for ${path}`, () => assertEquals(compileJsonPath(path).singular, false));
  }
});

describe("JsonPath.select()", () => {
  it("selects own members only", () => {
    const document: unknown = JSON.parse('{"a": {}, "list": [1], "text": "abc"}');
    for (const name of ["constructor", "__proto__", "toString", "hasOwnProperty"]) {
      for (const path of [`$.${name}`, `$.a.${name}`, `$..${name}`, `$['a','list']["${name}"]`]) {
        assertEquals(selected(path, document), [], path);
      }
    }
    assertEquals(selected("$.list.length", document), []);
    assertEquals(selected("$.list['0']", document), []);
    assertEquals(selected("$.text.length", document), []);
    assertEquals(selected("$.text[0]", document), []);
  });

  it("selects a member that is called __proto__", () => {
    assertEquals(selected("$.__proto__.a", JSON.parse('{"__proto__": {"a": 1}}')), [1]);
    assertEquals(selected("$[?@.__proto__ == 1]", JSON.parse('[{"__proto__": 1}, {}]')).length, 1);
  });

  it("selects null, false, 0 and empty values but never undefined", () => {
    const document = { a: null, b: false, c: 0, d: "", e: undefined, f: [undefined, 1] };
    assertEquals(selected("$['a','b','c','d','e']", document), [null, false, 0, ""]);
    assertEquals(selected("$.a", document), [null]);
    assertEquals(selected("$.e", document), []);
    assertEquals(selected("$.f[*]", document), [1]);
    assertEquals(selected("$.f[0:2]", document), [1]);
    assertEquals(selected("$.f[0]", document), []);
  });

  it("takes an empty step of a slice for 1, and a step of 0 for nothing", () => {
    const document = ["a", "b", "c"];
    for (const path of ["$[1:]", "$[1::]", "$[ 1 : : ]", "$[1::1]", "$[-2:3:1]", "$[1:99]"]) {
      assertEquals(selected(path, document), ["b", "c"], path);
    }
    assertEquals(selected("$[::0]", document), []);
    assertEquals(selected("$[-99:-1]", document), ["a", "b"]);
    assertEquals(selected("$[99:-99:-2]", document), ["c", "a"]);
  });

  it("gives nothing of documents that are no objects or arrays", () => {
    for (const document of [null, 1, "text", true]) {
      assertEquals(selected("$", document), [document]);
      for (const path of ["$.a", "$[0]", "$[0:1]", "$.*", "$..*", "$[?@]"]) {
        assertEquals(selected(path, document), [], path);
      }
    }
  });

  it("goes through documents that are deeper than the stack", () => {
    const depth = 100_000;
    const text = `${'{"a":['.repeat(depth)}1${"]}".repeat(depth)}`;
    const document: unknown = JSON.parse(text);
    let count = 0;
    compileJsonPath("$..a").select(document, () => count++);
    assertEquals(count, depth);
    const twins: unknown = JSON.parse(
      `[{"left":${text},"right":${text}},{"left":${text},"right":1}]`,
    );
    assertEquals(selected("$[?@.left == @.right]", twins).length, 1);
  });

  it("passes on what the visitor throws, and works again after it", () => {
    const path = compileJsonPath("$..a");
    const document = { a: 1, b: { a: 2 } };
    assertThrows(
      () =>
        path.select(document, () => {
          throw new RangeError("enough");
        }),
      RangeError,
      "enough",
    );
    const nodes: unknown[] = [];
    path.select(document, (node) => nodes.push(node));
    assertEquals(nodes, [1, 2]);
  });

  it("can be run within its own visit", () => {
    const path = compileJsonPath("$[?@.n > 0]");
    const nodes: unknown[] = [];
    path.select([{ n: 1 }, { n: 2 }], () => path.select([{ n: 3 }], (node) => nodes.push(node)));
    assertEquals(nodes, [{ n: 3 }, { n: 3 }]);
  });

  it("compares strings by code points, not by UTF-16 code units", () => {
    assertEquals(selected("$[?@ > '\\uFF5E']", ["\u{1F600}", "\uFF5D", "\uFF5F"]), [
      "\u{1F600}",
      "\uFF5F",
    ]);
  });

  it("counts characters, not UTF-16 code units, and pairs only as pairs", () => {
    assertEquals(selected("$[?length(@) == 1]", ["\u{1F600}", "ab", "\ud83d", "\ude00"]), [
      "\u{1F600}",
      "\ud83d",
      "\ude00",
    ]);
    assertEquals(selected("$[?length(@) == 2]", ["\ude00\ud83d"]), ["\ude00\ud83d"]);
  });

  it("matches nothing by a pattern from the document that is no I-Regexp", () => {
    const document = { pattern: "\\d", texts: ["1", "d"] };
    assertEquals(selected("$.texts[?match(@, $.pattern)]", document), []);
    assertEquals(selected("$.texts[?!match(@, $.pattern)]", document), ["1", "d"]);
  });

  it("takes each node's own pattern", () => {
    const document = [{ t: "a", p: "a" }, { t: "a", p: "b" }, { t: "b", p: "[" }, {
      t: "b",
      p: "b",
    }];
    assertEquals(selected("$[?match(@.t, @.p)]", document), [document[0], document[3]]);
  });
});

describe("compileJsonPath() against another implementation", () => {
  const names = fc.constantFrom("a", "b", "c", "d e", "\u{1F600}");
  const leaf = fc.oneof(
    fc.integer({ min: -3, max: 3 }),
    fc.constantFrom("a", "b", "ab", "", "\u{1F600}"),
    fc.boolean(),
    fc.constant(null),
  );
  type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
  const { node: document } = fc.letrec<{ node: Json }>((tie) => ({
    node: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      leaf,
      fc.array(tie("node"), { maxLength: 4 }),
      fc.dictionary(names, tie("node"), { maxKeys: 4 }),
    ),
  }));

  const blank = fc.constantFrom("", "", "", " ", "\n\t");
  const index = fc.integer({ min: -4, max: 4 }).map(String);
  // What is generated keeps clear of where the other one (1.3.0) is known to be wrong: slices with
  // bounds before the first item or an empty step before a blank, chains such as a && b && c,
  // filters next to other selectors. The seed is fixed for what is not known. Slices have a test of
  // their own below, chains one in `parser_test.ts`.
  const bound = fc.constantFrom("", "0", "1", "2", "3", "9");
  const quoted = names.map((name) => JSON.stringify(name));
  const singularStep = fc.oneof(
    fc.constantFrom(".a", ".b", ".c"),
    quoted.map((name) => `[${name}]`),
    index.map((at) => `[${at}]`),
  );
  const singular = fc.tuple(
    fc.constantFrom("@", "@", "$"),
    fc.array(singularStep, { maxLength: 3 }),
  )
    .map(([from, steps]) => from + steps.join(""));
  const literal = fc.oneof(
    fc.constantFrom("1", "-2", "0", "-0", "1e0", "0.5", "'a'", '"ab"', "true", "false", "null"),
  );
  const simpleSelector = fc.oneof(
    quoted,
    index,
    fc.constant("*"),
    fc.tuple(bound, bound).map((parts) => parts.join(":")),
    fc.tuple(bound, bound, index).map((parts) => parts.join(":")),
  );
  const bracketed = (selector: fc.Arbitrary<string>) =>
    fc.tuple(fc.array(selector, { minLength: 1, maxLength: 3 }), blank)
      .map(([selectors, gap]) => `[${gap}${selectors.join(`${gap},${gap}`)}${gap}]`);
  const segmentOf = (selector: fc.Arbitrary<string>) =>
    fc.oneof(
      singularStep,
      fc.constantFrom(".*", "..a", "..*"),
      bracketed(selector),
      bracketed(selector).map((selectors) => `..${selectors}`),
    );
  const innerQuery = fc.tuple(
    fc.constantFrom("@", "$"),
    fc.array(segmentOf(simpleSelector), { maxLength: 2 }),
  ).map(([from, segments]) => from + segments.join(""));
  const value = fc.oneof(
    singular,
    literal,
    singular.map((query) => `length(${query})`),
    innerQuery.map((query) => `count(${query})`),
    innerQuery.map((query) => `value(${query})`),
  );
  const operator = fc.constantFrom("==", "!=", "<", "<=", ">", ">=");
  const { test } = fc.letrec<{ test: string }>((tie) => ({
    test: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      innerQuery,
      fc.tuple(value, blank, operator, blank, value).map((parts) => parts.join("")),
      fc.tuple(fc.constantFrom("match", "search"), singular, fc.constantFrom("'a.?'", "'[^a]'"))
        .map(([name, subject, pattern]) => `${name}(${subject}, ${pattern})`),
      tie("test").map((inner) => `!(${inner})`),
      innerQuery.map((query) => `!${query}`),
      fc.tuple(tie("test"), fc.constantFrom("&&", "||"), tie("test"))
        .map(([left, operator, right]) => `(${left})${operator}(${right})`),
    ),
  }));
  const path = fc.array(
    fc.oneof(
      segmentOf(simpleSelector),
      segmentOf(simpleSelector),
      test.map((inner) => `[?${inner}]`),
    ),
    { maxLength: 4 },
  ).map((segments) => `$${segments.join("")}`);

  it("selects the same nodes", () => {
    fc.assert(
      fc.property(path, document, (path, document) => {
        const ours = selected(path, document);
        const theirs: unknown[] = queryRfc9535(document, path);
        // For descendants the RFC leaves the order open between levels: the other one goes level by
        // level.
        const isOrdered = !path.includes("..");
        assertEquals(isOrdered ? ours : sorted(ours), isOrdered ? theirs : sorted(theirs), path);
      }),
      { numRuns: 500, seed: 9535 },
    );
  });

  it("slices as the formulas of section 2.3.4.2.2 have it", () => {
    const part = fc.option(fc.integer({ min: -7, max: 7 }), { nil: undefined });
    fc.assert(
      fc.property(fc.nat(5), part, part, part, (length, start, end, step) => {
        const path = `$[${start ?? ""}:${end ?? ""}:${step ?? ""}]`;
        const items = Array.from({ length }, (_, index) => index);
        assertEquals(selected(path, items), sliceOf(items, start, end, step ?? 1), path);
      }),
      { numRuns: 500, seed: 9535 },
    );
  });

  it("compiles or refuses any text, and refuses with a SyntaxError only", () => {
    const tokens = fc.constantFrom(
      ..."$@.*[]()?!=<>&|:,-019ae'\"\\ ",
      "..",
      "length(",
      "match(",
      "\ud800",
    );
    fc.assert(
      fc.property(fc.array(tokens, { maxLength: 12 }), (parts) => {
        const text = `$${parts.join("")}`;
        try {
          assertEquals(compileJsonPath(text).path, text);
        } catch (error) {
          assert(error instanceof SyntaxError, `${error}`);
        }
      }),
      { numRuns: 500, seed: 9535 },
    );
  });
});
