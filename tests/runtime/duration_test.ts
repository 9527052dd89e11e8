import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type Duration, milliseconds } from "../../runtime/duration.ts";

describe("milliseconds()", () => {
  it("reads numbers as milliseconds and texts by their unit", () => {
    const cases: [Duration, number][] = [
      [0, 0],
      [20, 20],
      ["0s", 0],
      ["250ms", 250],
      ["5s", 5000],
      ["15m", 900_000],
      ["1.5h", 5_400_000],
      ["7d", 604_800_000],
    ];
    for (const [duration, expected] of cases) assertEquals(milliseconds(duration), expected);
  });

  it("rounds to whole milliseconds", () => {
    assertEquals([milliseconds(1.5), milliseconds(0.4), milliseconds("0.0006s")], [2, 0, 1]);
  });

  it("refuses what is negative, not finite or no duration, and says what was given", () => {
    for (const duration of [-1, NaN, Infinity] as const) {
      assertThrows(() => milliseconds(duration), RangeError, `duration ${duration}:`);
    }
    const texts = ["-5s", "5", "5 s", "s", "5S", "1e3s", "5s5s", ".5s", ""];
    for (const text of texts) {
      assertThrows(() => milliseconds(text as Duration), RangeError, `duration "${text}":`);
    }
  });
});
