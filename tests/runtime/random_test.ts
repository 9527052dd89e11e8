import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type Random, seededRandom, systemRandom } from "../../runtime/random.ts";

const take = (random: Random, count: number) => Array.from({ length: count }, () => random());

describe("seededRandom()", () => {
  it("gives the numbers of mulberry32, on every machine the same", () => {
    const scaled = take(seededRandom(1), 3).map((value) => value * 2 ** 32);
    assertEquals(scaled, [2_693_262_067, 11_749_833, 2_265_367_787]);
  });

  it("repeats for a seed and differs between seeds", () => {
    assertEquals(take(seededRandom(7), 5), take(seededRandom(7), 5));
    assertNotEquals(take(seededRandom(7), 5), take(seededRandom(8), 5));
  });

  it("stays in [0, 1) and spreads evenly", () => {
    const tenths = new Array<number>(10).fill(0);
    for (const value of take(seededRandom(42), 10_000)) {
      assert(value >= 0 && value < 1);
      const tenth = Math.floor(value * 10);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    assert(tenths.every((count) => count > 850 && count < 1150), tenths.join(" "));
  });
});

describe("systemRandom()", () => {
  it("gives a new number in [0, 1) each call", () => {
    const values = take(systemRandom, 20);
    assert(values.every((value) => value >= 0 && value < 1));
    assert(new Set(values).size > 1);
  });
});
