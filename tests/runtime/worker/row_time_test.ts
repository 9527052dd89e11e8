import { assertAlmostEquals, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { RowTime } from "../../../runtime/worker/row_time.ts";

describe("RowTime", () => {
  it("is the mean over rows, not over times", () => {
    const time = new RowTime();
    assertEquals(time.mean, undefined);
    time.add(1, 1);
    time.add(1, 99);
    assertEquals(time.mean, 0.02);
  });

  it("follows what is new", () => {
    const time = new RowTime();
    for (let turn = 0; turn < 100; turn++) time.add(1, 100);
    for (let turn = 0; turn < 100; turn++) time.add(8, 100);
    assertAlmostEquals(time.mean ?? 0, 0.08, 1e-3);
  });
});
