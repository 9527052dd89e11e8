import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  bytesText,
  coresText,
  countText,
  durationText,
  percentText,
} from "../../../runtime/scaling/scaling_text.ts";

describe("figures", () => {
  it("are written for people", () => {
    const ms = [3, 999, 2500, 60_000, 300_000, 21_600_000];
    assertEquals(ms.map(durationText), ["3 ms", "999 ms", "2.5 s", "60 s", "5 min", "6 h"]);
    assertEquals([12, 49.11, 3400, 5.6e6].map(bytesText), ["12 B", "49 B", "3.4 kB", "5.6 MB"]);
    assertEquals([coresText(0.256), percentText(0.256)], ["0.26 cores", "26 %"]);
    assertEquals([0, 1, 2].map((count) => countText(count, "worker")), [
      "0 workers",
      "1 worker",
      "2 workers",
    ]);
  });
});
