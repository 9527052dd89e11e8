/**
 * JSON Schemas as field types: what of a JSON Schema (draft 2020-12) can be said in the notation of `fields`. Only types
 * are taken over. Bounds, formats and patterns are left to whoever made the JSON Schema, and validates.
 *
 * @module
 */

import { type FieldType, type ObjectRule, objectRule, type ScalarType } from "./field_rule.ts";
import { isJsonObject } from "./json_path/comparison.ts";

/** Why something can't be taken apart into fields. */
export class Unsuited {
  /** A clause such as `"tags" is an array`. */
  readonly why: string;

  constructor(why: string) {
    this.why = why;
  }
}

/**
 * The rule for the objects that a JSON Schema describes, or why there is none.
 *
 * Every member must be a string, a number, a boolean or an object of such members. Enumerations and constants count as
 * their types. Scalars may be null or missing. Objects that may be null or missing are required by the rule, which is
 * narrower than the JSON Schema there: what does not fit the rule has to be looked at in another way. The same holds if
 * the JSON Schema itself describes an object or null.
 *
 * @example A nullable number and an array
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { jsonSchemaRule, Unsuited } from "./json_schema_fields.ts";
 * const price = { anyOf: [{ type: "number", minimum: 0 }, { type: "null" }] };
 * const rule = jsonSchemaRule({ type: "object", properties: { price }, required: ["price"] });
 * assertEquals(!(rule instanceof Unsuited) && rule.members[0]?.rule, {
 *   kind: "number",
 *   mayBeMissing: false,
 *   mayBeNull: true,
 * });
 * const tags = { type: "array", items: { type: "string" } };
 * assertEquals(
 *   jsonSchemaRule({ type: "object", properties: { tags } }),
 *   new Unsuited('"tags" is an array'),
 * );
 * ```
 */
export function jsonSchemaRule(schema: unknown): ObjectRule | Unsuited {
  const type = fieldType(schema, true, []);
  if (type instanceof Unsuited) return type;
  if (typeof type === "string") return new Unsuited(`it is a ${type}, not an object`);
  try {
    return objectRule(type);
  } catch (error) {
    // Objects in one another may be too deep.
    if (error instanceof RangeError) return new Unsuited(error.message);
    throw error;
  }
}

/** @param path names from the outermost object to this one */
function fieldType(
  schema: unknown,
  isRequired: boolean,
  path: readonly string[],
): FieldType | Unsuited {
  const types = typesOf(schema);
  const [type, ...others] = [...types].filter((name) => name !== "null");
  if (type === undefined || others.length > 0) return unsuited(path, described(schema, types));
  if (type === "object") return objectType(objectSchema(schema), path);
  if (!isScalar(type)) return unsuited(path, described(schema, types));
  return `${type}${types.has("null") ? "|null" : ""}${isRequired ? "" : "?"}`;
}

function objectType(schema: unknown, path: readonly string[]): FieldType | Unsuited {
  if (!isJsonObject(schema)) return unsuited(path, "a union of objects");
  const { properties, required, additionalProperties } = schema;
  if (!isJsonObject(properties)) return unsuited(path, "an object with members of any name");
  if (additionalProperties !== undefined) {
    const what = additionalProperties === false ? "refuses" : "keeps";
    return unsuited(path, `an object that ${what} members that are not named`);
  }
  const names: readonly unknown[] = Array.isArray(required) ? required : [];
  const fields: [string, FieldType][] = [];
  for (const [name, member] of Object.entries(properties)) {
    const at = [...path, name];
    // Libraries differ in what they make of it, and so do ways to make an object.
    if (name === "__proto__") return unsuited(at, "a name that objects have a meaning for");
    const type = fieldType(member, names.includes(name), at);
    if (type instanceof Unsuited) return type;
    fields.push([name, type]);
  }
  return Object.fromEntries(fields);
}

/** The types of the values that a JSON Schema admits; empty if it doesn't say, or in a way that isn't looked into. */
function typesOf(schema: unknown): ReadonlySet<string> {
  if (!isJsonObject(schema)) return new Set();
  const { type, anyOf } = schema;
  const given: readonly unknown[] = type !== undefined
    ? [type].flat()
    : "const" in schema
    ? [typeOfValue(schema.const)]
    : Array.isArray(schema.enum)
    ? schema.enum.map(typeOfValue)
    : [];
  if (given.length > 0) return new Set(given.map((name) => numeric(String(name))));
  if (!Array.isArray(anyOf)) return new Set();
  const branches = anyOf.map(typesOf);
  // A branch that admits anything makes the whole admit anything.
  if (branches.some(({ size }) => size === 0)) return new Set();
  return new Set(branches.flatMap((names) => [...names]));
}

/** The one schema of an object among alternatives; undefined if there are several. */
function objectSchema(schema: unknown): unknown {
  if (!isJsonObject(schema) || schema.type !== undefined) return schema;
  if (!Array.isArray(schema.anyOf)) return undefined;
  const [only, ...others] = schema.anyOf.filter((branch) => typesOf(branch).has("object"));
  return others.length === 0 ? objectSchema(only) : undefined;
}

function isScalar(type: string): type is ScalarType {
  return type === "string" || type === "number" || type === "boolean";
}

function numeric(type: string): string {
  return type === "integer" ? "number" : type;
}

function typeOfValue(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

function unsuited(path: readonly string[], what: string): Unsuited {
  return new Unsuited(`${path.length === 0 ? "it" : JSON.stringify(path.join("."))} is ${what}`);
}

function described(schema: unknown, types: ReadonlySet<string>): string {
  if (types.size > 1) return `a union of ${[...types].join(" and ")}`;
  const [type] = types;
  if (type !== undefined) return type === "array" ? "an array" : type;
  if (!isJsonObject(schema)) return "anything";
  if ("$ref" in schema) return "defined elsewhere ($ref)";
  if ("oneOf" in schema || "anyOf" in schema) return "a union";
  if ("allOf" in schema) return "an intersection";
  return "not" in schema ? "defined by what it is not" : "anything";
}
