/**
 * What can be seen of a schema's structure: which members of an object it reads, and of what types they are. A decoder
 * that knows it reads just those from the bytes of a record.
 *
 * @module
 */

import type { ObjectRule } from "./field_rule.ts";
import { fieldsRule } from "./fields.ts";
import { isJsonObject } from "./json_path/comparison.ts";
import { jsonSchemaRule, Unsuited } from "./json_schema_fields.ts";
import type { StandardSchema } from "./standard_schema.ts";
import { unnamedMembersFault } from "./unnamed_members.ts";

/** The dialect that JSON Schemas are asked for in. */
const TARGET = "draft-2020-12";

/** The structure of a schema, or why it can't be seen. */
export type SchemaShape =
  /** Made by `fields`: what fits the rule is valid as it is. */
  | { readonly kind: "fields"; readonly rule: ObjectRule }
  /** Of another library: what fits the rule must be validated by the schema itself. */
  | { readonly kind: "jsonSchema"; readonly rule: ObjectRule }
  | { readonly kind: "none"; readonly why: string };

/**
 * The structure of a schema, of `fields` or of a library that speaks Standard JSON Schema
 * (https://standardschema.dev/json-schema).
 *
 * With `"jsonSchema"`, `validate` gives the same for a document that fits the rule and for a plain object of just the
 * members that the rule names, where missing ones are left out. A document fits if its members are of the rule's types;
 * what doesn't has to be validated wholly. Refinements, transforms, defaults and bounds are the schema's own affair.
 *
 * A JSON Schema alone doesn't say what `validate` sees of other members (arktype's is the same with and without a `pipe`
 * that counts them), so only zod's is used, together with its definition: see {@linkcode unnamedMembersFault}.
 *
 * Never throws: libraries do for what JSON Schema can't say, and that is a `why`.
 *
 * @example Objects of zod
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { z } from "npm:zod@4.6.7";
 * import { shapeOf } from "./schema_shape.ts";
 * assertEquals(shapeOf(z.object({ at: z.number().positive() })).kind, "jsonSchema");
 * assertEquals(shapeOf(z.object({ tags: z.array(z.string()) })), {
 *   kind: "none",
 *   why: '"tags" is an array',
 * });
 * ```
 */
export function shapeOf(schema: StandardSchema<unknown>): SchemaShape {
  const own = fieldsRule(schema);
  if (own !== undefined) return { kind: "fields", rule: own };
  try {
    return libraryShape(schema);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: "none", why: `its JSON Schema can't be had: ${reason}` };
  }
}

function libraryShape(schema: StandardSchema<unknown>): SchemaShape {
  const standard: object = schema["~standard"];
  const { vendor } = schema["~standard"];
  if (!speaksJsonSchema(standard)) return none(`${vendor} shows no JSON Schema of it`);
  if (vendor !== "zod") {
    return none(
      `${vendor}'s JSON Schema doesn't say whether members that it doesn't name are seen`,
    );
  }
  const rule = jsonSchemaRule(standard.jsonSchema.input({ target: TARGET }));
  if (rule instanceof Unsuited) return none(rule.why);
  const fault = unnamedMembersFault(schema, rule);
  return fault === undefined ? { kind: "jsonSchema", rule } : none(fault);
}

function none(why: string): SchemaShape {
  return { kind: "none", why };
}

/** The part of Standard JSON Schema, version 1, that is used. */
interface JsonSchemaConverter {
  readonly jsonSchema: { input(options: { readonly target: string }): unknown };
}

function speaksJsonSchema(standard: object): standard is JsonSchemaConverter {
  return "jsonSchema" in standard && isJsonObject(standard.jsonSchema) &&
    typeof standard.jsonSchema.input === "function";
}
