/**
 * Rules about the shape of files: how long, what called, how documented, in which characters, and that each is in use.
 *
 * @module
 */

import { reachable } from "./imports.ts";
import { closingOf, type Finding, findingAt, isIn, type SourceFile } from "./source_file.ts";

/** Lines of a source file: one concept, one to three screens. */
export const SOURCE_LINES_MAX = 400;
/** Lines of a file under tests/. */
export const TEST_LINES_MAX = 600;
/** Lines of a function, its head included. */
export const FUNCTION_LINES_MAX = 80;

const LIBRARY = ["runtime/", "operators/", "connectors/"];
/** What is started by name. */
const PROGRAMS = [
  "mod.ts",
  "runtime/main.ts",
  "runtime/penstock.ts",
  "tests/bench/main.ts",
  "tests/chaos/job_process.ts",
  "tests/chaos/kinesis_process.ts",
  "tests/chaos/main.ts",
  "tests/simulation/main.ts",
  "tests/conformance/main.ts",
  "tests/fuzz/decoder.ts",
  "tests/fuzz/encoder.ts",
  "tests/runtime/ports/control_socket_cases.ts",
  "tests/workers/hanging_program.ts",
];
/** Source of WebAssembly modules, in another language: its compiler says what is missing or not in use. */
const COMPILED_APART = ["operators/decoder/assembly/", "runtime/state/key_table/assembly/"];
const VAGUE_NAME = /(?:^|[/_.])(utils?|helpers?|managers?|common|misc)(?=[/_.]|$)/;
/** What no text needs and eyes miss: control characters, and those that reorder or hide text. */
const HIDDEN = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;
const SEEN = "\t\n";

/** A file is short. */
export function fileLength({ path, text }: SourceFile): Finding[] {
  const max = path.startsWith("tests/") ? TEST_LINES_MAX : SOURCE_LINES_MAX;
  const lines = text.split("\n").length - 1;
  if (lines <= max) return [];
  return [{ path, line: max, message: `${lines} lines, at most ${max}: cut it by concept` }];
}

/** A function outside tests is short. */
export function functionLength(file: SourceFile): Finding[] {
  if (file.path.startsWith("tests/")) return [];
  return functionsOf(file.code).flatMap(({ start, end }) => {
    const lines = file.text.slice(start, end).split("\n").length;
    if (lines <= FUNCTION_LINES_MAX) return [];
    const message = `A function of ${lines} lines, at most ${FUNCTION_LINES_MAX}: cut it by step`;
    return [findingAt(file, start, message)];
  });
}

/** A file is named for what is in it. */
export function fileName({ path }: SourceFile): Finding[] {
  const vague = VAGUE_NAME.exec(path)?.[1];
  if (vague !== undefined) {
    return [{ path, line: 1, message: `"${vague}" says nothing: name the file for its concept` }];
  }
  if (/^[a-z0-9_./]+$/.test(path)) return [];
  return [{ path, line: 1, message: "File names are snake_case" }];
}

/** A file of the library begins by saying what it is for. */
export function moduleDoc({ path, text }: SourceFile): Finding[] {
  if (!isIn(path, LIBRARY)) return [];
  const end = text.indexOf("*/");
  if (text.startsWith("/**\n") && text.slice(0, end).includes("@module")) return [];
  return [{
    path,
    line: 1,
    message: "No module doc: begin with /** what it is for ... @module */",
  }];
}

