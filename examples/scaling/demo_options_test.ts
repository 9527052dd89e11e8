import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { UsageError } from "../../runtime/cli/arguments.ts";
import { DEMO_HELP, parseDemoOptions } from "./demo_options.ts";

const parse = (line: string) => parseDemoOptions(line.split(" ").filter((word) => word !== ""));

describe("parseDemoOptions()", () => {
  it("takes every flag, and 90 s on at most 3 workers without any", () => {
    const base = { help: false, seconds: 90, minWorkers: 1, maxWorkers: 3, seed: 1, lines: false };
    assertEquals(parse(""), base);
    assertEquals(parse("--seconds 120 --min-workers 2 --max-workers=6 --seed 9 --lines -h"), {
      ...{ help: true, seconds: 120, minWorkers: 2, maxWorkers: 6, seed: 9, lines: true },
    });
    for (const flag of ["seconds", "min-workers", "max-workers", "seed", "lines"]) {
      assertStringIncludes(DEMO_HELP, `--${flag} `);
    }
  });

  it("refuses what can't be", () => {
    const cases = [
      ["--seconds 29", "Cannot use --seconds 29: expected a whole number from 30"],
      ["--max-workers 0", "Cannot use --max-workers 0: expected a whole number from 1"],
      ["--min-workers 4", "Cannot use --min-workers 4 with --max-workers 3: expected at most 3"],
      ["--fast", "Cannot read the command line: "],
    ] as const;
    for (const [line, message] of cases) assertThrows(() => parse(line), UsageError, message);
  });
});
