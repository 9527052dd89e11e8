import { assertEquals, AssertionError, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  assertSpyCall,
  assertSpyCallArgs,
  assertSpyCalls,
  MockError,
  returnsNext,
  spy,
  stub,
} from "@std/testing/mock";

class Counter {
  count = 0;
  add(amount: number): number {
    this.count += amount;
    return this.count;
  }
}

describe("mock", () => {
  it("spy() remembers arguments, results and errors", () => {
    const half = spy((value: number) => {
      if (value % 2 !== 0) throw new RangeError("odd");
      return value / 2;
    });
    assertEquals(half(4), 2);
    assertThrows(() => half(3), RangeError);
    assertSpyCalls(half, 2);
    assertSpyCall(half, 0, { args: [4], returned: 2 });
    assertSpyCall(half, 1, { args: [3], error: { Class: RangeError, msgIncludes: "odd" } });
    assertThrows(() => assertSpyCalls(half, 1), AssertionError);
    assertThrows(() => assertSpyCall(half, 0, { args: [5] }), AssertionError);
    assertThrows(() => assertSpyCall(half, 0, { returned: 3 }), AssertionError);
    assertThrows(() => assertSpyCall(half, 2), AssertionError);
  });

  it("spy() of a method leaves it working and restores it", () => {
    const counter = new Counter();
    const add = spy(counter, "add");
    assertEquals(counter.add(2), 2);
    assertSpyCallArgs(add, 0, [2]);
    add.restore();
    counter.add(1);
    assertSpyCalls(add, 1);
    assertEquals(counter.count, 3);
    assertThrows(() => add.restore(), MockError);
  });

  it("stub() replaces a method until the end of the block", () => {
    const counter = new Counter();
    {
      using add = stub(counter, "add", returnsNext([7, 8]));
      assertEquals([counter.add(1), counter.add(1)], [7, 8]);
      assertThrows(() => counter.add(1), MockError);
      assertSpyCalls(add, 3);
    }
    assertEquals(counter.add(1), 1);
  });
});
