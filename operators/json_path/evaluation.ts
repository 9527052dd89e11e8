/**
 * A JSON path as functions: each selector is one that knows what comes next, so that names,
 * indexes, slices and wildcards allocate nothing but keys of objects. Nodes come in the order of RFC 9535;
 * where it leaves the order open (the members of an object), in the object's own.
 *
 * @module
 */

import { type Comparison, comparison, isJsonObject } from "./comparison.ts";
import { iRegexp } from "./i_regexp.ts";
import type { Comparable, Query, Segment, Selector, SingularQuery, Test } from "./syntax.ts";
import { singularQuery } from "./syntax.ts";

/** Takes one selected node. */
export type Visit = (value: unknown) => void;
/** Goes on from a node: hands each node that the rest of the path selects to `visit`. */
export type Walk = (node: unknown, root: unknown, visit: Visit) => void;
/** The one node that a singular query selects, or undefined. */
export type Lookup = (current: unknown, root: unknown) => unknown;
/** Whether a filter keeps a node. */
export type Predicate = (current: unknown, root: unknown) => boolean;

/**
 * The walk of a query. It starts at `node`: the document for `$`, the filter's node for `@`.
 *
 * @example All numbers below a name
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { walkOf } from "./evaluation.ts";
 * import { parseJsonPath } from "./parser.ts";
 * const document = { a: [{ b: 1 }, { b: 2 }] };
 * const out: unknown[] = [];
 * walkOf(parseJsonPath("$.a[*].b"))(document, document, (value) => out.push(value));
 * assertEquals(out, [1, 2]);
 * ```
 */
export function walkOf({ segments }: Query): Walk {
  let walk: Walk = (node, _root, visit) => visit(node);
  for (const segment of segments.toReversed()) walk = segmentWalk(segment, walk);
  return walk;
}

/**
 * The lookup of a query that selects one node at most. Own properties only: names such as
 * `constructor` that every object inherits are no members.
 *
 * @example Two steps
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { lookupOf } from "./evaluation.ts";
 * const lookup = lookupOf({ from: "root", steps: ["a", -1] });
 * assertEquals(lookup(undefined, { a: [1, 2] }), 2);
 * assertEquals(lookup(undefined, { a: "12" }), undefined);
 * ```
 */
export function lookupOf({ from, steps }: SingularQuery): Lookup {
  return (current, root) => {
    let node = from === "root" ? root : current;
    for (let index = 0; index < steps.length; index++) {
      const step = steps[index];
      node = typeof step === "string" ? member(node, step) : item(node, step ?? 0);
      if (node === undefined) return undefined;
    }
    return node;
  };
}

function member(node: unknown, name: string): unknown {
  return isJsonObject(node) && Object.hasOwn(node, name) ? node[name] : undefined;
}

function item(node: unknown, index: number): unknown {
  return Array.isArray(node) ? node[offset(index, node.length)] : undefined;
}

/** Negative indexes count from the end. */
function offset(index: number, length: number): number {
  return index < 0 ? length + index : index;
}

function segmentWalk({ reach, selectors }: Segment, next: Walk): Walk {
  const walks = selectors.map((selector) => selectorWalk(selector, next));
  const [only] = walks;
  const children: Walk = walks.length === 1 && only !== undefined ? only : (node, root, visit) => {
    for (const walk of walks) walk(node, root, visit);
  };
  return reach === "child" ? children : descendants(children);
}

function selectorWalk(selector: Selector, next: Walk): Walk {
  switch (selector.kind) {
    case "name": {
      const { name } = selector;
      return (node, root, visit) => {
        const child = member(node, name);
        if (child !== undefined) next(child, root, visit);
      };
    }
    case "index": {
      const { index } = selector;
      return (node, root, visit) => {
        const child = item(node, index);
        if (child !== undefined) next(child, root, visit);
      };
    }
    case "slice":
      return slice(selector.start, selector.end, selector.step, next);
    case "wildcard":
      return eachChild(next);
    case "filter": {
      const keeps = predicateOf(selector.test);
      return eachChild((node, root, visit) => {
        if (keeps(node, root)) next(node, root, visit);
      });
    }
    default:
      return selector satisfies never;
  }
}

function eachChild(next: Walk): Walk {
  return (node, root, visit) => {
    if (Array.isArray(node)) {
      for (let index = 0; index < node.length; index++) {
        if (node[index] !== undefined) next(node[index], root, visit);
      }
    } else if (isJsonObject(node)) {
      for (const name of Object.keys(node)) {
        if (node[name] !== undefined) next(node[name], root, visit);
      }
    }
  };
}

