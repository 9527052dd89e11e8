/**
 * What a file imports, and what it keeps in use: also a file whose relative path it has as a string, since workers and what
 * is loaded on demand are named that way.
 *
 * @module
 */

import type { SourceFile } from "./source_file.ts";

/** An import with its place in the text. */
export interface Import {
  readonly specifier: string;
  readonly index: number;
}

const IMPORTED = /\b(?:from|import)\s*\(?\s*(["'`])( *)\1/g;
const LITERAL = /(["'`])( *)\1/g;

/** All imports of a file, those in comments and strings left out. */
export function importsOf(file: SourceFile): Import[] {
  return literals(file, IMPORTED);
}

function literals(file: SourceFile, form: RegExp): Import[] {
  return [...file.code.matchAll(form)].map((match) => {
    const [whole, quote = "", inside = ""] = match;
    const index = match.index + whole.indexOf(quote) + 1;
    return { specifier: file.text.slice(index, index + inside.length), index };
  });
}

/** The path that a specifier means, or undefined if it is no file of the repository. */
export function resolved(
  from: string,
  specifier: string,
  importMap: Readonly<Record<string, string>>,
): string | undefined {
  const mapped = Object.hasOwn(importMap, specifier) ? importMap[specifier] : undefined;
  if (mapped !== undefined) return mapped.replace(/^\.\//, "");
  if (!/^\.{1,2}\//.test(specifier)) return undefined;
  return new URL(specifier, new URL(from, "file:///")).pathname.slice(1);
}

/** The paths of all files that are reached from the roots. */
export function reachable(
  files: readonly SourceFile[],
  roots: (path: string) => boolean,
  importMap: Readonly<Record<string, string>>,
): ReadonlySet<string> {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const reached = new Set<string>();
  const waiting = files.map(({ path }) => path).filter(roots);
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const file = byPath.get(path);
    if (file === undefined || reached.has(path)) continue;
    reached.add(path);
    for (const { specifier } of literals(file, LITERAL)) {
      const target = resolved(path, specifier, importMap);
      if (target !== undefined) waiting.push(target);
    }
  }
  return reached;
}
