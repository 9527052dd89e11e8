import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { chaosOptions } from "./chaos_options.ts";

describe("chaosOptions()", () => {
  it("reads what it is told, and has something for the rest", () => {
    assertEquals(chaosOptions(["--rounds", "3", "--seed", "7", "--kill", "hang"]), {
      ...{ rounds: 3, seed: 7, kill: "hang", rate: 100, workers: 2 },
    });
    assertEquals(chaosOptions([]).rounds, 200);
  });

  it("refuses what can't be", () => {
    assertThrows(() => chaosOptions(["--kill", "all"]), RangeError, 'Cannot kill "all"');
    assertThrows(() => chaosOptions(["--workers", "0"]), RangeError, "--workers 0");
  });
});
