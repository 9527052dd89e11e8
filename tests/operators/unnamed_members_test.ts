import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { objectRule } from "../../operators/field_rule.ts";
import { unnamedMembersFault } from "../../operators/unnamed_members.ts";
import { arktype, z, zm } from "../deps.ts";

const rule = objectRule({ id: "string", place: { city: "string" } });
const Place = z.object({ city: z.string() });
const Item = z.object({ id: z.string(), place: Place });

describe("unnamedMembersFault()", () => {
  it("finds none where objects take their own members first", () => {
    for (
      const schema of [
        Item,
        Item.refine(() => true).transform(() => 1),
        Item.nullish().default(null).readonly(),
        z.lazy(() => Item).prefault({ id: "", place: { city: "" } }),
        Item.optional().nonoptional(),
        Item.pipe(Item.loose()),
        z.object({ id: z.string() }).and(z.object({ place: Place.optional() })),
        zm.object({ id: zm.string() }),
        // A scalar by the rule: its value is the same, whoever looks.
        z.object({ id: z.preprocess(String, z.string()) }),
      ]
    ) {
      assertEquals(unnamedMembersFault(schema, rule), undefined);
    }
  });

  it("says what may see members that the rule does not name", () => {
    const cases: readonly (readonly [unknown, string])[] = [
      [Item.strict(), "it refuses or keeps members that are not named"],
      [Item.loose(), "it refuses or keeps members that are not named"],
      [Item.catchall(z.string()), "it refuses or keeps members that are not named"],
      [z.object({ place: Place.loose() }), '"place" refuses or keeps members'],
      [z.object({ place: Place.catch({ city: "" }) }), '"place" is of z.catch, which may see'],
      [z.preprocess((value) => value, Item), "it is of z.transform, which may see"],
      [Item.and(Item.loose()), "it refuses or keeps members"],
      [Item.loose().and(Item), "it refuses or keeps members"],
      [z.union([Item, z.null()]), "it is of z.union, which may see"],
      [z.record(z.string(), z.string()), "it is of z.record, which may see"],
      [
        z.object({ id: z.string(), more: z.string() }),
        'it has "more", which its JSON Schema hides',
      ],
      [z.object({ place: z.object({ zip: z.string() }) }), '"place" has "zip", which its JSON'],
      [arktype({ id: "string" }), "it is no schema of zod 4"],
      [{ _zod: {} }, "it is no schema of zod 4"],
      [{ _zod: { def: { type: "object" } } }, "it is no schema of zod 4"],
      [undefined, "it is no schema of zod 4"],
    ];
    for (const [schema, fault] of cases) {
      assertStringIncludes(unnamedMembersFault(schema, rule) ?? "", fault);
    }
  });
});
