/**
 * A JSON path as a tree: what the parser makes and the compiler reads. The types admit well-typed
 * queries only (RFC 9535 section 2.4.3), so that the compiler has no case for anything else.
 *
 * @module
 */

/** A query: where it starts, then segment by segment. */
export interface Query {
  /** `$`: the document; `@`: the node that a filter looks at. */
  readonly from: "root" | "current";
  readonly segments: readonly Segment[];
}

/** A query that selects one node at most: names and indexes only. */
export interface SingularQuery {
  readonly from: "root" | "current";
  readonly steps: readonly (string | number)[];
}

/** One step of a query: selectors applied to each node, or to each node and all its descendants. */
export interface Segment {
  readonly reach: "child" | "descendant";
  readonly selectors: readonly Selector[];
}

/** What a segment picks among the children of a node. */
export type Selector =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "index"; readonly index: number }
  | {
    readonly kind: "slice";
    readonly start: number | undefined;
    readonly end: number | undefined;
    readonly step: number;
  }
  | { readonly kind: "wildcard" }
  | { readonly kind: "filter"; readonly test: Test };

/** What a filter asks of a child: true or false. */
export type Test =
  | { readonly kind: "or" | "and"; readonly tests: readonly Test[] }
  | { readonly kind: "not"; readonly test: Test }
  | { readonly kind: "exists"; readonly query: Query }
  | {
    readonly kind: "compare";
    readonly operator: ComparisonOperator;
    readonly left: Comparable;
    readonly right: Comparable;
  }
  | {
    readonly kind: "match" | "search";
    readonly subject: Comparable;
    readonly pattern: Comparable;
  };

/** The comparisons of RFC 9535 section 2.3.5.2.2. */
export type ComparisonOperator = "==" | "!=" | "<" | "<=" | ">" | ">=";

/**
 * What gives one value or nothing: can be compared and passed to functions (the RFC's `ValueType`).
 */
export type Comparable =
  | { readonly kind: "literal"; readonly value: null | boolean | number | string }
  | { readonly kind: "singular"; readonly query: SingularQuery }
  | { readonly kind: "length"; readonly of: Comparable }
  | { readonly kind: "count" | "value"; readonly of: Query };

/**
 * The query as a singular one, or undefined if it is not: more than one node could be selected.
 *
 * @example One path that is and one that is not
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseJsonPath } from "./parser.ts";
 * import { singularQuery } from "./syntax.ts";
 * assertEquals(singularQuery(parseJsonPath("$.a[0]"))?.steps, ["a", 0]);
 * assertEquals(singularQuery(parseJsonPath("$.a[*]")), undefined);
 * ```
 */
export function singularQuery(query: Query): SingularQuery | undefined {
  const steps: (string | number)[] = [];
  for (const { reach, selectors } of query.segments) {
    const [selector] = selectors;
    if (reach !== "child" || selectors.length !== 1 || selector === undefined) return undefined;
    if (selector.kind === "name") steps.push(selector.name);
    else if (selector.kind === "index") steps.push(selector.index);
    else return undefined;
  }
  return { from: query.from, steps };
}
