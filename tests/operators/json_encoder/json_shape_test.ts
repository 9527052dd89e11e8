import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  type JsonShape,
  jsonShapeOf,
  ScalarKind,
  SHAPE_MEMBERS_MAX,
  signatureOf,
  widenedShape,
} from "../../../operators/json_encoder/json_shape.ts";

const { STRING, NUMBER, BOOLEAN, NULL, UNDEFINED } = ScalarKind;
const scalar = (key: string, kinds: number) => ({ kind: "scalar", key, kinds } as const);

function shapeOf(value: unknown): JsonShape {
  const shape = jsonShapeOf(value);
  assert(shape !== undefined);
  return shape;
}

const wide = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, key) => [`k${key}`, 1]));

describe("jsonShapeOf()", () => {
  it("lists members in order with their kinds", () => {
    assertEquals(shapeOf({ s: "", n: 1, b: true, z: null, u: undefined, 1: 2 }), {
      members: [
        scalar("1", NUMBER),
        scalar("s", STRING),
        scalar("n", NUMBER),
        scalar("b", BOOLEAN),
        scalar("z", NULL),
        scalar("u", UNDEFINED),
      ],
    });
    assertEquals(shapeOf({ a: { b: "" } }), {
      members: [{ kind: "object", key: "a", shape: { members: [scalar("b", STRING)] } }],
    });
  });

  it("knows none for what JSON.stringify treats specially", () => {
    class Named {
      name = "";
    }
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    const special: readonly unknown[] = [
      undefined,
      null,
      1,
      "text",
      [],
      Object.setPrototypeOf([], Object.prototype),
      new Date(0),
      new Named(),
      new Number(1),
      () => 1,
      { f: () => 1 },
      { s: Symbol() },
      { big: 1n },
      { list: [] },
      { at: new Date(0) },
      { toJSON: 1 },
      JSON.parse('{"__proto__":1}'),
      { rawJSON: "1" },
      {
        get read() {
          throw new RangeError("Read");
        },
      },
      cycle,
    ];
    for (const value of special) assertEquals(jsonShapeOf(value), undefined, Deno.inspect(value));
  });

  it("counts members of members", () => {
    assert(jsonShapeOf(wide(SHAPE_MEMBERS_MAX)) !== undefined);
    assertEquals(jsonShapeOf(wide(SHAPE_MEMBERS_MAX + 1)), undefined);
    const half = SHAPE_MEMBERS_MAX / 2;
    assertEquals(jsonShapeOf({ ...wide(half), inside: wide(half) }), undefined);
  });
});

describe("signatureOf()", () => {
  it("tells keys, their order and their nesting apart", () => {
    const values = [
      { a: 1, b: 1 },
      { b: 1, a: 1 },
      { a: { b: 1 } },
      { a: {}, b: 1 },
      { a: 1, b: {} },
      { 'a"b': 1 },
      { "a": 1 },
      {},
      { a: {} },
      { a: { b: {} } },
    ];
    assertEquals(new Set(values.map((value) => signatureOf(shapeOf(value)))).size, values.length);
  });
});

describe("widenedShape()", () => {
  it("joins kinds at every depth", () => {
    const joined = widenedShape(
      shapeOf({ a: 1, b: { c: "" } }),
      shapeOf({ a: null, b: { c: true } }),
    );
    assertEquals(joined, {
      members: [
        scalar("a", NUMBER | NULL),
        { kind: "object", key: "b", shape: { members: [scalar("c", STRING | BOOLEAN)] } },
      ],
    });
  });

  it("is the shape itself if that has all kinds already", () => {
    const shape = shapeOf({ a: 1, b: { c: "" } });
    assertStrictEquals(widenedShape(shape, shapeOf({ a: 2, b: { c: "x" } })), shape);
  });

  it("throws for other keys", () => {
    assertThrows(
      () => widenedShape(shapeOf({ a: 1 }), shapeOf({ b: 1 })),
      RangeError,
      'Cannot join the shapes {"a"} and {"b"}',
    );
  });
});