/** What a file of the library exports has a doc comment. */
export function exportDoc(file: SourceFile): Finding[] {
  if (!isIn(file.path, LIBRARY)) return [];
  const documented = new Set<string>();
  const declarations = file.code.matchAll(
    /^export (?:declare )?(?:abstract |async )*(?:function\*?|class|interface|type|const|let|enum|namespace) (\w+)/gm,
  );
  return [...declarations].flatMap((match) => {
    const [, name = ""] = match;
    const before = file.text.slice(0, match.index).replace(/(?:^[ ]*\/\/[^\n]*\n)+$/m, "");
    // Further signatures of an overloaded function share the first one's comment.
    if (documented.has(name)) return [];
    const comment = before.slice(before.lastIndexOf("/*"));
    if (/\*\/\n$/.test(before) && comment.startsWith("/**") && !comment.includes("@module")) {
      documented.add(name);
      return [];
    }
    return [
      findingAt(
        file,
        match.index,
        `${name} is exported without a doc comment: say what it promises`,
      ),
    ];
  });
}

/** A text has no characters that are not seen. */
export function hiddenCharacters(file: SourceFile): Finding[] {
  const hidden = [...file.text.matchAll(HIDDEN)].filter(([character]) => !SEEN.includes(character));
  return hidden.map((match) => {
    const code = match[0].charCodeAt(0).toString(16).padStart(4, "0");
    return findingAt(file, match.index, `Hidden character U+${code}: write it as an escape`);
  });
}

/**
 * Every file is in use. What starts a run is in use by itself: the public module, programs, tests, benchmarks, examples, and
 * jobs, which are loaded by name. Test support counts as in use when a test imports it; the library only when something else does too.
 */
export function deadFiles(
  files: readonly SourceFile[],
  importMap: Readonly<Record<string, string>>,
): Finding[] {
  const isProgram = (path: string) =>
    PROGRAMS.includes(path) || isIn(path, COMPILED_APART) || path.startsWith("examples/");
  const isTest = (path: string) => /_(?:test|bench)\.ts$|^tests\/.*\/jobs\//.test(path);
  const used = reachable(files, isProgram, importMap);
  const usedByTests = reachable(files, (path) => isProgram(path) || isTest(path), importMap);
  return files.flatMap(({ path }) => {
    if (!usedByTests.has(path)) {
      return [{ path, line: 1, message: "Nothing imports this file: use it or delete it" }];
    }
    if (isIn(path, LIBRARY) && !used.has(path)) {
      return [{
        path,
        line: 1,
        message: "Only tests import this file: use it, or move it to tests/",
      }];
    }
    return [];
  });
}

/** Where functions with a body start and end in code. */
export function functionsOf(code: string): { readonly start: number; readonly end: number }[] {
  const functions: { start: number; end: number }[] = [];
  // A declared function, a method, or the parameters of an arrow function: what they share is a list in parentheses.
  const heads =
    /\bfunction\b|^[ ]+(?:(?:static|async|override|get|set)\s+|\*\s*)*#?[\w$]+(?=[<(])|(?<==> )\{/gm;
  for (const { 0: head, index } of code.matchAll(heads)) {
    if (/^\s+(?:if|for|while|switch|catch|return|super|with)$/.test(head)) continue;
    const body = head === "{" ? index : bodyAfter(code, code.indexOf("(", index));
    if (body === undefined) continue;
    const line = code.lastIndexOf("\n", index) + 1;
    functions.push({ start: line + code.slice(line).search(/\S/), end: closingOf(code, body) + 1 });
  }
  return functions;
}

/** Where the body begins that belongs to the parameters opened at `open`, or undefined if there is none. */
function bodyAfter(code: string, open: number): number | undefined {
  let index = closingOf(code, open) + 1;
  if (!/^\s*[:{]/.test(code.slice(index, index + 200))) return undefined;
  for (; index < code.length; index++) {
    const character = code.charAt(index);
    if (";=".includes(character) && code.charAt(index + 1) !== ">") return undefined;
    if (!"{([".includes(character)) continue;
    // A brace after an operator of types belongs to the type of the result.
    const before = code.slice(0, index).trimEnd();
    const isType = character !== "{" || /(?:[:|&<,?([]|=>|\bis|\bkeyof)$/.test(before);
    if (!isType) return index;
    index = closingOf(code, index);
  }
  return undefined;
}
