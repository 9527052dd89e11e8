import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ambientIo, ambientRandomness, ambientTime, exactVersions, thirdParty } from "./ambient.ts";
import {
  deadFiles,
  exportDoc,
  fileLength,
  fileName,
  FUNCTION_LINES_MAX,
  functionLength,
  functionsOf,
  hiddenCharacters,
  moduleDoc,
  SOURCE_LINES_MAX,
  TEST_LINES_MAX,
} from "./shape.ts";
import { type Finding, type SourceFile, sourceFile } from "./source_file.ts";
import { silencedChecks, typeEscapes } from "./types.ts";

interface Plants {
  readonly rule: (file: SourceFile) => Finding[];
  /** Where the violations are planted; `runtime/planted.ts` unless said. */
  readonly path?: string;
  /** Texts in which the rule must find something in the last line. */
  readonly broken: readonly string[];
  /** Texts in which it must find nothing. */
  readonly kept: readonly string[];
  /** Paths at which the first broken text is allowed. */
  readonly allowed?: readonly string[];
}

const lines = (count: number) => "a;\n".repeat(count);
const DOC = "/**\n * A.\n *\n * @module\n */\n\n";

const plants: Record<string, Plants> = {
  "ambientTime()": {
    rule: ambientTime,
    broken: [
      "a;\nconst b = Date.now();",
      "new Date()",
      "new Date;",
      "performance.now()",
      "setTimeout(() => {}, 1)",
      "globalThis.setInterval(a)",
      "setImmediate(a)",
      "AbortSignal.timeout(5)",
      'import { setTimeout } from "node:timers/promises";',
      "`${Date.now()}`",
    ],
    kept: [
      "new Date(clock.now())",
      "// Date.now()",
      '"Date.now()"',
      "clock.setTimeout(1)",
      "clearTimeout(timer)",
      "/** setTimeout() */",
      "updateDate.now()",
    ],
    allowed: ["runtime/clock.ts"],
  },
  "ambientRandomness()": {
    rule: ambientRandomness,
    broken: ["Math.random()", "crypto.randomUUID()", "crypto.getRandomValues(a)", "randomBytes(4)"],
    kept: ["random()", "// Math.random()", "seeded.randomUUID()"],
    allowed: ["runtime/random.ts"],
  },
  "ambientIo()": {
    rule: ambientIo,
    broken: [
      'Deno.readTextFile("a")',
      "await fetch(url)",
      "process.env",
      "new Worker(url)",
      'import fs from "node:fs/promises";',
      'await import("node:net")',
      'export * from "node:http";',
    ],
    kept: [
      "error instanceof Deno.errors.NotFound",
      "source.fetch(url)",
      "prefetch(url)",
      'import { Buffer } from "node:buffer";',
      "stream.process.handler",
      '// import fs from "node:fs"',
    ],
    allowed: [
      "connectors/a/b.ts",
      "runtime/main.ts",
      "runtime/ports/a.ts",
      "tests/a.ts",
      "examples/a.ts",
    ],
  },
  "thirdParty()": {
    rule: thirdParty,
    broken: [
      'import { map } from "npm:rxjs@7.8.2";',
      'export * from "jsr:@std/assert@1";',
      'a;\nawait import("https://example.com/a.ts")',
      'type A = import("npm:a@1.0.0").A;',
    ],
    kept: [
      '/** import { map } from "npm:rxjs@7.8.2"; */',
      'const text = `import "npm:a";`;',
      'import "../deps.ts";',
      'const url = "https://example.com";',
    ],
    allowed: ["deps.ts", "tests/deps.ts", "tests/std/a.ts", "tests/a/jobs/b.ts", "examples/a.ts"],
  },
  "exactVersions()": {
    rule: exactVersions,
    path: "deps.ts",
    broken: [
      'import "npm:a";',
      'import "npm:a@^1.0.0";',
      'import "npm:@a/b@1";',
      'import "npm:@a/b/c";',
    ],
    kept: ['import "npm:a@1.0.0";', 'import "npm:@a/b@1.2.3/c/d";', 'import "npm:a@1.0.0-rc.1";'],
  },
  "fileLength()": {
    rule: fileLength,
    broken: [lines(SOURCE_LINES_MAX + 1).trimEnd() + "\n"],
    kept: [lines(SOURCE_LINES_MAX)],
    allowed: ["tests/a_test.ts"],
  },
  "fileLength() of tests": {
    rule: fileLength,
    path: "tests/a_test.ts",
    broken: [lines(TEST_LINES_MAX + 1)],
    kept: [lines(TEST_LINES_MAX)],
  },
  "moduleDoc()": {
    rule: moduleDoc,
    broken: ["const a = 1;", "/** A. */", "// A.\n/** @module */"],
    kept: [DOC],
    allowed: ["mod.ts", "tests/a.ts"],
  },
  "exportDoc()": {
    rule: exportDoc,
    broken: [
      "export const a = 1;",
      "/** B. */\nconst b = 1;\nexport class A {}",
      `${DOC}export function a(): void {}`,
      "// A.\nexport type A = 1;",
      "/** A. */\nexport interface A {}\nexport async function b() {}",
      "/* A. */\nexport let a = 1;",
    ],
    kept: [
      "/** A. */\nexport const a = 1;",
      "/** A. */\n// deno-lint-ignore a\nexport const a = 1;",
      "/**\n * A.\n */\nexport function a(): void;\nexport function a(b?: 1): void {}",
      "const a = 1;",
      'export { a } from "./a.ts";',
      "/** A. */\nexport abstract class A {}",
    ],
    allowed: ["mod.ts", "tests/a.ts"],
  },
  "hiddenCharacters()": {
    rule: hiddenCharacters,
    broken: ["a\x00", "a\r", "\u200b", 'a\n"\u202e"', "\ufeff", "\x1b", "\u2028"],
    kept: ["a\tb\n", "äßµ → ✓ 😀"],
  },
  "typeEscapes()": {
    rule: typeEscapes,
    broken: [
      "a as any",
      "const a: any = 1;",
      "Map<string, any>",
      "a as unknown as B",
      "a!.b",
      "a()!;",
      "a[0]![1]",
      "let a: string | any;",
    ],
    kept: [
      "!a",
      "a !== b",
      "a != b",
      "if (!(a)) b",
      "// any",
      '"as any"',
      "any()",
      "return !a",
      "a as unknown",
    ],
    allowed: ["tests/a.ts"],
  },
  "silencedChecks()": {
    rule: silencedChecks,
    broken: [
      "// @ts-ignore A.",
      "/* @ts-nocheck */",
      "// @ts-expect-error",
      "// deno-lint-ignore no-explicit-any",
      "// deno-lint-ignore eqeqeq no-non-null-assertion",
      "// deno-lint-ignore-file",
    ],
    kept: ["// deno-lint-ignore no-console", '"@ts-ignore"'],
    allowed: ["tests/a.ts"],
  },
};

