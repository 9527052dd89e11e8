import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { FIELDS_DEPTH_MAX, type FieldType, objectRule } from "../../operators/field_rule.ts";
import { jsonSchemaRule, Unsuited } from "../../operators/json_schema_fields.ts";

const text = { type: "string" };
const place = { type: "object", properties: { city: text }, required: ["city"] };
const nothing = { type: "null" };

/** An object with one member, which is required or not. */
const holder = (member: unknown, required: readonly string[] = ["a"]) => ({
  type: "object",
  properties: { a: member },
  required,
});

describe("jsonSchemaRule()", () => {
  it("takes over types, and which members are required or null", () => {
    const cases: readonly (readonly [unknown, FieldType])[] = [
      [{ type: "string", minLength: 2, format: "uuid" }, "string"],
      [{ type: "integer", minimum: 0 }, "number"],
      [{ type: ["number", "integer"] }, "number"],
      [{ type: "boolean" }, "boolean"],
      [{ type: ["string", "null"] }, "string|null"],
      [{ anyOf: [{ type: "integer" }, nothing] }, "number|null"],
      [{ anyOf: [{ anyOf: [text, nothing] }, { enum: ["a"] }], default: "a" }, "string|null"],
      [{ enum: ["a", "b"] }, "string"],
      [{ enum: [1, 2.5, null] }, "number|null"],
      [{ const: true }, "boolean"],
      [{ const: "a", type: "string" }, "string"],
      [place, { city: "string" }],
      [{ anyOf: [place, nothing] }, { city: "string" }],
      [{ type: "object", properties: {} }, {}],
    ];
    for (const [member, type] of cases) {
      assertEquals(jsonSchemaRule(holder(member)), objectRule({ a: type }), JSON.stringify(member));
    }
    assertEquals(jsonSchemaRule(holder(text, [])), objectRule({ a: "string?" }));
    assertEquals(
      jsonSchemaRule(holder({ type: ["number", "null"] }, [])),
      objectRule({ a: "number|null?" }),
    );
    assertEquals(
      jsonSchemaRule({ type: "object", properties: { a: text } }),
      objectRule({ a: "string?" }),
    );
  });

  it("requires objects that may be missing, inside and outside", () => {
    assertEquals(jsonSchemaRule(holder(place, [])), objectRule({ a: { city: "string" } }));
    assertEquals(
      jsonSchemaRule({ anyOf: [nothing, holder(text)] }),
      objectRule({ a: "string" }),
    );
  });

  it("says which member does not suit, and what it is", () => {
    const cases: readonly (readonly [unknown, string])[] = [
      [{ type: "array" }, '"a" is an array'],
      [nothing, '"a" is null'],
      [{ type: ["string", "number"] }, '"a" is a union of string and number'],
      [{ enum: ["x", 5] }, '"a" is a union of string and number'],
      [{ enum: [["x"]] }, '"a" is an array'],
      [{ enum: [] }, '"a" is anything'],
      [{ anyOf: [text, {}] }, '"a" is a union'],
      [{ anyOf: [text, true] }, '"a" is a union'],
      [{ anyOf: [place, place] }, '"a" is a union of objects'],
      [{ anyOf: [place, text] }, '"a" is a union of object and string'],
      [{ oneOf: [text, nothing] }, '"a" is a union'],
      [{ allOf: [text] }, '"a" is an intersection'],
      [{ $ref: "#/$defs/A" }, '"a" is defined elsewhere ($ref)'],
      [{ not: {} }, '"a" is defined by what it is not'],
      [{}, '"a" is anything'],
      [true, '"a" is anything'],
      [{ type: "object" }, '"a" is an object with members of any name'],
      [holder({ type: "array" }), '"a.a" is an array'],
      [
        { ...place, additionalProperties: false },
        '"a" is an object that refuses members that are not named',
      ],
      [
        { ...place, additionalProperties: {} },
        '"a" is an object that keeps members that are not named',
      ],
    ];
    for (const [member, why] of cases) {
      assertEquals(jsonSchemaRule(holder(member)), new Unsuited(why), JSON.stringify(member));
    }
    const own = JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string"}}}');
    assertEquals(
      jsonSchemaRule(own),
      new Unsuited('"__proto__" is a name that objects have a meaning for'),
    );
  });

  it("says what is no object as a whole", () => {
    for (
      const [schema, why] of [
        [text, "it is a string, not an object"],
        [{ type: "array" }, "it is an array"],
        [undefined, "it is anything"],
        [{ anyOf: [place, place] }, "it is a union of objects"],
      ] as const
    ) {
      assertEquals(jsonSchemaRule(schema), new Unsuited(why));
    }
  });

  it("refuses objects that are too deep", () => {
    const deep = (levels: number): unknown => levels === 0 ? text : holder(deep(levels - 1));
    assert(!(jsonSchemaRule(deep(FIELDS_DEPTH_MAX)) instanceof Unsuited));
    const refused = jsonSchemaRule(deep(FIELDS_DEPTH_MAX + 1));
    assert(refused instanceof Unsuited);
    assertEquals(refused.why.endsWith("objects are more than 16 deep"), true);
  });
});
