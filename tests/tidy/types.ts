/**
 * Rules against ways around the compiler. The linter has the first two as well, but lets them be switched off where they
 * stand; outside of tests they can't be.
 *
 * @module
 */

import { type Finding, findingAt, findingsOf, type SourceFile } from "./source_file.ts";

/** Nothing outside of tests is of type `any`, cast twice, or asserted not to be null. */
export function typeEscapes(file: SourceFile): Finding[] {
  if (file.path.startsWith("tests/")) return [];
  return [
    ...findingsOf(
      file,
      /(?:\bas|[:<|&,(]|=>)\s*any\b(?!\s*[:(])/g,
      () => "any switches the compiler off: use unknown and look, or a type parameter",
    ),
    ...findingsOf(
      file,
      /\bas\s+unknown\s+as\b/g,
      () => "A cast by way of unknown: make the types say what is so",
    ),
    ...findingsOf(
      file,
      /[\w$)\]]!(?!=)/g,
      () => "! asserts what the compiler can't see: handle undefined",
    ),
  ];
}

/** Nothing outside of tests silences the compiler or the linter about types. */
export function silencedChecks(file: SourceFile): Finding[] {
  if (file.path.startsWith("tests/")) return [];
  const silencing =
    /\/[/*]\s*(@ts-(?:ignore|nocheck|expect-error)\b|deno-lint-ignore-file\s*$|deno-lint-ignore(?:-file)?[^\n]*\b(?:no-explicit-any|no-non-null-assertion)\b)/gm;
  return [...file.text.matchAll(silencing)].map((match) =>
    findingAt(file, match.index, `${match[1]} silences a check: mend what it is about`)
  );
}
