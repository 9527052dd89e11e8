import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { firstDifference } from "./comparison.ts";
import type { GoldenOutput } from "./golden_file.ts";

const byKey = ({ key }: GoldenOutput) => String(key);
const asList = () => undefined;
const row = (step: number, key: string, out: unknown): GoldenOutput => ({ step, key, out });

describe("comparing what came out", () => {
  it("keeps order within a group, and none between groups", () => {
    const expected = [row(0, "a", 1), row(0, "a", 2), row(0, "b", 3)];
    const mixed = [row(0, "b", 3), row(0, "a", 1), row(0, "a", 2)];
    assertEquals(firstDifference(expected, mixed, byKey), undefined);
    assertEquals(firstDifference(expected, mixed, asList)?.step, 0);
    const turned = [row(0, "a", 2), row(0, "a", 1), row(0, "b", 3)];
    assertEquals(firstDifference(expected, turned, byKey)?.step, 0);
  });

  it("finds the first step that differs, missing and extra ones included", () => {
    const expected = [row(0, "a", 1), row(3, "a", 2)];
    assertEquals(firstDifference(expected, [row(0, "a", 1)], byKey), {
      step: 3,
      expected: [{ key: "a", out: 2 }],
      actual: [],
    });
    assertEquals(firstDifference(expected, [...expected, row(1, "b", 1)], byKey)?.step, 1);
    assertEquals(firstDifference(expected, [row(0, "a", 1), row(4, "a", 2)], byKey)?.step, 3);
  });

  it("does not look at the order of fields, but at all of them", () => {
    const expected = [row(0, "a", { x: 1, y: [1, 2] })];
    assertEquals(firstDifference(expected, [row(0, "a", { y: [1, 2], x: 1 })], byKey), undefined);
    assertEquals(firstDifference(expected, [row(0, "a", { x: 1, y: [2, 1] })], byKey)?.step, 0);
    assertEquals(
      firstDifference(expected, [row(0, "a", { x: 1, y: [1, 2], z: 1 })], byKey)?.step,
      0,
    );
  });

  it("takes watermarks and statuses behind the records, in their own order", () => {
    const records = [row(1, "a", 1)];
    const marks: GoldenOutput[] = [{ step: 1, watermark: 7 }, { step: 1, status: "idle" }];
    assertEquals(firstDifference([...records, ...marks], [...marks, ...records], byKey), undefined);
    assertEquals(
      firstDifference([...records, ...marks], [...records, ...marks.toReversed()], byKey)?.step,
      1,
    );
  });

  it("takes any error at the same step as the same", () => {
    const expected: GoldenOutput[] = [{ step: 2, error: { class: "A", message: "one" } }];
    assertEquals(firstDifference(expected, [{ step: 2, error: "other" }], byKey), undefined);
    assertEquals(firstDifference(expected, [{ step: 1, error: "other" }], byKey)?.step, 1);
    assertEquals(firstDifference(expected, [], byKey)?.step, 2);
  });
});