describe("tidy rules", () => {
  for (
    const [name, { rule, path = "runtime/planted.ts", broken, kept, allowed = [] }] of Object
      .entries(plants)
  ) {
    it(`${name} finds what is planted, and nothing else`, () => {
      for (const text of broken) {
        const findings = rule(sourceFile(path, text));
        assertEquals(findings.map((finding) => finding.path), [path], text.slice(0, 80));
      }
      for (const text of kept) assertEquals(rule(sourceFile(path, text)), [], text.slice(0, 80));
      for (const place of allowed) {
        assertEquals(rule(sourceFile(place, broken[0] ?? "")), [], place);
      }
    });
  }

  it("rules say the line", () => {
    assertEquals(ambientTime(sourceFile("a.ts", "a;\n\nDate.now();"))[0]?.line, 3);
    assertEquals(thirdParty(sourceFile("a.ts", 'a;\nimport "npm:a@1.0.0";'))[0]?.line, 2);
  });

  it("fileName() finds vague names and other cases", () => {
    const names = [
      "runtime/utils.ts",
      "runtime/string_util.ts",
      "runtime/helpers/a.ts",
      "runtime/state_manager.ts",
      "common.ts",
      "tests/misc_test.ts",
      "runtime/camelCase.ts",
      "runtime/kebab-case.ts",
    ];
    const fine = [
      "runtime/clock.ts",
      "tests/std/bdd_test.ts",
      "runtime/uncommon.ts",
      "runtime/managed.ts",
    ];
    const found = [...names, ...fine].filter((path) => fileName(sourceFile(path, "")).length > 0);
    assertEquals(found, names);
  });

  it("functionsOf() finds declarations, methods and arrow functions with their ends", () => {
    const heads = [
      "function a() {",
      "export async function* a<T>(b: { c: number }): Promise<{ d: T }> {",
      "function a(\n  b: number,\n): b is { c: 1 } {",
      "const a = (b: number): string => {",
      "a(async ({ b }) => {",
      "  #a(b = {}): Map<string, { c: 1 }> | undefined {",
      "  static async *a(): AsyncGenerator<B> {",
      "  get a(): { b: number } {",
      "  override a(b: () => void): asserts b is C {",
    ];
    for (const head of heads) {
      const text = `${head}\n${lines(3)}}`;
      assertEquals(functionsOf(text).map(({ end }) => end), [text.length], head);
    }
    const others = [
      "if (a) {\n}",
      "  for (const a of b) {\n}",
      "class A {\n}",
      "interface A {\n  a(): void;\n  b(c: { d: 1 }): { e: 1 };\n}",
      "  a(b, {\n    c: 1,\n  });",
      "const a = {\n};",
      "  switch (a) {\n}",
      "declare function a(): { b: 1 };",
    ];
    for (const text of others) assertEquals(functionsOf(text), [], text);
  });

  it("functionLength() finds a function that is too long, outside of tests", () => {
    const text = (count: number) => `class A {\n  a(): void {\n${lines(count - 2)}  }\n}\n`;
    const findings = (path: string, count: number) => functionLength(sourceFile(path, text(count)));
    assertEquals(findings("runtime/a.ts", FUNCTION_LINES_MAX + 1).map(({ line }) => line), [2]);
    assertEquals(findings("runtime/a.ts", FUNCTION_LINES_MAX), []);
    assertEquals(findings("tests/a.ts", FUNCTION_LINES_MAX + 1), []);
  });

  it("deadFiles() finds what nothing imports, and what only tests import", () => {
    const files = [
      sourceFile("mod.ts", 'export * from "./runtime/a.ts";\n// import "./runtime/dead.ts"'),
      sourceFile(
        "runtime/a.ts",
        'new Worker(new URL("./worker.ts", import.meta.url));\nimport("./lazy.ts")',
      ),
      sourceFile("runtime/worker.ts", 'import type { B } from "../operators/b.ts";'),
      sourceFile("runtime/lazy.ts", ""),
      sourceFile("operators/b.ts", 'import "./b.ts";'),
      sourceFile("runtime/dead.ts", 'import "./dead_too.ts";'),
      sourceFile("runtime/dead_too.ts", ""),
      sourceFile("runtime/tested.ts", ""),
      sourceFile(
        "tests/a_test.ts",
        '"constructor"; import "@std/assert";\nimport "../runtime/tested.ts";',
      ),
      sourceFile("tests/std/assert.ts", ""),
      sourceFile("tests/unused.ts", ""),
      sourceFile("examples/a/job.ts", ""),
    ];
    const findings = deadFiles(files, { "@std/assert": "./tests/std/assert.ts" });
    assertEquals(findings.map(({ path, message }) => [path, message.split(":")[0]]), [
      ["runtime/dead.ts", "Nothing imports this file"],
      ["runtime/dead_too.ts", "Nothing imports this file"],
      ["runtime/tested.ts", "Only tests import this file"],
      ["tests/unused.ts", "Nothing imports this file"],
    ]);
  });
});
