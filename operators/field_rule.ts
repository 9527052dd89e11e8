/**
 * What the field types of `fields()` mean, taken apart once: by these rules values are validated, and decoders that
 * read fields straight from bytes are made.
 *
 * @module
 */

/** Objects in one another that fields may describe. */
export const FIELDS_DEPTH_MAX = 16;

/** The types of single values. */
export type ScalarType = "string" | "number" | "boolean";

/**
 * The type of a field, as it is written:
 * - `"string"`, `"number"` (finite), `"boolean"`;
 * - with `|null` behind it: may be null;
 * - with `?` at the end: may be missing, and then reads undefined;
 * - `"=PAID"`: the string `PAID` and nothing else;
 * - an object of field types.
 */
export type FieldType =
  | ScalarType
  | `${ScalarType}?`
  | `${ScalarType}|null`
  | `${ScalarType}|null?`
  | `=${string}`
  | { readonly [name: string]: FieldType };

/** What a value must be. */
export type FieldRule = ScalarRule | LiteralRule | ObjectRule;

/** A single value. */
export interface ScalarRule {
  readonly kind: ScalarType;
  readonly mayBeMissing: boolean;
  readonly mayBeNull: boolean;
}

/** One string and no other. */
export interface LiteralRule {
  readonly kind: "literal";
  readonly value: string;
}

/** An object; other members than these don't matter. */
export interface ObjectRule {
  readonly kind: "object";
  /** Names from the outermost object to this one. */
  readonly path: readonly string[];
  /** In the order in which they were written. */
  readonly members: readonly FieldMember[];
}

/** A field of an object. */
export interface FieldMember {
  readonly name: string;
  /** Names from the outermost object to this field. */
  readonly path: readonly string[];
  readonly rule: FieldRule;
}

const SCALAR = /^(string|number|boolean)(\|null)?(\?)?$/;

/**
 * The rule for an object of these fields.
 *
 * @throws {TypeError} if something in it is no field type
 * @throws {RangeError} if objects are more than {@linkcode FIELDS_DEPTH_MAX} deep
 *
 * @example An optional number
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { objectRule } from "./field_rule.ts";
 * const [price] = objectRule({ price: "number?" }).members;
 * assertEquals(price?.rule, { kind: "number", mayBeMissing: true, mayBeNull: false });
 * ```
 */
export function objectRule(shape: { readonly [name: string]: FieldType }): ObjectRule {
  return ruleOfObject(shape, []);
}

function ruleOfObject(shape: unknown, path: readonly string[]): ObjectRule {
  if (typeof shape !== "object" || shape === null || Array.isArray(shape)) {
    throw new TypeError(
      `Cannot make fields of ${described(shape)}: expected an object of field types`,
    );
  }
  if (path.length >= FIELDS_DEPTH_MAX) {
    throw new RangeError(
      `Cannot make fields at ${path.join(".")}: objects are more than ${FIELDS_DEPTH_MAX} deep`,
    );
  }
  const members = Object.entries(shape)
    .map(([name, type]) => {
      const at = [...path, name];
      return { name, path: at, rule: ruleOf(type, at) };
    });
  return { kind: "object", path, members };
}

function ruleOf(type: unknown, path: readonly string[]): FieldRule {
  if (typeof type === "object" && type !== null && !Array.isArray(type)) {
    return ruleOfObject(type, path);
  }
  if (typeof type === "string") {
    if (type.startsWith("=")) return { kind: "literal", value: type.slice(1) };
    const [, kind, nullable, optional] = SCALAR.exec(type) ?? [];
    if (kind === "string" || kind === "number" || kind === "boolean") {
      return { kind, mayBeMissing: optional !== undefined, mayBeNull: nullable !== undefined };
    }
  }
  throw new TypeError(
    `Cannot make the field ${path.join(".")} of ${
      described(type)
    }: expected "string", "number" or "boolean", ` +
      'with "|null" and "?" behind it or not, "=" and a text, or an object of field types',
  );
}

function described(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return "an array";
  return value === null ? "null" : `a value of type ${typeof value}`;
}
