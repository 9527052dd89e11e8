/**
 * Schemas of any library that speaks Standard Schema, version 1 (https://standardschema.dev): zod,
 * valibot, arktype and others. Only the interface is used, so no schema library is a dependency.
 *
 * @module
 */

import { excerpt } from "./excerpt.ts";

/** Issues of one value that a description names; the rest are counted. */
export const ISSUES_DESCRIBED_MAX = 5;
/** Length of one issue in a description, in UTF-16 code units: schemas may quote the value. */
export const ISSUE_CHARS_MAX = 160;

/**
 * A schema whose accepted values are of type `Out`. What it takes in is unknown: records come from
 * outside.
 *
 * @typeParam Out what `validate` gives for a valid value, after any transforms
 */
export interface StandardSchema<Out> {
  readonly "~standard": {
    /** Of the standard. */
    readonly version: 1;
    /** The library's name. */
    readonly vendor: string;
    readonly validate: (value: unknown) => Validation<Out> | Promise<Validation<Out>>;
    /** For the compiler only. */
    readonly types?: { readonly input: unknown; readonly output: Out } | undefined;
  };
}

/** What a schema says of one value. It is valid if and only if there are no `issues`. */
export type Validation<Out> =
  | { readonly value: Out; readonly issues?: undefined }
  | { readonly issues: readonly Issue[] };

/** One thing that is wrong with a value. */
export interface Issue {
  readonly message: string;
  /** Where in the value, from the outside in; some libraries wrap the keys. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The type of the values that a schema gives. */
export type OutputOf<S> = S extends StandardSchema<infer Out> ? Out : never;

/**
 * The schema as a plain function.
 *
 * @throws {TypeError} if `schema` does not speak Standard Schema, version 1; the function throws it
 * for the first value that the schema validates asynchronously, since records are handled in order,
 * one at a time
 *
 * @example A schema written by hand
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { type StandardSchema, validator } from "./standard_schema.ts";
 * const Text: StandardSchema<string> = {
 *   "~standard": {
 *     version: 1,
 *     vendor: "example",
 *     validate: (value) =>
 *       typeof value === "string" ? { value } : { issues: [{ message: "Expected a string" }] },
 *   },
 * };
 * const validate = validator(Text);
 * assertEquals(validate("a"), { value: "a" });
 * assertEquals(validate(1), { issues: [{ message: "Expected a string" }] });
 * ```
 */
export function validator<Out>(schema: StandardSchema<Out>): (value: unknown) => Validation<Out> {
  // Read once: some libraries build this object anew at each access.
  const standard = standardOf(schema);
  return (value) => {
    const validation = standard.validate(value);
    if (!("then" in validation)) return validation;
    // Nobody will wait for it, and a rejection that nobody handles ends the process.
    validation.then(undefined, () => {});
    throw new TypeError(
      `Cannot validate with a schema of ${standard.vendor}: it is asynchronous, ` +
        "and records are validated one by one in order; use a synchronous schema, " +
        "and mapAsync for what must wait",
    );
  };
}

function standardOf<Out>(schema: StandardSchema<Out>): StandardSchema<Out>["~standard"] {
  // Jobs may be written in JavaScript: the type promises more than there may be.
  const given: unknown = schema;
  const isHolder = (typeof given === "object" && given !== null) || typeof given === "function";
  const standard: Partial<StandardSchema<Out>["~standard"]> | undefined = isHolder
    ? schema["~standard"]
    : undefined;
  if (standard?.version === 1 && typeof standard.validate === "function") {
    return schema["~standard"];
  }
  const found = standard === undefined ? "none" : `version ${standard.version}`;
  throw new TypeError(
    `Cannot validate with ${
      given === null ? "null" : `a value of type ${typeof given}`
    }: expected a schema that speaks Standard Schema, version 1, ` +
      `such as one of zod, valibot or arktype, found ${found}`,
  );
}

/**
 * The issues on one line: `<path>: <message>; <path>: <message>; and 3 more`. Paths start at `$`,
 * the value.
 *
 * @example Two issues
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { issuesText } from "./standard_schema.ts";
 * assertEquals(
 *   issuesText([
 *     { message: "Expected a number", path: ["items", 0, "price"] },
 *     { message: "Expired" },
 *   ]),
 *   "$.items[0].price: Expected a number; $: Expired",
 * );
 * ```
 */
export function issuesText(issues: readonly Issue[]): string {
  const described = issues.slice(0, ISSUES_DESCRIBED_MAX)
    .map(({ path, message }) => excerpt(`${pathText(path ?? [])}: ${message}`, ISSUE_CHARS_MAX));
  const rest = issues.length - described.length;
  if (rest > 0) described.push(`and ${rest} more`);
  return described.length > 0 ? described.join("; ") : "$: the schema gives no reason";
}

function pathText(path: NonNullable<Issue["path"]>): string {
  let text = "$";
  for (const part of path) {
    const key = typeof part === "object" ? part.key : part;
    if (typeof key === "number") text += `[${key}]`;
    else if (typeof key === "string" && /^[A-Za-z_]\w*$/.test(key)) text += `.${key}`;
    else text += `[${JSON.stringify(String(key))}]`;
  }
  return text;
}
