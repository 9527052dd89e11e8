import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { closingOf, findingAt, isIn, sourceFile } from "./source_file.ts";

const codeOf = (text: string) => sourceFile("a.ts", text).code;

describe("sourceFile()", () => {
  it("blanks comments and the insides of literals, and keeps places", () => {
    const cases: Record<string, string> = {
      'a("x // y"); // z': 'a("      ");     ',
      "a('it\\'s'); b": "a('     '); b",
      "a /* b\nc */ d": "a     \n     d",
      "`a ${b + `c ${d}`} e` + f": "`  ${b + `  ${d}`}  ` + f",
      "`${{ a: {} }.a} b` + c": "`${{ a: {} }.a}  ` + c",
      "`\\${a} $b`; c": "`        `; c",
      'x = /["\\/[/]/g; "a"': 'x = /       /g; " "',
      "a / b / c": "a / b / c",
      "return /'/.test(a)": "return / /.test(a)",
      "(a) / 2; // b": "(a) / 2;     ",
    };
    for (const [text, code] of Object.entries(cases)) assertEquals(codeOf(text), code);
  });
});

describe("findings", () => {
  it("findingAt() has the line, from 1", () => {
    const file = sourceFile("a.ts", "one\ntwo\nthree");
    assertEquals([0, 3, 4, 8].map((index) => findingAt(file, index, "").line), [1, 1, 2, 3]);
  });

  it("closingOf() finds the bracket of the same depth", () => {
    assertEquals(closingOf("a({ b: [1] }, c) d", 1), 15);
    assertEquals(closingOf("(a", 0), 2);
  });

  it("isIn() tells files and folders", () => {
    assertEquals(isIn("a/b.ts", ["a/"]), true);
    assertEquals(isIn("a/b.ts", ["a/b.ts"]), true);
    assertEquals(isIn("a/b.ts", ["a/b", "b.ts", "b/"]), false);
  });
});
