/**
 * Documents around a rule: such that fit it and such that just don't, each with members that the rule does not name. And
 * what a schema makes of a document, as a text in which everything shows.
 *
 * @module
 */

import type { FieldRule, ObjectRule } from "../../operators/field_rule.ts";
import { isJsonObject } from "../../operators/json_path/comparison.ts";
import type { StandardSchema } from "../../operators/standard_schema.ts";

const STRINGS = ["PAID", "x", "", "2026-11-22T10:00:00Z", "5", "true"];
const NUMBERS = [5, 0, -1.5, 100, 1e300];
const WRONG: readonly unknown[] = [null, "text", 7, true, [], {}, [{ city: "Bern" }], "missing"];
const EXTRAS = '"more":1,"toString":"a","__proto__":{"id":"p","city":"P","at":1,"more":2}';

/** Texts of JSON documents: with members left out, null, of other types, in another order, and with more members. */
export function documentsFor(rule: ObjectRule): readonly string[] {
  const texts = new Set<string>();
  for (let seed = 0; seed < STRINGS.length; seed++) {
    const base = objectFor(rule, seed);
    texts.add(textOf(base, "")).add(textOf(base, EXTRAS));
    for (const path of pathsOf(rule)) {
      for (const wrong of WRONG) texts.add(textOf(replaced(base, path, wrong), EXTRAS));
    }
    texts.add(textOf(base, EXTRAS, (entries) => entries.toReversed()));
  }
  for (const value of WRONG) texts.add(JSON.stringify(value));
  return [...texts];
}

/** Just the named members of a document, missing ones left out; undefined if it doesn't fit the rule. */
export function picked(document: unknown, rule: ObjectRule): object | undefined {
  if (!isJsonObject(document)) return undefined;
  const members: [string, unknown][] = [];
  for (const { name, rule: member } of rule.members) {
    if (!Object.hasOwn(document, name)) {
      if (!("mayBeMissing" in member) || !member.mayBeMissing) return undefined;
      continue;
    }
    const value = document[name];
    if (member.kind === "object") {
      const object = picked(value, member);
      if (object === undefined) return undefined;
      members.push([name, object]);
    } else if (member.kind === "literal") {
      if (value !== member.value) return undefined;
      members.push([name, value]);
    } else {
      if (typeof value !== member.kind && !(value === null && member.mayBeNull)) return undefined;
      members.push([name, value]);
    }
  }
  return Object.fromEntries(members);
}

/** What the schema makes of a value: members in their order, also undefined ones, prototypes, what is frozen. */
export function outcomeOf(schema: StandardSchema<unknown>, value: unknown): string {
  try {
    const validation = schema["~standard"].validate(value);
    if ("then" in validation) {
      // Of zod also where a function throws. Nobody waits for it.
      validation.then(undefined, () => {});
      return "asynchronous";
    }
    if (validation.issues) return `refused ${shown(validation.issues)}`;
    return `accepted ${shown(validation.value)}`;
  } catch (error) {
    return `thrown ${String(error)}`;
  }
}

function shown(value: unknown): string {
  if (typeof value !== "object" || value === null) {
    return typeof value === "string" ? JSON.stringify(value) : String(value);
  }
  if (value instanceof Date) return `Date ${value.getTime()}`;
  const prototype = Object.getPrototypeOf(value);
  const kind = prototype === Object.prototype ? "" : prototype === Array.prototype ? "[]" : "other";
  const members = Reflect.ownKeys(value)
    .map((name) => `${String(name)}: ${shown(Reflect.get(value, name))}`);
  return `${Object.isFrozen(value) ? "frozen " : ""}${kind}{${members.join(", ")}}`;
}

/** An object as a list of members, since `__proto__` and the order of members must be as they are meant. */
type Entries = readonly (readonly [string, unknown])[];

class Members {
  readonly entries: Entries;

  constructor(entries: Entries) {
    this.entries = entries;
  }
}

function objectFor(rule: ObjectRule, seed: number): Members {
  return new Members(rule.members.map(({ name, rule }) => [name, valueFor(rule, seed)]));
}

function valueFor(rule: FieldRule, seed: number): unknown {
  switch (rule.kind) {
    case "object":
      return objectFor(rule, seed);
    case "literal":
      return rule.value;
    case "string":
      return STRINGS[seed];
    case "number":
      return NUMBERS[seed % NUMBERS.length];
    case "boolean":
      return seed % 2 === 0;
  }
}

function* pathsOf(rule: ObjectRule): Generator<readonly string[]> {
  for (const { path, rule: member } of rule.members) {
    yield path;
    if (member.kind === "object") yield* pathsOf(member);
  }
}

/** `"missing"` takes the member away. */
function replaced({ entries }: Members, [name, ...rest]: readonly string[], by: unknown): Members {
  return new Members(entries.flatMap(([own, value]) => {
    if (own !== name) return [[own, value] as const];
    if (rest.length > 0 && value instanceof Members) {
      return [[own, replaced(value, rest, by)] as const];
    }
    return by === "missing" ? [] : [[own, by] as const];
  }));
}

function textOf(
  value: unknown,
  extras: string,
  ordered: (entries: Entries) => Entries = (entries) => entries,
): string {
  if (!(value instanceof Members)) return JSON.stringify(value);
  const members = ordered(value.entries)
    .map(([name, member]) => `${JSON.stringify(name)}:${textOf(member, extras, ordered)}`);
  return `{${[...(extras === "" ? [] : [extras]), ...members].join(",")}}`;
}
