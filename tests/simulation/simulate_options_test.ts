import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { simulateOptions } from "./simulate_options.ts";

describe("simulateOptions()", () => {
  it("takes seeds, the first of them, and a bug", () => {
    assertEquals(simulateOptions([]), { seeds: 2000, seed: 1, plant: undefined });
    assertEquals(
      simulateOptions(["--seeds", "5", "--seed", "7", "--plant", "delta lost"]),
      { seeds: 5, seed: 7, plant: "delta lost" },
    );
  });

  it("refuses what it can't run, naming it", () => {
    assertThrows(() => simulateOptions(["--seeds", "0"]), RangeError, "--seeds 0");
    assertThrows(() => simulateOptions(["--seed", "x"]), RangeError, "--seed x");
    assertThrows(() => simulateOptions(["--plant", "y"]), RangeError, '"delta lost"');
  });
});
