import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { onlyNamed, side } from "../../runtime/side.ts";

const refuse = (name: string): never => {
  throw new RangeError(`no ${name}`);
};

describe("side()", () => {
  it("is a declaration that says what it is", () => assertEquals(side<number>().kind, "side"));
});

describe("onlyNamed()", () => {
  it("has its entries, whatever they are called, and nothing else", () => {
    const named = onlyNamed([["audit", 1], ["toString", 2]], refuse);
    assertEquals([named["audit"], named["toString"], Object.keys(named)], [1, 2, [
      "audit",
      "toString",
    ]]);
    assertThrows(() => named["adit"], RangeError, "no adit");
  });

  it("can be looked at and taken apart like any object", () => {
    const named = onlyNamed([["audit", 1]], refuse);
    const { audit } = named;
    assertEquals([audit, String(Reflect.get(named, Symbol.iterator)), "audit" in named], [
      1,
      "undefined",
      true,
    ]);
    assertEquals(Deno.inspect(named).includes("audit"), true);
  });
});
