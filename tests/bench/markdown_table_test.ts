/**
 * Columns are as wide as their widest cell, so that the formatter has nothing to do.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { markdownTable } from "./markdown_table.ts";

describe("markdownTable()", () => {
  it("puts names to the left and figures to the right, in columns of one width", () => {
    assertEquals(
      markdownTable(["a", "b", "long"], [["word", "x", "1"], ["", "y", "1000000"]], 2).split("\n"),
      [
        "| a    | b   |    long |",
        "| ---- | --- | ------: |",
        "| word | x   |       1 |",
        "|      | y   | 1000000 |",
      ],
    );
  });

  it("fills up rows that are too short", () => {
    assertEquals(markdownTable(["a", "b"], [["x"]], 1).split("\n").at(-1), "| x   |     |");
  });
});
