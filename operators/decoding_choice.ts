/**
 * How records are decoded, and why so: chosen once for each `flatMapJson` and each source with a schema, when a job is
 * built. Carried by the operator or the source, and shown by whoever describes the job.
 *
 * @module
 */

import {
  compileProgram,
  PROGRAM_COLUMNS_MAX,
  PROGRAM_LEVELS_MAX,
  PROGRAM_MEMBERS_MAX,
  PROGRAM_STEPS_MAX,
} from "./decoder/program.ts";
import type { FieldRule, ObjectRule } from "./field_rule.ts";
import { parseJsonPath } from "./json_path/parser.ts";
import { singularQuery } from "./json_path/syntax.ts";
import { shapeOf } from "./schema_shape.ts";
import type { StandardSchema } from "./standard_schema.ts";

/** How the records of one operator, or of a source, are decoded. Plain data. */
export interface DecodingChoice {
  /** JSON paths; each but the last leads to strings that hold JSON texts. */
  readonly paths: readonly string[];
  /** The library that the schema is of. */
  readonly schema: string;
  /**
   * - `"columns"`: whole batches into columns, and only wanted fields become values.
   * - `"columns, then validate"`: the same, and objects of these fields are validated by the schema.
   * - `"JSON.parse"`: each record wholly. Records that do not fit columns go this way too.
   */
  readonly way: "columns" | "columns, then validate" | "JSON.parse";
  /** What decided, for people. */
  readonly why: string;
}

/** Registered, not only unique: a job imported from a URL brings its own copy of this module. */
export const DECODING: unique symbol = Symbol.for("penstock.decoding");

/**
 * How an operator or a source decodes records; undefined if it doesn't.
 *
 * @example An operator that carries its choice
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { type Observable, Subject } from "npm:rxjs@7.8.2";
 * import { choiceOf, decodingChoice } from "./decoding_choice.ts";
 * import { fields } from "./fields.ts";
 * const choice = decodingChoice(["$"], fields({ id: "string" }));
 * const operator = Object.assign((source: Observable<unknown>) => source, {
 *   [Symbol.for("penstock.decoding")]: choice,
 * });
 * assertEquals([choiceOf(operator), choiceOf(() => new Subject())], [choice, undefined]);
 * ```
 */
export function choiceOf(carrier: object): DecodingChoice | undefined {
  return (carrier as { readonly [DECODING]?: DecodingChoice })[DECODING];
}

/**
 * How records are decoded into values at a path, or behind several.
 *
 * @throws {SyntaxError} if a path is not JSONPath
 *
 * @example A path that selects many
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { decodingChoice } from "./decoding_choice.ts";
 * import { fields } from "./fields.ts";
 * const Item = fields({ id: "string" });
 * assertEquals(decodingChoice(["$.item"], Item).way, "columns");
 * assertEquals(decodingChoice(["$.items[*]"], Item), {
 *   paths: ["$.items[*]"],
 *   schema: "penstock",
 *   way: "JSON.parse",
 *   why: "the path $.items[*] may select several nodes",
 * });
 * ```
 */
export function decodingChoice(
  paths: readonly string[],
  schema: StandardSchema<unknown>,
): DecodingChoice {
  const shape = shapeOf(schema);
  const { vendor } = schema["~standard"];
  const choice = { paths: [...paths], schema: vendor };
  if (shape.kind === "none") return { ...choice, way: "JSON.parse", why: shape.why };
  if (compileProgram(paths, shape.rule) === undefined) {
    return { ...choice, way: "JSON.parse", why: programFault(paths, shape.rule) };
  }
  switch (shape.kind) {
    case "fields":
      return { ...choice, way: "columns", why: "fields() says all that is wanted" };
    case "jsonSchema":
      return {
        ...choice,
        way: "columns, then validate",
        why: `${vendor}'s JSON Schema names all that is looked at`,
      };
    default:
      return shape satisfies never;
  }
}

/** Why there is no program. */
function programFault(paths: readonly string[], rule: ObjectRule): string {
  for (const path of paths) {
    const fault = pathFault(path);
    if (fault !== undefined) return fault;
  }
  const texts = textsOf(rule);
  const escaped = texts.find(isEscaped);
  if (escaped !== undefined) return `${JSON.stringify(escaped)} is not written plainly in JSON`;
  if (paths.length > PROGRAM_LEVELS_MAX) {
    return `there are ${paths.length} paths, and at most ${PROGRAM_LEVELS_MAX} are compiled`;
  }
  const members = widest(rule);
  if (members > PROGRAM_MEMBERS_MAX) {
    return `an object has ${members} members, and at most ${PROGRAM_MEMBERS_MAX} are compiled`;
  }
  return `its fields are beyond ${PROGRAM_COLUMNS_MAX} columns, or their names too long`;
}

function pathFault(path: string): string | undefined {
  const steps = singularQuery(parseJsonPath(path))?.steps;
  if (steps === undefined) return `the path ${path} may select several nodes`;
  if (steps.length > PROGRAM_STEPS_MAX) {
    return `the path ${path} has ${steps.length} steps, and at most ${PROGRAM_STEPS_MAX} are compiled`;
  }
  for (const step of steps) {
    if (typeof step === "string") {
      if (isEscaped(step)) return `the path ${path} has a name that is not written plainly in JSON`;
    } else if (step < 0) {
      return `the path ${path} counts from an array's end`;
    } else if (step >= 2 ** 31) {
      return `the path ${path} has an index beyond ${2 ** 31 - 1}`;
    }
  }
  return undefined;
}

/** Names and literals of a rule: what is compared with bytes. */
function textsOf(rule: FieldRule): string[] {
  if (rule.kind === "literal") return [rule.value];
  if (rule.kind !== "object") return [];
  return rule.members.flatMap(({ name, rule }) => [name, ...textsOf(rule)]);
}

/** Members of the object that has the most. */
function widest(rule: FieldRule): number {
  if (rule.kind !== "object") return 0;
  return Math.max(rule.members.length, ...rule.members.map(({ rule }) => widest(rule)));
}

function isEscaped(text: string): boolean {
  return !text.isWellFormed() || JSON.stringify(text) !== `"${text}"`;
}
