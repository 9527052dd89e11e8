/**
 * What rows have in common that one function writes: their keys in order, those of plain objects inside them, and what
 * kinds of scalars have been seen under each key. Everything that `JSON.stringify` treats specially has no shape.
 *
 * @module
 */

import { isPlainObject } from "../../runtime/transport/row_shape.ts";

/** Objects with more members than this, members of members counted, have no shape. */
export const SHAPE_MEMBERS_MAX = 64;

/** Kinds of scalars, as bits. */
export const ScalarKind = { STRING: 1, NUMBER: 2, BOOLEAN: 4, NULL: 8, UNDEFINED: 16 } as const;

/** A member whose values are scalars of these kinds. */
export interface ScalarMember {
  readonly kind: "scalar";
  readonly key: string;
  /** Bits of {@linkcode ScalarKind}. */
  readonly kinds: number;
}

/** A member whose values are plain objects of one shape. */
export interface ObjectMember {
  readonly kind: "object";
  readonly key: string;
  readonly shape: JsonShape;
}

/** The members of an object, in order. */
export interface JsonShape {
  readonly members: readonly (ScalarMember | ObjectMember)[];
}

/**
 * Keys that a shape can't have: `__proto__` may be a key or the prototype, and an object that `JSON.rawJSON` made is told
 * from others by nothing else that is cheap to look at.
 */
const SPECIAL_KEYS: ReadonlySet<string> = new Set(["__proto__", "rawJSON"]);

/**
 * The shape of a value; undefined if it has none: no plain object, too many members, an accessor, or a value inside it
 * that is neither a scalar nor of a shape itself. No accessor is called to find out.
 *
 * @example Objects with and without a shape
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { jsonShapeOf, ScalarKind } from "./json_shape.ts";
 * const kinds = ScalarKind.STRING;
 * assertEquals(jsonShapeOf({ id: "a" }), { members: [{ kind: "scalar", key: "id", kinds }] });
 * assertEquals(jsonShapeOf({ ids: ["a"] }), undefined);
 * ```
 */
export function jsonShapeOf(value: unknown): JsonShape | undefined {
  return shapeWithin(value, { left: SHAPE_MEMBERS_MAX });
}

function shapeWithin(value: unknown, members: { left: number }): JsonShape | undefined {
  if (!isPlainObject(value) || Array.isArray(value)) return undefined;
  if ("toJSON" in value) return undefined;
  const keys = Object.keys(value);
  members.left -= keys.length;
  if (members.left < 0) return undefined;
  const found: (ScalarMember | ObjectMember)[] = [];
  for (const key of keys) {
    const property = Object.getOwnPropertyDescriptor(value, key);
    if (property === undefined || !("value" in property) || SPECIAL_KEYS.has(key)) return undefined;
    const kinds = scalarKindOf(property.value);
    if (kinds !== undefined) {
      found.push({ kind: "scalar", key, kinds });
    } else {
      const shape = shapeWithin(property.value, members);
      if (shape === undefined) return undefined;
      found.push({ kind: "object", key, shape });
    }
  }
  return { members: found };
}

function scalarKindOf(value: unknown): number | undefined {
  switch (typeof value) {
    case "string":
      return ScalarKind.STRING;
    case "number":
      return ScalarKind.NUMBER;
    case "boolean":
      return ScalarKind.BOOLEAN;
    case "undefined":
      return ScalarKind.UNDEFINED;
    default:
      return value === null ? ScalarKind.NULL : undefined;
  }
}

/**
 * A text that is the same for shapes that differ in kinds of scalars only, which {@linkcode widenedShape} can join.
 *
 * @example Kinds don't matter, keys do
 * ```ts
 * import { assert, assertEquals } from "@std/assert";
 * import { jsonShapeOf, signatureOf } from "./json_shape.ts";
 * const signature = (value: unknown) => signatureOf(jsonShapeOf(value) ?? { members: [] });
 * assertEquals(signature({ a: 1 }), signature({ a: "x" }));
 * assert(signature({ a: 1 }) !== signature({ a: { b: 1 } }));
 * ```
 */
export function signatureOf({ members }: JsonShape): string {
  let text = "{";
  for (const member of members) {
    text += JSON.stringify(member.key);
    if (member.kind === "object") text += signatureOf(member.shape);
  }
  return text + "}";
}

/**
 * The shape of rows of either shape: the first itself if it has all the kinds of the other. Both must have the same
 * signature.
 *
 * @throws {RangeError} if they don't
 *
 * @example A number that may be null
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { jsonShapeOf, ScalarKind, widenedShape } from "./json_shape.ts";
 * const [one, other] = [jsonShapeOf({ a: 1 }), jsonShapeOf({ a: null })];
 * if (one === undefined || other === undefined) throw new TypeError("No shape");
 * const kinds = ScalarKind.NUMBER | ScalarKind.NULL;
 * assertEquals(widenedShape(one, other), { members: [{ kind: "scalar", key: "a", kinds }] });
 * ```
 */
export function widenedShape(shape: JsonShape, other: JsonShape): JsonShape {
  const members = shape.members.map((member, index) => {
    const another = other.members[index];
    if (another !== undefined && another.key === member.key) {
      if (member.kind === "scalar" && another.kind === "scalar") {
        const kinds = member.kinds | another.kinds;
        return kinds === member.kinds ? member : { ...member, kinds };
      }
      if (member.kind === "object" && another.kind === "object") {
        const inner = widenedShape(member.shape, another.shape);
        return inner === member.shape ? member : { ...member, shape: inner };
      }
    }
    throw new RangeError(
      `Cannot join the shapes ${signatureOf(shape)} and ${signatureOf(other)}: expected equal keys`,
    );
  });
  return members.every((member, index) => member === shape.members[index]) ? shape : { members };
}
