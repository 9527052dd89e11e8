/**
 * JSONPath (RFC 9535): picks nodes out of a JSON document. A path is parsed once, when the job is
 * built, and run for each record; what is wrong with it is told then, not at the first record.
 *
 * @module
 */

import { lookupOf, walkOf } from "./json_path/evaluation.ts";
import { parseJsonPath } from "./json_path/parser.ts";
import { singularQuery } from "./json_path/syntax.ts";

/** A compiled path. Calls do not depend on earlier ones, so it can be shared. */
export interface JsonPath {
  /** The path as it was written. */
  readonly path: string;
  /** Whether it selects one node at most: names and indexes only, as in `$.a.b[0]`. */
  readonly singular: boolean;
  /**
   * Calls `visit` for each node that the path selects, in the RFC's order; members of an object
   * come in the object's own. Only own properties are members. `undefined`, which is no JSON value,
   * is never selected. What `visit` throws ends the call.
   *
   * The document is what `JSON.parse` gives, of any depth; one that contains itself must not be
   * given to a path with `..`.
   */
  select(document: unknown, visit: (value: unknown) => void): void;
  /** Of a singular path only: the node that it selects, or undefined. Allocates nothing. */
  readonly lookup?: (document: unknown) => unknown;
}

/**
 * Compiles a path. All of RFC 9535 is there, with the functions `length`, `count`, `match`,
 * `search` and `value`. In one point it is stricter: a pattern written in the path that is no
 * I-Regexp (RFC 9485), such as one with `\d`, is an error, where the RFC has it match nothing.
 *
 * @throws {SyntaxError} if the path is not well-formed or not well-typed: with the path, the offset
 * (in UTF-16 code units from 0), what was expected and what is there
 *
 * @example Which bookings cost more than 100
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { compileJsonPath } from "./json_path.ts";
 * const path = compileJsonPath("$.bookings[?@.amount > 100].id");
 * const ids: unknown[] = [];
 * const document = { bookings: [{ id: "a", amount: 80 }, { id: "b", amount: 120 }] };
 * path.select(document, (id) => ids.push(id));
 * assertEquals(ids, ["b"]);
 * ```
 */
export function compileJsonPath(path: string): JsonPath {
  const query = parseJsonPath(path);
  const steps = singularQuery(query);
  if (steps === undefined) {
    const walk = walkOf(query);
    return { path, singular: false, select: (document, visit) => walk(document, document, visit) };
  }
  const lookup = lookupOf(steps);
  return {
    path,
    singular: true,
    lookup: (document) => lookup(document, document),
    select(document, visit) {
      const node = lookup(document, document);
      if (node !== undefined) visit(node);
    },
  };
}
