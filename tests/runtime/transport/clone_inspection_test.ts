/**
 * The look ahead says what structured clone does, which is asked as the judge.
 *
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  CloneInspection,
  INSPECTED_DEPTH_MAX,
  INSPECTED_PARTS_MAX,
} from "../../../runtime/transport/clone_inspection.ts";

class Account {
  owner: unknown = "me";
}
class Cache extends Map<string, unknown> {}

const inspected = (value: unknown) => new CloneInspection().inspect(value);

describe("CloneInspection.inspect()", () => {
  it("finds nothing in what can be cloned", () => {
    const fine: readonly unknown[] = [
      1,
      "a",
      null,
      undefined,
      true,
      1n,
      [],
      [1, [2]],
      { a: { b: 1 } },
      new Date(1),
      /x/,
      Object("boxed"),
      new Error("x", { cause: { a: 1 } }),
      new Map([[{ a: 1 }, new Set([1])]]),
      new Account(),
      new Cache([["a", 1]]),
      new Uint8Array(3),
      new ArrayBuffer(3),
      new SharedArrayBuffer(3),
      new Blob(["x"]),
    ];
    for (const value of [...fine, ...fine]) {
      structuredClone(value);
      assertEquals(inspected(value), undefined);
    }
  });

  it("finds what can't be cloned, also after an instance of the class that could be", () => {
    assertEquals(inspected(new Account()), undefined);
    const bad: readonly (readonly [unknown, string])[] = [
      [() => 1, ""],
      [Symbol("s"), ""],
      [new WeakMap(), ""],
      [new WeakRef({}), ""],
      [Promise.resolve(), ""],
      [{ a: [0, new Set([1, () => 1])] }, ".a[1][1]"],
      [new Map<string, unknown>([["a", 1], ["b", Symbol("s")]]), "[1]"],
      [new Cache([["a", () => 1]]), "[0]"],
      [Object.assign(new Account(), { owner: () => 1 }), ".owner"],
      [Object.assign(new Account(), { owner: new WeakSet() }), ".owner"],
      [new Error("x", { cause: () => 1 }), ""],
    ];
    for (const [value, path] of bad) {
      assertThrows(() => structuredClone(value));
      const finding = inspected(value);
      assert(finding?.kind === "uncloneable");
      assertEquals(finding.path, path);
    }
  });

  it("says so when it can't see the end", () => {
    const list: unknown[] = [];
    list.push(list);
    const nested = (depth: number) =>
      Array.from({ length: depth }).reduce<unknown>((inner) => [inner], 1);
    assertEquals(inspected(list), { kind: "unbounded" });
    assertEquals(inspected(nested(INSPECTED_DEPTH_MAX)), undefined);
    assertEquals(inspected(nested(INSPECTED_DEPTH_MAX + 1)), { kind: "unbounded" });
    assertEquals(inspected(new Array(INSPECTED_PARTS_MAX - 1).fill(0)), undefined);
    assertEquals(inspected(new Array(INSPECTED_PARTS_MAX).fill(0)), { kind: "unbounded" });
  });

  it("adds up what it saw", () => {
    const inspection = new CloneInspection();
    inspection.inspect({ name: "x".repeat(100), data: new Uint8Array(50), at: 1 });
    assertEquals(inspection.bytes, 16 + 4 + 100 + 4 + 16 + 50 + 2 + 8);
  });
});
