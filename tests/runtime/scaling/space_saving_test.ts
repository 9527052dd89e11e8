import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { seededRandom } from "../../../runtime/random.ts";
import { SpaceSaving } from "../../../runtime/scaling/space_saving.ts";

describe("SpaceSaving", () => {
  it("counts exactly while there are counters", () => {
    const sketch = new SpaceSaving<string>(3);
    for (const key of "abacab") sketch.add(key);
    assertEquals(sketch.top(2), [
      { key: "a", count: 3, error: 0 },
      { key: "b", count: 2, error: 0 },
    ]);
  });

  it("gives the smallest counter to a key that has none", () => {
    const sketch = new SpaceSaving<string>(2);
    for (const key of "aaabc") sketch.add(key);
    assertEquals(sketch.top(9), [
      { key: "a", count: 3, error: 0 },
      { key: "c", count: 2, error: 1 },
    ]);
    assertEquals(sketch.total, 5);
  });

  it("has every key that came more than total / capacity times, with counts that bound the true ones", () => {
    for (let seed = 1; seed <= 50; seed++) {
      const random = seededRandom(seed);
      const capacity = 4 + Math.floor(random() * 28);
      const sketch = new SpaceSaving<number>(capacity);
      const truth = new Map<number, number>();
      for (let i = 0; i < 3000; i++) {
        const key = Math.floor(200 * random() ** 4);
        const times = random() < 0.1 ? 3 : 1;
        truth.set(key, (truth.get(key) ?? 0) + times);
        sketch.add(key, times);
      }
      const top = sketch.top(capacity);
      for (const { key, count, error } of top) {
        const times = truth.get(key) ?? 0;
        assert(count - error <= times && times <= count, `seed ${seed}, key ${key}`);
        assert(error <= sketch.total / capacity, `seed ${seed}, key ${key}: error ${error}`);
      }
      const named = new Set(top.map(({ key }) => key));
      for (const [key, times] of truth) {
        assert(times <= sketch.total / capacity || named.has(key), `seed ${seed}: no key ${key}`);
      }
    }
  });

  it("counts what was before half once it fades, with bounds that hold", () => {
    const sketch = new SpaceSaving<string>(2);
    for (const key of "aaaabbc") sketch.add(key);
    sketch.fade();
    assertEquals(sketch.total, 3.5);
    for (const key of "ccc") sketch.add(key);
    assertEquals(sketch.top(2), [
      { key: "c", count: 4.5, error: 1 },
      { key: "a", count: 2, error: 0 },
    ]);
  });

  it("needs a counter", () => {
    for (const capacity of [0, 1.5, NaN]) {
      assertThrows(() => new SpaceSaving(capacity), RangeError, "expected a whole number from 1");
    }
  });
});
