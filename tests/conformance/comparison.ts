/**
 * How what the engine put out is compared with what Flink did, by the rules that stand beside the golden files: step by
 * step, in order within a group and in none between groups, watermarks and statuses behind the records. Pure.
 *
 * @module
 */

import type { GoldenObject, GoldenOutput } from "./golden_file.ts";

/** What outputs of one step keep their order within: a name, or undefined for all of them as one list. */
export type Grouping = (output: GoldenOutput) => string | undefined;

/** The first step at which something else came out. */
export interface StepDifference {
  readonly step: number;
  readonly expected: readonly GoldenObject[];
  readonly actual: readonly GoldenObject[];
}

/** The first difference; undefined if there is none. */
export function firstDifference(
  expected: readonly GoldenOutput[],
  actual: readonly GoldenOutput[],
  grouping: Grouping,
): StepDifference | undefined {
  const wanted = byStep(expected);
  const found = byStep(actual);
  const steps = [...new Set([...wanted.keys(), ...found.keys()])].sort((a, b) => a - b);
  for (const step of steps) {
    const [here, there] = [wanted.get(step) ?? [], found.get(step) ?? []];
    if (canonical(here, grouping) !== canonical(there, grouping)) {
      return { step, expected: here.map(withoutStep), actual: there.map(withoutStep) };
    }
  }
  return undefined;
}

function byStep(outputs: readonly GoldenOutput[]): Map<number, GoldenOutput[]> {
  return Map.groupBy(outputs, ({ step }) => step);
}

/** A text that is the same for outputs of a step that mean the same. */
function canonical(outputs: readonly GoldenOutput[], grouping: Grouping): string {
  // What an error says and what it is called are for people.
  if (outputs.some((output) => "error" in output)) return "error";
  const isMark = (output: GoldenOutput) => "watermark" in output || "status" in output;
  const groups = [...Map.groupBy(outputs.filter((output) => !isMark(output)), grouping)]
    .map(([group, of]) => [group ?? "", of.map(canonicalValue).join()] as const)
    .sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0);
  const marks = outputs.filter(isMark).map(canonicalValue);
  return JSON.stringify([groups, marks]);
}

/** As JSON, fields in the order of their names. */
function canonicalValue(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => a < b ? -1 : 1));
  });
}

function withoutStep({ step: _, ...output }: GoldenOutput): GoldenObject {
  return output;
}
