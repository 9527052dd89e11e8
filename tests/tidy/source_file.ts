/**
 * A file as the tidy rules see it: its text, and its code, which is the text with comments and the insides of strings,
 * templates and regular expressions blanked. All three have the same length, so that a place in one is that place in all.
 *
 * @module
 */

/** One file of the repository. */
export interface SourceFile {
  /** From the repository's root, with `/`. */
  readonly path: string;
  readonly text: string;
  /** The text without comments and the insides of literals. */
  readonly code: string;
}

/** A place where a rule is broken. */
export interface Finding {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  /** What is wrong and what to do. */
  readonly message: string;
}

/** Takes a file apart. */
export function sourceFile(path: string, text: string): SourceFile {
  return { path, text, code: codeOf(text) };
}

/** A finding at an index of the file's text. */
export function findingAt(file: SourceFile, index: number, message: string): Finding {
  return { path: file.path, line: lineAt(file.text, index), message };
}

/** A finding for each match of the pattern in the file's code. */
export function findingsOf(
  file: SourceFile,
  pattern: RegExp,
  message: (found: string) => string,
): Finding[] {
  return [...file.code.matchAll(pattern)]
    .map((match) => findingAt(file, match.index, message(match[0].trim())));
}

/** Whether the path is one of the places: a file, or a folder if it ends in `/`. */
export function isIn(path: string, places: Iterable<string>): boolean {
  for (const place of places) {
    if (place.endsWith("/") ? path.startsWith(place) : path === place) return true;
  }
  return false;
}

/** The index of the bracket that closes the one at `open`, in code; the code's length if there is none. */
export function closingOf(code: string, open: number): number {
  let depth = 0;
  for (let index = open; index < code.length; index++) {
    const character = code.charAt(index);
    if ("([{".includes(character)) depth++;
    if (")]}".includes(character) && --depth === 0) return index;
  }
  return code.length;
}

function lineAt(text: string, index: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < index; at = text.indexOf("\n", at + 1)) line++;
  return line;
}

const blank = (text: string) => text.replace(/[^\n]/g, " ");

/** What a literal or comment starts with; a slash is looked at apart. */
const COMMENT = /\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/y;
const STRING = /"(?:[^"\\\n]|\\[\s\S])*"?|'(?:[^'\\\n]|\\[\s\S])*'?/y;
const REGULAR_EXPRESSION = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\//y;
const TEMPLATE_PART = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*/y;
/** After these a slash divides; after anything else it starts a regular expression. */
const VALUE_END = /[\w$)\]}"'`]\s*$/;
const KEYWORD_END = /\b(?:return|typeof|case|in|of|delete|void|throw|new|else|do|await|yield)\s*$/;

function codeOf(text: string): string {
  let code = "";
  /** For each template that is open, how many braces are open in its `${}`. */
  const braces: number[] = [];
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = code.length;
    return pattern.exec(text)?.[0];
  };
  const takeTemplatePart = () => {
    code += blank(take(TEMPLATE_PART) ?? "");
    if (text.startsWith("${", code.length)) {
      code += "${";
      braces.push(0);
    } else if (code.length < text.length) {
      code += "`";
    }
  };
  while (code.length < text.length) {
    const character = text.charAt(code.length);
    const comment = character === "/" ? take(COMMENT) : undefined;
    const open = braces.at(-1);
    if (comment !== undefined) {
      code += blank(comment);
    } else if (character === '"' || character === "'") {
      const string = take(STRING) ?? character;
      code += character + blank(string.slice(1, -1)) + (string.length > 1 ? character : "");
    } else if (character === "`") {
      code += "`";
      takeTemplatePart();
    } else if (character === "}" && open === 0) {
      braces.pop();
      code += "}";
      takeTemplatePart();
    } else if (character === "/" && startsRegularExpression(code)) {
      const expression = take(REGULAR_EXPRESSION) ?? character;
      code += expression.length > 1 ? `/${blank(expression.slice(1, -1))}/` : character;
    } else {
      if (open !== undefined && character === "{") braces[braces.length - 1] = open + 1;
      if (open !== undefined && character === "}") braces[braces.length - 1] = open - 1;
      code += character;
    }
  }
  return code;
}

function startsRegularExpression(before: string): boolean {
  const end = before.slice(-80);
  return KEYWORD_END.test(end) || !VALUE_END.test(end);
}
