/**
 * Fields as a schema: what is accepted and as what, issues with their paths, and the types that come of it.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { fields, fieldsRule } from "../../operators/fields.ts";
import { type OutputOf, type StandardSchema, validator } from "../../operators/standard_schema.ts";
import { expectType } from "../types/expect_type.ts";

const Event = fields({
  kind: "=PAID",
  at: "number",
  note: "string?",
  seat: "number|null",
  vip: "boolean|null?",
  place: { city: "string", zip: "string?" },
});

const whole = {
  kind: "PAID",
  at: 1,
  note: "n",
  seat: 2,
  vip: true,
  place: { city: "B", zip: "3" },
};

/** Entries in order, since members that are undefined and their order count. */
function entriesOf(schema: StandardSchema<unknown>, value: unknown): unknown {
  const validation = validator(schema)(value);
  return validation.issues ? validation : Object.entries(Object(validation.value));
}

describe("fields()", () => {
  it("has the type of its values", () => {
    const event: OutputOf<typeof Event> = {
      kind: "PAID",
      at: 1,
      note: undefined,
      seat: null,
      vip: undefined,
      place: { city: "B", zip: undefined },
    };
    expectType<{
      readonly kind: "PAID";
      readonly at: number;
      readonly note: string | undefined;
      readonly seat: number | null;
      readonly vip: boolean | null | undefined;
      readonly place: { readonly city: string; readonly zip: string | undefined };
    }>()(event, true);
    expectType<"number">()(Event.shape.at, true);
    expectType<"string">()(Event.shape.place.city, true);
    // @ts-expect-error no such type
    assertThrows(() => fields({ at: "date" }), TypeError, '"date"');
    // @ts-expect-error the question mark comes last
    assertThrows(() => fields({ at: "string?|null" }), TypeError, "at");
  });

  it("accepts objects with these fields, and gives new ones with just them, in order", () => {
    const value = { more: 1, ...whole, place: { x: 1, ...whole.place } };
    const reversed = Object.fromEntries(Object.entries(value).reverse());
    assertEquals(entriesOf(Event, reversed), Object.entries(whole));
    const validation = validator(Event)(whole);
    assert(!validation.issues && validation.value !== whole);
    assert(!validation.issues && validation.value.place !== whole.place);
  });

  it("has members that may be missing, and are, as undefined", () => {
    assertEquals(entriesOf(Event, { kind: "PAID", at: 1, seat: null, place: { city: "B" } }), [
      ["kind", "PAID"],
      ["at", 1],
      ["note", undefined],
      ["seat", null],
      ["vip", undefined],
      ["place", { city: "B", zip: undefined }],
    ]);
  });

  it("tells everything that is wrong, and where", () => {
    const place = { city: ["B"], zip: null };
    assertEquals(entriesOf(Event, { kind: "FREE", at: "1", note: null, vip: 0, place }), {
      issues: [
        { message: 'Expected "PAID", found a string', path: ["kind"] },
        { message: "Expected a number, found a string", path: ["at"] },
        { message: "Expected a string, found null", path: ["note"] },
        { message: "Expected a number, found nothing", path: ["seat"] },
        { message: "Expected a boolean, found a number", path: ["vip"] },
        { message: "Expected a string, found an array", path: ["place", "city"] },
        { message: "Expected a string, found null", path: ["place", "zip"] },
      ],
    });
    for (const value of [null, [], "x", 5, undefined]) {
      const { issues } = validator(Event)(value);
      assertEquals(issues?.map(({ path }) => path), [[]]);
      const inPlace = validator(Event)({ ...whole, place: value });
      assertEquals(inPlace.issues?.map(({ path }) => path), [["place"]]);
    }
  });

  it("takes finite numbers only", () => {
    for (const at of [Infinity, -Infinity, NaN]) {
      const { issues } = validator(fields({ at: "number" }))({ at });
      assertEquals(issues?.[0]?.message, `Expected a number, found ${at}`);
    }
    assertEquals(entriesOf(fields({ at: "number" }), { at: -0 }), [["at", -0]]);
  });

  it("looks at own properties only, and sets own ones", () => {
    const schema = fields({ constructor: "string?", ["__proto__"]: "number|null?" });
    const none = [["constructor", undefined], ["__proto__", undefined]];
    assertEquals(entriesOf(schema, {}), none);
    assertEquals(entriesOf(schema, JSON.parse('{"__proto__":5}')), [none[0], ["__proto__", 5]]);
    assert(validator(fields({ toString: "string" }))({}).issues !== undefined);
  });

  it("does not follow later changes of the shape, nor allow any", () => {
    const shape: { a: "string"; b: { c: "string" | "number" } } = {
      a: "string",
      b: { c: "number" },
    };
    const schema = fields(shape);
    shape.b.c = "string";
    assertEquals(schema.shape.b.c, "number");
    assertEquals(entriesOf(schema, { a: "", b: { c: 1 } }), [["a", ""], ["b", { c: 1 }]]);
    assertEquals(Reflect.set(schema.shape.b, "c", "string"), false);
  });

  it("is known to fieldsRule() as itself only", () => {
    assertEquals(fieldsRule(Event)?.members.length, 6);
    assertEquals(fieldsRule({ ...Event }), undefined);
  });
});
