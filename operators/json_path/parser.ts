/**
 * Reads JSON paths (RFC 9535): syntax and well-typedness (section 2.4.3) in one pass, so that every
 * mistake in a path is found before the first record, at its offset.
 *
 * @module
 */

import { PathCursor } from "./cursor.ts";
import { iRegexp } from "./i_regexp.ts";
import {
  type Comparable,
  type ComparisonOperator,
  type Query,
  type Segment,
  type Selector,
  singularQuery,
  type Test,
} from "./syntax.ts";

/**
 * Segments that a path may have, those in its filters included; together with the next it bounds
 * the stack.
 */
export const JSON_PATH_SEGMENTS_MAX = 256;
/** Filters, parentheses and function calls that may stand in one another in a path. */
export const JSON_PATH_NESTING_MAX = 32;

/** Longer ones before those that they begin with. */
const OPERATORS: readonly ComparisonOperator[] = ["==", "!=", "<=", ">=", "<", ">"];

/**
 * A query, a function call or a literal in a filter, before it is known which of them fits where it
 * stands.
 */
type Operand = Comparable | Extract<Test, { kind: "match" | "search" }> | {
  readonly kind: "query";
  readonly query: Query;
};

/**
 * The tree of a path.
 *
 * @throws {SyntaxError} if it is not well-formed or not well-typed, or goes beyond a bound: with
 * the path, the offset, what was expected and what is there
 *
 * @example Two segments
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseJsonPath } from "./parser.ts";
 * assertEquals(parseJsonPath("$.a..*").segments, [
 *   { reach: "child", selectors: [{ kind: "name", name: "a" }] },
 *   { reach: "descendant", selectors: [{ kind: "wildcard" }] },
 * ]);
 * ```
 */
export function parseJsonPath(path: string): Query {
  return new Parser(path).path();
}

class Parser {
  readonly #cursor: PathCursor;
  #segments = 0;
  #nesting = 0;

  constructor(path: string) {
    this.#cursor = new PathCursor(path);
  }

  path(): Query {
    const query = this.#query() ?? this.#cursor.fail('"$"', 0);
    if (query.from !== "root") this.#cursor.fail('"$"', 0);
    if (this.#cursor.next !== "") this.#cursor.fail("a segment (. .. or [) or the end");
    return query;
  }

  #query(): Query | undefined {
    const cursor = this.#cursor;
    const from = cursor.accept("$") ? "root" : cursor.accept("@") ? "current" : undefined;
    if (from === undefined) return undefined;
    const segments: Segment[] = [];
    for (;;) {
      const end = cursor.offset;
      cursor.skipBlanks();
      const segment = this.#segment();
      if (segment === undefined) {
        cursor.offset = end;
        return { from, segments };
      }
      segments.push(segment);
    }
  }

  #segment(): Segment | undefined {
    const cursor = this.#cursor;
    const start = cursor.offset;
    const reach = cursor.accept("..") ? "descendant" : "child";
    const isDotted = reach === "descendant" || cursor.accept(".");
    if (!isDotted && cursor.next !== "[") return undefined;
    if (++this.#segments > JSON_PATH_SEGMENTS_MAX) {
      cursor.fail(`at most ${JSON_PATH_SEGMENTS_MAX} segments`, start);
    }
    if (reach === "child" && isDotted) return { reach, selectors: [this.#dotted('a name or "*"')] };
    if (cursor.next === "[") return { reach, selectors: this.#bracketed() };
    return { reach, selectors: [this.#dotted('a name, "*" or "["')] };
  }

  #dotted(expected: string): Selector {
    if (this.#cursor.accept("*")) return { kind: "wildcard" };
    const name = this.#cursor.shorthandName();
    return name === undefined ? this.#cursor.fail(expected) : { kind: "name", name };
  }

  #bracketed(): Selector[] {
    const cursor = this.#cursor;
    const selectors: Selector[] = [];
    cursor.expect("[");
    do {
      cursor.skipBlanks();
      selectors.push(this.#selector());
      cursor.skipBlanks();
    } while (cursor.accept(","));
    if (!cursor.accept("]")) cursor.fail('"," or "]"');
    return selectors;
  }

  #selector(): Selector {
    const cursor = this.#cursor;
    const name = cursor.quoted();
    if (name !== undefined) return { kind: "name", name };
    if (cursor.accept("*")) return { kind: "wildcard" };
    if (cursor.accept("?")) {
      return this.#nested(() => {
        cursor.skipBlanks();
        return { kind: "filter", test: this.#either() };
      });
    }
    return this.#indexOrSlice();
  }

  #indexOrSlice(): Selector {
    const cursor = this.#cursor;
    const start = cursor.integer();
    cursor.skipBlanks();
    if (!cursor.accept(":")) {
      if (start !== undefined) return { kind: "index", index: start };
      return cursor.fail('a selector (a quoted name, an index, a slice, "*" or a filter with "?")');
    }
    cursor.skipBlanks();
    const end = cursor.integer();
    cursor.skipBlanks();
    let step: number | undefined;
    if (cursor.accept(":")) {
      cursor.skipBlanks();
      step = cursor.integer();
    }
    return { kind: "slice", start, end, step: step ?? 1 };
  }

  #either(): Test {
    return this.#joined("or", "||", () => this.#joined("and", "&&", () => this.#basic()));
  }

