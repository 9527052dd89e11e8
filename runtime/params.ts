/**
 * Job parameters: texts from flags and the environment, made what the job's schema asks for.
 *
 * @module
 */

import {
  type Issue,
  type StandardSchema,
  type Validation,
  validator,
} from "../operators/standard_schema.ts";

/** Environment variables with this prefix are job parameters: `PENSTOCK_PARAM_limit=5` is the parameter `limit`. */
export const PARAM_PREFIX = "PENSTOCK_PARAM_";

/** The job's parameters can't be used. The message names them and what was wrong. */
export class ParamsError extends Error {
  override readonly name = "ParamsError";
}

/**
 * Validated parameters. Each text is tried as the JSON value that it is (`5`, `true`, `{"a":1}`), and as a text where the
 * schema refuses that.
 *
 * @throws {ParamsError} if the schema refuses both
 *
 * @example A number from a flag
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { z } from "npm:zod@4.6.7";
 * import { readParams } from "./params.ts";
 * const schema = z.object({ limit: z.number(), name: z.string() });
 * assertEquals(readParams("demo", schema, { limit: "5", name: "12" }), { limit: 5, name: "12" });
 * ```
 */
export function readParams<P>(
  job: string,
  schema: StandardSchema<P> | undefined,
  texts: Readonly<Record<string, string>>,
): P | undefined {
  if (schema === undefined) {
    const names = Object.keys(texts);
    if (names.length === 0) return undefined;
    throw new ParamsError(
      `Cannot use parameters ${
        names.join(", ")
      } of job "${job}": the job declares none; give defineJob() a params schema`,
    );
  }
  const validate = validator(schema);
  const values: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(texts)) values[name] = jsonValue(text);
  let outcome: Validation<P> = validate(values);
  if (outcome.issues !== undefined) {
    for (const name of outcome.issues.map(topLevelName)) {
      const text = name === undefined ? undefined : texts[name];
      if (name !== undefined && text !== undefined) values[name] = text;
    }
    outcome = validate(values);
  }
  if (outcome.issues === undefined) return outcome.value;
  const issues = outcome.issues.map((issue) =>
    `${topLevelName(issue) ?? "parameters"}: ${issue.message}`
  );
  throw new ParamsError(
    `Cannot use the parameters of job "${job}": ${
      issues.join("; ")
    }; give each as --param name=value or ${PARAM_PREFIX}name`,
  );
}

function topLevelName({ path }: Issue): string | undefined {
  const first = path?.[0];
  if (first === undefined) return undefined;
  return String(typeof first === "object" ? first.key : first);
}

function jsonValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
