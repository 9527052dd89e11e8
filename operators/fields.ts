/**
 * A schema whose structure can be seen. Other schemas are functions: a record must be parsed wholly before they look at
 * it. Of this one the engine knows which fields are wanted, and reads just those from the bytes of a record.
 *
 * @module
 */

import { type FieldMember, type FieldType, type ObjectRule, objectRule } from "./field_rule.ts";
import { isJsonObject } from "./json_path/comparison.ts";
import type { Issue, StandardSchema, Validation } from "./standard_schema.ts";

/** The type of a field's values. */
export type FieldValue<F> = F extends `=${infer Text}` ? Text
  : F extends `${infer Rest}?` ? FieldValue<Rest> | undefined
  : F extends `${infer Rest}|null` ? FieldValue<Rest> | null
  : F extends "string" ? string
  : F extends "number" ? number
  : F extends "boolean" ? boolean
  : F extends object ? { readonly [N in keyof F]: FieldValue<F[N]> }
  : never;

/**
 * A Standard Schema that shows its structure.
 *
 * @typeParam S the field types as they were written
 */
export interface Fields<S> extends StandardSchema<{ readonly [N in keyof S]: FieldValue<S[N]> }> {
  /** The field types: a frozen copy. */
  readonly shape: S;
}

const rules = new WeakMap<object, ObjectRule>();

/**
 * Describes objects by the fields that are wanted of them; see {@linkcode FieldType} for what can be said.
 *
 * Validating gives a new plain object with exactly these fields, in the order in which they are written here; a field
 * that may be missing, and is, is there as `undefined`. Members that are not named don't matter. Only own properties
 * count, so that `constructor` is missing from `{}`. Everything that is wrong becomes an issue with its path.
 *
 * @throws {TypeError} if something in `shape` is no field type
 * @throws {RangeError} if objects in it are too deep
 *
 * @example An event with a place
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { fields } from "./fields.ts";
 * import { validator } from "./standard_schema.ts";
 * const Event = fields({ id: "string", at: "number", note: "string?", place: { city: "string" } });
 * const validate = validator(Event);
 * assertEquals(validate({ place: { city: "Bern", zip: 3000 }, at: 5, id: "a" }), {
 *   value: { id: "a", at: 5, note: undefined, place: { city: "Bern" } },
 * });
 * assertEquals(validate({ id: "a", at: 5, place: {} }), {
 *   issues: [{ message: "Expected a string, found nothing", path: ["place", "city"] }],
 * });
 * ```
 */
export function fields<const S extends { readonly [name: string]: FieldType }>(
  shape: S,
): Fields<S> {
  type Out = { readonly [N in keyof S]: FieldValue<S[N]> };
  const rule = objectRule(shape);
  const schema: Fields<S> = Object.freeze({
    shape: frozenCopy(shape) as S,
    "~standard": {
      version: 1 as const,
      vendor: "penstock",
      validate(value: unknown): Validation<Out> {
        const issues: Issue[] = [];
        const accepted = acceptedObject(value, rule, issues);
        // The rule is the shape's, so that what it accepts is of the shape's type.
        return issues.length > 0 ? { issues } : { value: accepted as Out };
      },
    },
  });
  rules.set(schema, rule);
  return schema;
}

/**
 * The rule of a schema that {@linkcode fields} made; undefined for any other.
 *
 * @example Fields and something else
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { fields, fieldsRule } from "./fields.ts";
 * const rule = fieldsRule(fields({ kind: "=PAID" }));
 * assertEquals(rule?.members[0]?.rule, { kind: "literal", value: "PAID" });
 * assertEquals(fieldsRule({}), undefined);
 * ```
 */
export function fieldsRule(schema: object): ObjectRule | undefined {
  return rules.get(schema);
}

function frozenCopy(shape: { readonly [name: string]: FieldType }): object {
  return Object.freeze(Object.fromEntries(
    Object.entries(shape)
      .map(([name, type]) => [name, typeof type === "string" ? type : frozenCopy(type)]),
  ));
}

function acceptedObject(value: unknown, rule: ObjectRule, issues: Issue[]): unknown {
  if (!isJsonObject(value)) {
    const message = `Expected an object, found ${described(value)}`;
    issues.push({ message, path: rule.path });
    return undefined;
  }
  const accepted: Record<string, unknown> = {};
  for (const member of rule.members) {
    const { name } = member;
    const found = Object.hasOwn(value, name) ? value[name] : undefined;
    define(accepted, name, acceptedMember(found, member, issues));
  }
  return accepted;
}

function acceptedMember(value: unknown, { rule, path }: FieldMember, issues: Issue[]): unknown {
  switch (rule.kind) {
    case "object":
      return acceptedObject(value, rule, issues);
    case "literal":
      if (value === rule.value) return value;
      issues.push({
        message: `Expected ${JSON.stringify(rule.value)}, found ${described(value)}`,
        path,
      });
      return undefined;
    case "string":
    case "boolean":
    case "number":
      if (typeof value === rule.kind && (typeof value !== "number" || Number.isFinite(value))) {
        return value;
      }
      if (value === undefined && rule.mayBeMissing) return undefined;
      if (value === null && rule.mayBeNull) return null;
      issues.push({ message: `Expected a ${rule.kind}, found ${described(value)}`, path });
      return undefined;
    default:
      return rule satisfies never;
  }
}

/** Written plainly, `__proto__` would set the prototype. */
function define(target: Record<string, unknown>, name: string, value: unknown): void {
  if (name === "__proto__") {
    const own = { value, enumerable: true, configurable: true, writable: true };
    Object.defineProperty(target, name, own);
  } else {
    target[name] = value;
  }
}

function described(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