/** RFC 9535 section 2.3.4.2.2. */
function slice(start: number | undefined, end: number | undefined, step: number, next: Walk): Walk {
  return (node, root, visit) => {
    if (!Array.isArray(node) || step === 0) return;
    const { length } = node;
    if (step > 0) {
      const upper = Math.min(offset(end ?? length, length), length);
      for (let index = Math.max(offset(start ?? 0, length), 0); index < upper; index += step) {
        if (node[index] !== undefined) next(node[index], root, visit);
      }
    } else {
      const lower = end === undefined ? -1 : Math.max(offset(end, length), -1);
      const first = Math.min(offset(start ?? length - 1, length), length - 1);
      for (let index = first; index > lower; index += step) {
        if (node[index] !== undefined) next(node[index], root, visit);
      }
    }
  };
}

/**
 * The node and all below it, each before its children. Keeps a list of its own: documents may be
 * deeper than the stack.
 */
function descendants(children: Walk): Walk {
  return (node, root, visit) => {
    const pending: unknown[] = [node];
    while (pending.length > 0) {
      const current = pending.pop();
      children(current, root, visit);
      if (Array.isArray(current)) pushReversed(current, pending);
      else if (isJsonObject(current)) pushReversed(Object.values(current), pending);
    }
  };
}

/** What has no children is left out: no selector finds anything in it. */
function pushReversed(nodes: readonly unknown[], pending: unknown[]): void {
  for (let index = nodes.length - 1; index >= 0; index--) {
    const node = nodes[index];
    if (typeof node === "object" && node !== null) pending.push(node);
  }
}

function predicateOf(test: Test): Predicate {
  switch (test.kind) {
    case "or": {
      const predicates = test.tests.map(predicateOf);
      return (current, root) => predicates.some((predicate) => predicate(current, root));
    }
    case "and": {
      const predicates = test.tests.map(predicateOf);
      return (current, root) => predicates.every((predicate) => predicate(current, root));
    }
    case "not": {
      const predicate = predicateOf(test.test);
      return (current, root) => !predicate(current, root);
    }
    case "exists":
      return existence(test.query);
    case "compare": {
      const compare: Comparison = comparison(test.operator);
      const left = valueOf(test.left);
      const right = valueOf(test.right);
      return (current, root) => compare(left(current, root), right(current, root));
    }
    case "match":
      return matching(valueOf(test.subject), valueOf(test.pattern), "whole");
    case "search":
      return matching(valueOf(test.subject), valueOf(test.pattern), "part");
    default:
      return test satisfies never;
  }
}

function existence(query: Query): Predicate {
  const singular = singularQuery(query);
  if (singular !== undefined) {
    const lookup = lookupOf(singular);
    return (current, root) => lookup(current, root) !== undefined;
  }
  const nodes = nodesOf(query);
  return (current, root) => nodes(current, root).count > 0;
}

function valueOf(comparable: Comparable): Lookup {
  switch (comparable.kind) {
    case "literal":
      return () => comparable.value;
    case "singular":
      return lookupOf(comparable.query);
    case "length": {
      const value = valueOf(comparable.of);
      return (current, root) => lengthOf(value(current, root));
    }
    case "count": {
      const nodes = nodesOf(comparable.of);
      return (current, root) => nodes(current, root).count;
    }
    case "value": {
      const nodes = nodesOf(comparable.of);
      return (current, root) => {
        const { count, last } = nodes(current, root);
        return count === 1 ? last : undefined;
      };
    }
    default:
      return comparable satisfies never;
  }
}

function nodesOf(
  query: Query,
): (current: unknown, root: unknown) => { count: number; last: unknown } {
  const walk = walkOf(query);
  return (current, root) => {
    const nodes: { count: number; last: unknown } = { count: 0, last: undefined };
    walk(query.from === "root" ? root : current, root, (value) => {
      nodes.count++;
      nodes.last = value;
    });
    return nodes;
  };
}

/**
 * Characters (not UTF-16 code units) of a string, items of an array, members of an object; nothing
 * for the rest.
 */
function lengthOf(value: unknown): number | undefined {
  if (typeof value === "string") {
    let pairs = 0;
    for (let index = 1; index < value.length; index++) {
      if (isHigh(value.charCodeAt(index - 1)) && isLow(value.charCodeAt(index))) pairs++;
    }
    return value.length - pairs;
  }
  if (Array.isArray(value)) return value.length;
  return isJsonObject(value) ? Object.keys(value).length : undefined;
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

/**
 * False for what is not a string or not an I-Regexp. The last pattern's expression is kept: mostly
 * it stays the same.
 */
function matching(subject: Lookup, pattern: Lookup, extent: "whole" | "part"): Predicate {
  let lastPattern: unknown;
  let expression: RegExp | undefined;
  return (current, root) => {
    const text = subject(current, root);
    const wanted = pattern(current, root);
    if (typeof text !== "string" || typeof wanted !== "string") return false;
    if (wanted !== lastPattern) {
      expression = expressionOf(wanted, extent);
      lastPattern = wanted;
    }
    return expression !== undefined && expression.test(text);
  };
}

function expressionOf(pattern: string, extent: "whole" | "part"): RegExp | undefined {
  try {
    return iRegexp(pattern, extent);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
