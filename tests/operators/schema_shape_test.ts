/**
 * Schemas of zod against documents: where a shape is said to be known, validating a document and validating just the
 * members that the rule names must give the same, down to the order of members.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { ObjectRule } from "../../operators/field_rule.ts";
import { fields, fieldsRule } from "../../operators/fields.ts";
import { shapeOf } from "../../operators/schema_shape.ts";
import type { StandardSchema } from "../../operators/standard_schema.ts";
import { arktype, v, z, zm } from "../deps.ts";
import { documentsFor, outcomeOf, picked } from "./shaped_documents.ts";

const id = z.string();
const Place = z.object({ city: z.string(), zip: z.number().optional() });
const isShort = (text: string) => text.length < 5;
const count = (value: unknown) => Object.keys(Object(value)).length;

const known: Readonly<Record<string, StandardSchema<unknown>>> = {
  "plain members": z.object({ id, at: z.number(), paid: z.boolean() }),
  "no members": z.object({}),
  "names that objects have": z.object({
    constructor: z.string().optional(),
    toString: z.string().optional(),
    valueOf: z.string().default("a"),
    hasOwnProperty: z.number(),
  }),
  "names like indexes, which come first": z.object({ b: id, 2: id, 1: z.number() }),
  "bounds and formats": z.object({
    text: z.string().min(2).max(5).regex(/^[a-zA-Z]/),
    at: z.iso.datetime().optional(),
    n: z.int().nonnegative().max(100).multipleOf(5),
  }),
  "null, missing, both": z.object({ a: id.nullable(), b: id.optional(), c: id.nullish() }),
  "exactOptional": z.object({ a: id.exactOptional(), b: z.number().exactOptional() }),
  "nonoptional": z.object({ a: id.optional().nonoptional() }),
  "defaults and prefaults": z.object({ a: id.default("a"), b: z.number().prefault(5) }),
  "catch of members": z.object({
    a: z.string().min(3).catch("?"),
    b: z.number().max(3).optional().catch(1),
  }),
  "enums and literals": z.object({
    a: z.enum(["PAID", "x"]),
    b: z.literal("PAID").nullable(),
    c: z.literal(["x", null]).optional(),
    d: z.literal([5, 0]),
    e: z.literal(true),
    f: z.templateLiteral([z.string(), "D"]).optional(),
  }),
  "coerced members": z.object({
    a: z.coerce.string(),
    b: z.coerce.number(),
    c: z.coerce.boolean().optional(),
  }),
  "z.preprocess of members": z.object({
    a: z.preprocess((value) => value ?? "none", z.string()),
    b: z.preprocess(String, z.string().optional()),
  }),
  "transforms of members": z.object({
    a: z.string().transform((text) => new Date(text)),
    b: z.string().transform(() => undefined),
    c: z.string().transform(Number).pipe(z.number().positive()).optional(),
    d: z.number().overwrite(Math.abs).brand("d"),
  }),
  "codecs of members": z.object({
    a: z.codec(z.string(), z.number(), { decode: Number, encode: String }),
    b: z.stringbool().optional(),
  }),
  "objects in objects": z.object({ id, place: Place.extend({ at: Place.pick({ zip: true }) }) }),
  "objects that may be null or missing": z.object({
    a: Place.nullable(),
    b: Place.optional(),
    c: Place.nullish().default(null),
  }).nullable(),
  "z.lazy and getters": z.object({
    place: z.lazy(() => Place),
    get other() {
      return Place.partial();
    },
  }),
  "refine and superRefine": z.object({ id, place: Place.refine(({ city }) => isShort(city)) })
    .refine((value) => count(value) === 2)
    .superRefine(({ id }, context) => {
      if (isShort(id)) context.addIssue({ code: "custom", message: `short: ${id}` });
    }),
  "transform": z.object({ id, place: Place.transform(count) }).transform((value) => [value, count]),
  "transform that throws": z.object({ id }).transform(({ id }) => {
    if (isShort(id)) throw new RangeError(`Cannot take ${id}`);
    return id;
  }),
  "pipe": z.object({ id }).pipe(z.looseObject({ id }).transform(count)),
  "codec": z.codec(z.object({ id }), z.strictObject({ size: z.number() }), {
    decode: (value) => ({ size: count(value) }),
    encode: () => ({ id: "" }),
  }),
  "intersection": z.intersection(
    z.object({ id, place: Place }),
    z.object({ at: z.number(), place: z.object({ city: z.string(), street: z.string() }) }),
  ),
  "intersection with a refined one, transformed": z.object({ id }).refine(({ id }) => isShort(id))
    .and(z.object({ at: z.number() })).transform(count),
  "strip": z.looseObject({ id }).strip(),
  "extend, omit, required": Place.extend({ id }).omit({ zip: true }).required(),
  "readonly, brand, describe, meta": z.object({ id }).readonly().brand("x").describe("An id")
    .meta({ title: "Id", examples: [{ id: "a" }] }),
  "default, prefault, optional": z.object({ id }).default({ id: "a" }).optional()
    .prefault({ id: "b" }),
};

const deep = (levels: number): z.ZodType =>
  levels === 0 ? z.string() : z.object({ a: deep(levels - 1) });
const recursive = z.object({
  id,
  get next() {
    return recursive.optional();
  },
});

const unknown: readonly (readonly [string, StandardSchema<unknown>, string])[] = [
  ["z.strictObject", z.strictObject({ id }), "it is an object that refuses members"],
  ["z.looseObject", z.looseObject({ id }), "it is an object that keeps members"],
  ["passthrough", z.object({ id }).loose(), "it is an object that keeps members"],
  ["catchall", z.object({ id }).catchall(z.number()), "it is an object that keeps members"],
  ["catchall(z.never())", z.object({ id }).catchall(z.never()), "refuses members"],
  ["a strict member", z.object({ a: z.object({ b: z.strictObject({ id }) }) }), '"a.b" is an obj'],
  [
    "a loose member",
    z.object({ a: z.looseObject({ id }).nullish() }),
    '"a" is an object that keep',
  ],
  ["an array", z.array(z.object({ id })), "it is an array"],
  ["a string", z.string(), "it is a string, not an object"],
  ["an array member", z.object({ tags: z.array(id) }), '"tags" is an array'],
  ["a tuple member", z.object({ a: z.object({ b: z.tuple([id]) }) }), '"a.b" is an array'],
  ["a union member", z.object({ a: z.union([id, z.number()]) }), "a union of string and number"],
  ["a mixed enum", z.object({ a: z.literal(["x", 5]) }), '"a" is a union of string and number'],
  ["an array or null", z.object({ a: z.array(id).nullable() }), "a union of array and null"],
  ["a union of objects", z.object({ a: Place.or(z.object({ id })) }), '"a" is a union of objects'],
  ["a union with anything", z.object({ a: z.union([id, z.any()]) }), '"a" is a union'],
  [
    "z.discriminatedUnion",
    z.discriminatedUnion("kind", [
      z.object({ kind: z.literal("A"), id }),
      z.object({ kind: z.literal("B") }),
    ]),
    "it is a union",
  ],
  ["z.null", z.object({ a: z.null() }), '"a" is null'],
  ["z.record", z.record(z.string(), id), "it is an object with members of any name"],
  ["z.record as a member", z.object({ a: z.record(z.string(), id) }), '"a" is an object with mem'],
  ["z.unknown", z.object({ a: z.unknown() }), '"a" is anything'],
  ["z.never", z.object({ a: z.never() }), '"a" is defined by what it is not'],
  ["z.date", z.object({ a: z.date() }), "its JSON Schema can't be had: Date cannot be repres"],
  ["z.coerce.date", z.object({ a: z.coerce.date() }), "its JSON Schema can't be had: Date cannot"],
  ["z.bigint", z.object({ a: z.bigint() }), "its JSON Schema can't be had: BigInt cannot"],
  ["z.custom", z.object({ a: z.custom<string>() }), "its JSON Schema can't be had: Custom types"],
  ["a symbol", z.object({ id, [Symbol("s")]: id }), "its JSON Schema can't be had: Symbol keys"],
  ["what refers to itself", recursive, '"next" is defined elsewhere ($ref)'],
  ["what has an id", z.object({ a: Place.meta({ id: "Place" }) }), '"a" is defined elsewhere ($re'],
  ["too many levels", deep(17), "objects are more than 16 deep"],
  ["__proto__", z.object({ ["__proto__"]: id }), '"__proto__" is a name that objects have'],
  // What their JSON Schemas don't tell.
  [
    "z.preprocess",
    z.preprocess((value) => ({ id: `${count(value)}` }), z.object({ id })),
    "z.tran",
  ],
  ["a member's z.preprocess", z.object({ a: z.preprocess((a) => a, Place) }), '"a" is of z.transf'],
  ["catch", z.object({ id: z.string().min(9) }).catch({ id: "?" }), "it is of z.catch, which may"],
  [
    "an intersection with a loose one",
    z.object({ id }).and(z.looseObject({ at: z.number() })).transform(count).pipe(z.number()),
    "it refuses or keeps members",
  ],
  ["an intersection with a strict one", z.object({ id }).and(z.strictObject({ id })), "it refuses"],
  ["a pipe from a loose one", z.looseObject({ id }).pipe(z.object({ id })), "keeps members"],
  [
    "meta that hides a member",
    z.object({ id, at: z.number() }).meta({ properties: { id: { type: "string" } }, required: [] }),
    'it has "at", which its JSON Schema hides',
  ],
  [
    "meta that makes an object of something else",
    z.object({ a: z.any().meta({ type: "object", properties: {} }) }),
    '"a" is of z.any, which may see members that are not named',
  ],
  ["zod mini", zm.object({ id: zm.string() }), "zod shows no JSON Schema of it"],
  ["valibot", v.object({ id: v.string() }), "valibot shows no JSON Schema of it"],
  ["arktype", arktype({ id: "string" }), "arktype's JSON Schema doesn't say"],
  [
    "arktype, where the JSON Schemas of input and output are those of an object that strips",
    arktype({ id: "string" }).pipe(
      (value) => ({ id: String(count(value)) }),
      arktype({ id: "string", "+": "reject" }),
    ),
    "arktype's JSON Schema doesn't say",
  ],
];

describe("shapeOf()", () => {
  it("gives the rule of fields", () => {
    const Event = fields({ id: "string", kind: "=PAID" });
    const shape = shapeOf(Event);
    assert(shape.kind === "fields");
    assertEquals(shape.rule, fieldsRule(Event));
  });

  it("gives the members of a JSON Schema in order, with what they may be", () => {
    const shape = shapeOf(z.object({
      b: z.int().nullish(),
      a: z.enum(["x", "y"]),
      place: z.object({ isCity: z.boolean().optional() }).optional(),
    }));
    assert(shape.kind === "jsonSchema");
    const members = shape.rule.members.map(({ name, rule }) => [name, rule]);
    assertEquals(members, [
      ["b", { kind: "number", mayBeMissing: true, mayBeNull: true }],
      ["a", { kind: "string", mayBeMissing: false, mayBeNull: false }],
      ["place", {
        kind: "object",
        path: ["place"],
        members: [{
          name: "isCity",
          path: ["place", "isCity"],
          rule: { kind: "boolean", mayBeMissing: true, mayBeNull: false },
        }],
      }],
    ]);
  });

  for (const [name, schema] of Object.entries(known)) {
    it(`knows the shape of zod's objects: ${name}`, () => {
      const shape = shapeOf(schema);
      assert(shape.kind === "jsonSchema", JSON.stringify(shape));
      assertSameWithPicked(schema, shape.rule);
    });
  }

  for (const [name, schema, why] of unknown) {
    it(`doesn't know the shape of: ${name}`, () => {
      const shape = shapeOf(schema);
      assert(shape.kind === "none", JSON.stringify(shape));
      assertStringIncludes(shape.why, why);
    });
  }

  it("doesn't take a wrapper for what it wraps", () => {
    const standard = z.object({ id })["~standard"];
    const counting: StandardSchema<number> = {
      "~standard": {
        ...standard,
        validate: (value) => ({ value: count(value) }),
        types: undefined,
      },
    };
    assertEquals(shapeOf(counting), { kind: "none", why: "it is no schema of zod 4" });
  });

  it("never throws, whatever a library does when asked", () => {
    const throwing = (what: unknown): StandardSchema<unknown> =>
      Object.assign({}, {
        "~standard": {
          version: 1 as const,
          vendor: "zod",
          validate: (value: unknown) => ({ value }),
          jsonSchema: {
            input() {
              throw what;
            },
          },
        },
      });
    assertEquals(shapeOf(throwing("no")), {
      kind: "none",
      why: "its JSON Schema can't be had: no",
    });
    assertEquals(shapeOf(throwing(new Error("Not now"))), {
      kind: "none",
      why: "its JSON Schema can't be had: Not now",
    });
  });
});

/** Compares for every document that fits the rule; fails if too few do, or none is accepted. */
function assertSameWithPicked(schema: StandardSchema<unknown>, rule: ObjectRule): void {
  let fitting = 0;
  let accepted = 0;
  for (const text of documentsFor(rule)) {
    const some = picked(JSON.parse(text), rule);
    if (some === undefined) continue;
    fitting++;
    const whole = outcomeOf(schema, JSON.parse(text));
    if (whole.startsWith("accepted")) accepted++;
    assertEquals(outcomeOf(schema, some), whole, text);
  }
  assert(fitting >= 2, `Only ${fitting} documents fit`);
  assert(accepted > 0, "No document was accepted");
}
