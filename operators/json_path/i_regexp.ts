/**
 * I-Regexp (RFC 9485), the regular expressions of JSON paths, in terms of JavaScript's. It is a
 * small common part of many dialects: no `\d`, no look-ahead, no lazy quantifiers. What is outside
 * it is refused, so that a path means the same wherever it is used.
 *
 * @module
 */

// The line can't be broken: a single expression, the grammar's SingleCharEsc, catEsc and complEsc.
const ESCAPE =
  /\\(?:[()*+.?\[\\\]^nrt{|}-]|[pP]\{(?:L[lmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|S[ckmo]?|Z[lps]?|C[cfno]?)\})/uy;
const QUANTIFIER = /[*+?]|\{\d+(?:,\d*)?\}/uy;
const PLAIN = /[^()*+.?\[\\\]{|}\u{D800}-\u{DFFF}]/uy;
const IN_CLASS = /[^\[\\\]\u{D800}-\u{DFFF}-]/uy;

/**
 * The JavaScript expression for an I-Regexp, by the rules of RFC 9485 section 5.3: `.` is all but
 * line feed and carriage return, and an unescaped `^` or `$` stands for the start or the end.
 * Patterns are run by backtracking: one that comes from untrusted data can take very long.
 *
 * @param extent `"whole"`: the subject as a whole must match; `"part"`: some part of it
 * @throws {SyntaxError} if the pattern is not an I-Regexp: says what is wrong and where in the
 * pattern
 *
 * @example A dot that stops at line ends only
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { iRegexp } from "./i_regexp.ts";
 * assertEquals(iRegexp("a.c", "whole").test("a\u2028c"), true);
 * assertEquals(iRegexp("a.c", "whole").test("xabc"), false);
 * ```
 */
export function iRegexp(pattern: string, extent: "whole" | "part"): RegExp {
  const source = new Translation(pattern).source();
  try {
    return new RegExp(extent === "whole" ? `^(?:${source})$` : source, "u");
  } catch (error) {
    // Left are a range or a quantifier that runs backwards, and a quantifier on `^` or `$`.
    throw new SyntaxError(`${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

/**
 * One pass over a pattern; groups are counted, not descended into, so that no pattern is too deep.
 */
class Translation {
  readonly #pattern: string;
  #offset = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  source(): string {
    let source = "";
    let depth = 0;
    while (this.#offset < this.#pattern.length) {
      if (this.#accept("|")) {
        source += "|";
      } else if (this.#accept("(")) {
        depth++;
        source += "(?:";
      } else if (depth > 0 && this.#accept(")")) {
        depth--;
        source += `)${this.#take(QUANTIFIER) ?? ""}`;
      } else {
        source += this.#atom() + (this.#take(QUANTIFIER) ?? "");
      }
    }
    if (depth > 0) this.#fail('")"');
    return source;
  }

  #atom(): string {
    if (this.#accept(".")) return "[^\\n\\r]";
    if (this.#accept("[")) return this.#bracketed();
    return this.#escape(false) ?? this.#take(PLAIN) ?? this.#fail("a character or an escape");
  }

  #bracketed(): string {
    let source = this.#accept("^") ? "[^" : "[";
    if (this.#accept("-")) source += "\\-";
    else source += this.#item();
    while (!this.#accept("]")) {
      if (this.#accept("-")) {
        if (this.#pattern[this.#offset] !== "]") this.#fail('"]" after "-"');
        source += "\\-";
      } else {
        source += this.#item();
      }
    }
    return `${source}]`;
  }

  /** A category, a character, or a range of characters. */
  #item(): string {
    const first = this.#member();
    if (isCategory(first) || this.#pattern[this.#offset] !== "-") return first;
    if (this.#pattern[this.#offset + 1] === "]") return first;
    this.#offset++;
    const last = this.#member();
    if (isCategory(last)) this.#fail("a character to end the range");
    return `${first}-${last}`;
  }

  #member(): string {
    return this.#escape(true) ?? this.#take(IN_CLASS) ?? this.#fail("a character of a class");
  }

  #escape(inClass: boolean): string | undefined {
    const escape = this.#take(ESCAPE);
    if (escape === undefined && this.#pattern[this.#offset] === "\\") {
      this.#fail("an escape of I-Regexp (RFC 9485: no \\d, \\s or \\w)");
    }
    // JavaScript knows this escape inside brackets only.
    return escape === "\\-" && !inClass ? "-" : escape;
  }

  #accept(token: string): boolean {
    if (this.#pattern[this.#offset] !== token) return false;
    this.#offset++;
    return true;
  }

  #take(token: RegExp): string | undefined {
    token.lastIndex = this.#offset;
    const text = token.exec(this.#pattern)?.[0];
    if (text !== undefined) this.#offset += text.length;
    return text;
  }

  #fail(expected: string): never {
    const found = this.#pattern.slice(this.#offset, this.#offset + 2).toWellFormed();
    throw new SyntaxError(
      `expected ${expected} at offset ${this.#offset} of the pattern, found ${
        found === "" ? "its end" : JSON.stringify(found)
      }`,
    );
  }
}

/** Characters take two code units at most, and so do their escapes. */
function isCategory(member: string): boolean {
  return member.length > 2;
}
