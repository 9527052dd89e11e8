/**
 * Field types taken apart, and what is none.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  type FieldRule,
  FIELDS_DEPTH_MAX,
  type FieldType,
  objectRule,
  type ScalarType,
} from "../../operators/field_rule.ts";

describe("objectRule()", () => {
  it("takes every type apart", () => {
    const scalar = (kind: ScalarType, mayBeMissing: boolean, mayBeNull: boolean) => ({
      kind,
      mayBeMissing,
      mayBeNull,
    });
    const cases: readonly (readonly [FieldType, FieldRule])[] = [
      ["string", scalar("string", false, false)],
      ["number?", scalar("number", true, false)],
      ["boolean|null", scalar("boolean", false, true)],
      ["string|null?", scalar("string", true, true)],
      ["=PAID", { kind: "literal", value: "PAID" }],
      ["=string?", { kind: "literal", value: "string?" }],
      ["=", { kind: "literal", value: "" }],
    ];
    for (const [type, rule] of cases) {
      assertEquals(objectRule({ field: type }).members, [{ name: "field", path: ["field"], rule }]);
    }
  });

  it("keeps the order and the path of members", () => {
    const rule = objectRule({ b: "string", a: { c: "number" } });
    assertEquals(rule.members.map(({ path }) => path), [["b"], ["a"]]);
    const inner = rule.members[1]?.rule;
    assertEquals(inner?.kind === "object" && inner.members[0]?.path, ["a", "c"]);
  });

  it("refuses what is no field type, and says where", () => {
    for (const type of ["", "strin", "string ?", "string?|null", "null", "string??", 5, null, []]) {
      const make: unknown[] = [{ a: { b: type } }];
      assertThrows(() => Reflect.apply(objectRule, undefined, make), TypeError, "a.b");
    }
    for (const shape of [undefined, null, "string", ["string"]]) {
      assertThrows(() => Reflect.apply(objectRule, undefined, [shape]), TypeError, "fields");
    }
  });

  it("bounds the depth", () => {
    const nested = (depth: number): { readonly a: FieldType } => ({
      a: depth === 1 ? "string" : nested(depth - 1),
    });
    objectRule(nested(FIELDS_DEPTH_MAX));
    assertThrows(() => objectRule(nested(FIELDS_DEPTH_MAX + 1)), RangeError, "deep");
    const endless: Record<string, unknown> = {};
    endless.a = endless;
    assertThrows(() => Reflect.apply(objectRule, undefined, [endless]), RangeError, "deep");
  });
});
