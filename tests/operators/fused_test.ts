import { assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Subject } from "../../deps.ts";
import { fused, type Step, stepOf } from "../../operators/fused.ts";
import { map, of } from "../runtime/deps.ts";

/** Puts out each number as often as it says; refuses negative ones and throws at 13. */
const repeat: Step<number, number> = (value, emit, refusals) => {
  if (value === 13) throw new RangeError("unlucky");
  if (value < 0) return refusals.refuse(value, `found ${value}, expected a number from 0`);
  for (let i = 0; i < value; i++) emit(value);
};

/** What a pipe gives for some numbers, its end included. */
function outcome(...values: number[]) {
  const seen: unknown[] = [];
  of(...values).pipe(fused(repeat), map((value) => value * 10)).subscribe({
    next: (value) => seen.push(value),
    error: (error) => seen.push(error),
    complete: () => seen.push("completed"),
  });
  return seen;
}

describe("fused()", () => {
  it("is an operator in any pipe: none, one or many outputs for each value, in order", () => {
    assertEquals(outcome(2, 0, 1), [20, 20, 10, "completed"]);
  });

  it("errors the stream for a refused value and for a throw", () => {
    for (
      const [value, message] of [[-1, "found -1, expected a number from 0"], [
        13,
        "unlucky",
      ]] as const
    ) {
      const [first, error, ...rest] = outcome(1, value, 1);
      assertInstanceOf(error, Error);
      assertEquals([first, error.message, rest], [10, message, []]);
    }
  });

  it("lets go of its source when unsubscribed, and passes errors on", () => {
    const source = new Subject<number>();
    const errors: unknown[] = [];
    const first = source.pipe(fused(repeat)).subscribe({ error() {} });
    source.pipe(fused(repeat)).subscribe({ error: (error) => errors.push(error) });
    first.unsubscribe();
    source.error("broken");
    assertEquals([errors, source.observed], [["broken"], false]);
  });
});

describe("stepOf()", () => {
  it("gives the plain function of a fused operator, and nothing for others", () => {
    assertStrictEquals(stepOf(fused(repeat)), repeat);
    assertEquals(stepOf(map((value: number) => value)), undefined);
  });
});