  #joined(kind: "or" | "and", token: string, part: () => Test): Test {
    const cursor = this.#cursor;
    const first = part();
    const tests = [first];
    for (;;) {
      const end = cursor.offset;
      cursor.skipBlanks();
      if (!cursor.accept(token)) {
        cursor.offset = end;
        return tests.length === 1 ? first : { kind, tests };
      }
      cursor.skipBlanks();
      tests.push(part());
    }
  }

  #basic(): Test {
    const cursor = this.#cursor;
    const isNegated = cursor.accept("!");
    if (isNegated) cursor.skipBlanks();
    const test = cursor.next === "(" ? this.#parenthesized() : this.#operation(isNegated);
    return isNegated ? { kind: "not", test } : test;
  }

  #parenthesized(): Test {
    return this.#nested(() => {
      const cursor = this.#cursor;
      cursor.expect("(");
      cursor.skipBlanks();
      const test = this.#either();
      cursor.skipBlanks();
      if (!cursor.accept(")")) cursor.fail('"&&", "||" or ")"');
      return test;
    });
  }

  /** A comparison, or what stands as a test by itself. Only the latter may follow `!` directly. */
  #operation(isNegated: boolean): Test {
    const cursor = this.#cursor;
    const start = cursor.offset;
    const left = this.#operand('a query, a function, a literal or "("');
    const end = cursor.offset;
    cursor.skipBlanks();
    const at = cursor.offset;
    const operator = OPERATORS.find((token) => cursor.accept(token));
    if (operator === undefined) {
      cursor.offset = end;
      return this.#standing(left, start);
    }
    if (isNegated) cursor.fail('no comparison after "!" without parentheses', at);
    cursor.skipBlanks();
    const from = cursor.offset;
    const right = this.#operand("a query, a function or a literal");
    return {
      kind: "compare",
      operator,
      left: this.#comparable(left, start),
      right: this.#comparable(right, from),
    };
  }

  #standing(operand: Operand, start: number): Test {
    switch (operand.kind) {
      case "query":
        return { kind: "exists", query: operand.query };
      case "match":
      case "search":
        return operand;
      case "literal":
        return this.#cursor.fail("a comparison, as a literal is no test by itself,", start);
      case "singular":
      case "length":
      case "count":
      case "value":
        return this.#cursor.fail(
          "a comparison, as what a function gives is no test by itself,",
          start,
        );
      default:
        return operand satisfies never;
    }
  }

  #comparable(operand: Operand, start: number): Comparable {
    switch (operand.kind) {
      case "query": {
        const query = singularQuery(operand.query);
        if (query !== undefined) return { kind: "singular", query };
        return this.#cursor.fail(
          "a query that selects one node at most, by names and indexes,",
          start,
        );
      }
      case "match":
      case "search":
        return this.#cursor.fail("a value, not true or false of a test,", start);
      case "literal":
      case "singular":
      case "length":
      case "count":
      case "value":
        return operand;
      default:
        return operand satisfies never;
    }
  }

  #operand(expected: string): Operand {
    const cursor = this.#cursor;
    const query = this.#query();
    if (query !== undefined) return { kind: "query", query };
    const value = cursor.quoted() ?? cursor.number();
    if (value !== undefined) return { kind: "literal", value };
    const start = cursor.offset;
    const word = cursor.word();
    if (word !== undefined && cursor.next === "(") return this.#call(word, start);
    switch (word) {
      case "true":
        return { kind: "literal", value: true };
      case "false":
        return { kind: "literal", value: false };
      case "null":
        return { kind: "literal", value: null };
      default:
        return cursor.fail(expected, start);
    }
  }

  #call(name: string, start: number): Operand {
    return this.#nested(() => {
      const cursor = this.#cursor;
      switch (name) {
        case "length": {
          cursor.expect("(");
          const of = this.#valueArgument();
          this.#endOfCall();
          return { kind: name, of };
        }
        case "count":
        case "value": {
          cursor.expect("(");
          const of = this.#nodesArgument();
          this.#endOfCall();
          return { kind: name, of };
        }
        case "match":
        case "search": {
          cursor.expect("(");
          const subject = this.#valueArgument();
          cursor.skipBlanks();
          cursor.expect(",");
          const pattern = this.#patternArgument();
          this.#endOfCall();
          return { kind: name, subject, pattern };
        }
        default:
          return cursor.fail("the function length, count, match, search or value", start);
      }
    });
  }

  #valueArgument(): Comparable {
    this.#cursor.skipBlanks();
    const start = this.#cursor.offset;
    return this.#comparable(
      this.#operand("a literal, a query or a function that gives a value"),
      start,
    );
  }

  #nodesArgument(): Query {
    this.#cursor.skipBlanks();
    return this.#query() ?? this.#cursor.fail("a query");
  }

  /**
   * A pattern that is written in the path is checked here: it would never match, and silently so.
   */
  #patternArgument(): Comparable {
    this.#cursor.skipBlanks();
    const start = this.#cursor.offset;
    const pattern = this.#valueArgument();
    if (pattern.kind === "literal" && typeof pattern.value === "string") {
      try {
        iRegexp(pattern.value, "part");
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        this.#cursor.fail(`an I-Regexp (${error.message})`, start);
      }
    }
    return pattern;
  }

  #endOfCall(): void {
    this.#cursor.skipBlanks();
    if (!this.#cursor.accept(")")) this.#cursor.fail('")" after the function\'s last argument');
  }

  #nested<T>(part: () => T): T {
    if (++this.#nesting > JSON_PATH_NESTING_MAX) {
      this.#cursor.fail(
        `at most ${JSON_PATH_NESTING_MAX} filters, parentheses and calls in one another`,
      );
    }
    const parsed = part();
    this.#nesting--;
    return parsed;
  }
}
