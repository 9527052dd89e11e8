import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { compileProgram } from "../../operators/decoder/program.ts";
import { choiceOf, decodingChoice } from "../../operators/decoding_choice.ts";
import { fields, fieldsRule } from "../../operators/fields.ts";
import { fused } from "../../operators/fused.ts";
import { z } from "../deps.ts";

const Item = fields({ id: "string" });

/** As many fields as there are numbers. */
const wide = (members: number) =>
  fields(Object.fromEntries(Array.from({ length: members }, (_, n) => [`m${n}`, "number?"])));

describe("decodingChoice()", () => {
  it("decodes fields into columns, and others' schemas too if their structure can be seen", () => {
    assertEquals(decodingChoice(["$.detail", "$.item"], Item), {
      paths: ["$.detail", "$.item"],
      schema: "penstock",
      way: "columns",
      why: "fields() says all that is wanted",
    });
    assertEquals(decodingChoice(["$"], z.object({ id: z.string() })), {
      paths: ["$"],
      schema: "zod",
      way: "columns, then validate",
      why: "zod's JSON Schema names all that is looked at",
    });
    assertEquals(decodingChoice(["$.a"], z.object({ tags: z.array(z.string()) })), {
      paths: ["$.a"],
      schema: "zod",
      way: "JSON.parse",
      why: '"tags" is an array',
    });
  });

  it("names what there is no program for", () => {
    const cases = [
      [["$.items[*]"], Item, "the path $.items[*] may select several nodes"],
      [["$.detail", "$..id"], Item, "the path $..id may select several nodes"],
      [["$.items[-1]"], Item, "the path $.items[-1] counts from an array's end"],
      [["$[2147483648]"], Item, "the path $[2147483648] has an index beyond 2147483647"],
      [
        ["$['a\\\\b']"],
        Item,
        "the path $['a\\\\b'] has a name that is not written plainly in JSON",
      ],
      [["$"], fields({ 'a"b': "string" }), '"a\\"b" is not written plainly in JSON'],
      [["$"], fields({ a: { b: "=\n" } }), '"\\n" is not written plainly in JSON'],
      [["$"], fields({ "\ud800": "string" }), '"\\ud800" is not written plainly in JSON'],
      [Array(9).fill("$.a"), Item, "there are 9 paths, and at most 8 are compiled"],
      [
        ["$" + ".a".repeat(33)],
        Item,
        `the path $${".a".repeat(33)} has 33 steps, and at most 32 are compiled`,
      ],
      [["$"], wide(65), "an object has 65 members, and at most 64 are compiled"],
      [
        ["$"],
        fields({ ["a".repeat(1 << 16)]: "string" }),
        "its fields are beyond 256 columns, or their names too long",
      ],
    ] as const;
    for (const [paths, schema, why] of cases) {
      const choice = decodingChoice(paths, schema);
      assertEquals([choice.way, choice.why], ["JSON.parse", why]);
    }
  });

  it("says columns exactly where there is a program", () => {
    const many = fields(
      Object.fromEntries(Array.from({ length: 5 }, (_, n) => [`m${n}`, wide(52).shape])),
    );
    for (const schema of [Item, wide(64), wide(65), many]) {
      for (const path of ["$", "$.a[0]", "$[2147483647]", "$.a['b','c']", "$" + ".a".repeat(32)]) {
        const rule = fieldsRule(schema);
        const isCompiled = rule !== undefined && compileProgram([path], rule) !== undefined;
        assertEquals(decodingChoice([path], schema).way === "columns", isCompiled, path);
      }
    }
  });

  it("refuses what is no path", () => {
    assertThrows(() => decodingChoice(["items"], Item), SyntaxError);
  });
});

describe("choiceOf()", () => {
  it("finds what an operator carries, also one of another copy of the library", () => {
    const choice = decodingChoice(["$"], Item);
    const operator = fused<unknown, unknown>(() => {});
    assertEquals(choiceOf(operator), undefined);
    Object.assign(operator, { [Symbol.for("penstock.decoding")]: choice });
    assertEquals(choiceOf(operator), choice);
  });
});
