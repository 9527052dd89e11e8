/**
 * What a record must come to: by `JSON.parse`, the paths and the schema, in plain JavaScript. The decoder may leave a
 * record undecided; what it decides must be this.
 *
 * @module
 */

import { type DecodedBatch, RowStatus } from "../../../operators/decoder/decoded_batch.ts";
import { compileJsonPath } from "../../../operators/json_path.ts";
import { type StandardSchema, validator } from "../../../operators/standard_schema.ts";

/** What becomes of a record. */
export type Outcome =
  | { readonly kind: "accepted"; readonly value: unknown }
  | { readonly kind: "nothing" }
  | { readonly kind: "invalid" };

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The outcome of one record. */
export function outcomeOf(
  paths: readonly string[],
  schema: StandardSchema<unknown>,
  record: Uint8Array,
): Outcome {
  try {
    let node: unknown = strict.decode(record);
    for (const path of paths) {
      if (typeof node !== "string") return { kind: "invalid" };
      const selected: unknown[] = [];
      compileJsonPath(path).select(JSON.parse(node), (value) => selected.push(value));
      if (selected.length === 0) return { kind: "nothing" };
      [node] = selected;
    }
    const validation = validator(schema)(node);
    return validation.issues ? { kind: "invalid" } : { kind: "accepted", value: validation.value };
  } catch (error) {
    // Not UTF-8, or not JSON.
    if (error instanceof TypeError || error instanceof SyntaxError) return { kind: "invalid" };
    throw error;
  }
}

/** How a decoded row differs from the outcome, or undefined if it does not. */
export function differenceOf(
  decoded: DecodedBatch<unknown>,
  row: number,
  outcome: Outcome,
): string | undefined {
  const status = decoded.statusAt(row);
  if (status === RowStatus.FALLBACK) return undefined;
  if (status === RowStatus.NOTHING) {
    return outcome.kind === "nothing" ? undefined : `nothing selected, expected ${outcome.kind}`;
  }
  const value = decoded.rowAt(row);
  if (outcome.kind !== "accepted") return `accepted as ${textOf(value)}, expected ${outcome.kind}`;
  if (isSame(value, outcome.value)) return undefined;
  return `accepted as ${textOf(value)}, expected ${textOf(outcome.value)}`;
}

/** Equal to the last bit, the order of members and members that are undefined included. */
export function isSame(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) {
    return false;
  }
  const lefts = Object.entries(left);
  const rights = Object.entries(right);
  return Object.getPrototypeOf(left) === Object.getPrototypeOf(right) &&
    lefts.length === rights.length && lefts.every(([name, value], index) => {
      const [otherName, other] = rights[index] ?? [];
      return name === otherName && isSame(value, other);
    });
}

function textOf(value: unknown): string {
  return Deno.inspect(value, { depth: 8, strAbbreviateSize: 200 });
}
