/**
 * Whether a schema of zod, version 4, may look at members of an object that it does not name. Its JSON Schema doesn't
 * tell: that of `z.preprocess(f, z.object({...}))` is that of the object, though `f` sees all there is. So the definition
 * is read, which zod documents for this purpose (`schema._zod.def`, https://zod.dev/library-authors).
 *
 * @module
 */

import type { ObjectRule } from "./field_rule.ts";
import { isJsonObject } from "./json_path/comparison.ts";

/**
 * Why what the schema makes of an object may depend on members that the rule does not name; undefined if it never does.
 *
 * A plain `z.object` gives a new object of its own members before anything else is done: what is refined, transformed or
 * piped behind it knows nothing of others. What comes before an object, or gets the input later on, may see everything:
 * `z.preprocess`, `.catch`, strict and loose objects, and all that isn't known here. Members that are scalars by the rule
 * don't matter: their values are the same, whoever looks.
 *
 * @example A transform behind an object, and one before it
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { z } from "npm:zod@4.6.7";
 * import { objectRule } from "./field_rule.ts";
 * import { unnamedMembersFault } from "./unnamed_members.ts";
 * const rule = objectRule({ id: "string" });
 * const Item = z.object({ id: z.string() });
 * assertEquals(unnamedMembersFault(Item.transform(({ id }) => id), rule), undefined);
 * assertEquals(
 *   unnamedMembersFault(z.preprocess((value) => value, Item), rule),
 *   "it is of z.transform, which may see members that are not named",
 * );
 * ```
 */
export function unnamedMembersFault(schema: unknown, rule: ObjectRule): string | undefined {
  const { path } = rule;
  const what = path.length === 0 ? "it" : JSON.stringify(path.join("."));
  const internals = internalsOf(schema);
  const def = internals?.def;
  if (internals === undefined || !isJsonObject(def)) return `${what} is no schema of zod 4`;
  switch (def.type) {
    case "object":
      return objectFault(def, rule, what);
    case "optional":
    case "nullable":
    case "default":
    case "prefault":
    case "nonoptional":
    case "readonly":
      return unnamedMembersFault(def.innerType, rule);
    case "lazy":
      return unnamedMembersFault(internals.innerType, rule);
    case "pipe":
      // What comes behind gets what this gives.
      return unnamedMembersFault(def.in, rule);
    case "intersection":
      return unnamedMembersFault(def.left, rule) ?? unnamedMembersFault(def.right, rule);
    default:
      return `${what} is of z.${String(def.type)}, which may see members that are not named`;
  }
}

function objectFault(
  { shape, catchall }: Readonly<Record<string, unknown>>,
  rule: ObjectRule,
  what: string,
): string | undefined {
  if (catchall !== undefined) return `${what} refuses or keeps members that are not named`;
  if (!isJsonObject(shape)) return `${what} is no schema of zod 4`;
  const members = new Map(rule.members.map((member) => [member.name, member.rule]));
  for (const [name, member] of Object.entries(shape)) {
    const memberRule = members.get(name);
    // JSON Schemas can be rewritten, by `meta` for one.
    if (memberRule === undefined) return `${what} has "${name}", which its JSON Schema hides`;
    if (memberRule.kind !== "object") continue;
    const fault = unnamedMembersFault(member, memberRule);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function internalsOf(schema: unknown): Readonly<Record<string, unknown>> | undefined {
  if (!isJsonObject(schema) || !isJsonObject(schema._zod)) return undefined;
  return schema._zod;
}
