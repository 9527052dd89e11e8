/**
 * Rows are cut at newlines, and a file that is not whole is noticed.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { loadInput, rowTexts } from "./input.ts";

function withFile(content: string, check: (path: string) => void): void {
  const path = Deno.makeTempFileSync();
  try {
    Deno.writeTextFileSync(path, content);
    check(path);
  } finally {
    Deno.removeSync(path);
  }
}

describe("loadInput()", () => {
  it("finds the rows, and rowTexts() gives any run of them", () => {
    withFile("one\n\nthree\n", (path) => {
      const input = loadInput(path, 3);
      const texts: string[] = [];
      rowTexts(input, 0, 3, texts);
      assertEquals(texts, ["one", "", "three"]);
      rowTexts(input, 2, 3, texts);
      assertEquals(texts[0], "three");
    });
  });

  it("refuses a file with another number of lines, or that ends in the middle of one", () => {
    withFile("one\ntwo\n", (path) => {
      assertThrows(() => loadInput(path, 3), TypeError, "it has 2 lines");
      assertThrows(() => loadInput(path, 1), TypeError, "it has 2 lines");
    });
    withFile("one\ntw", (path) => {
      assertThrows(() => loadInput(path, 1), TypeError, "it has 1 lines in 6 bytes");
    });
  });
});
