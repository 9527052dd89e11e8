/**
 * Runs golden cases through the engine and counts.
 *
 * @module
 */

import { firstDifference, type StepDifference } from "./comparison.ts";
import { type Difference, differenceOf } from "./differences.ts";
import type { Family } from "./family.ts";
import { coprocess } from "./families/coprocess.ts";
import { keygroups } from "./families/keygroups.ts";
import { process } from "./families/process.ts";
import { watermark } from "./families/watermark.ts";
import type { GoldenCase, GoldenFile } from "./golden_file.ts";

/** The families that the engine has. */
export const FAMILIES: ReadonlyMap<string, Family> = new Map(
  [process, coprocess, keygroups, watermark].map((family) => [family.name, family]),
);

/** A case that failed. */
export interface FailedCase {
  readonly of: GoldenCase;
  /** Where it differs first, or what running it threw. */
  readonly difference: StepDifference | Error;
}

/** How a family went. */
export interface FamilyResult {
  readonly family: string;
  /** Whether the engine has it. */
  readonly covered: boolean;
  readonly passed: number;
  /** Cases that show a deliberate difference, by feature; they count neither as passed nor as failed. */
  readonly different: ReadonlyMap<Difference, number>;
  readonly failed: readonly FailedCase[];
  /** Those that were read. */
  readonly cases: number;
}

/** How cases are run. */
export interface RunnerOptions {
  /** Of the first case; each next one has the next. */
  readonly seed: number;
  readonly workers: number;
  /** Whether each case is interrupted at a random step, and goes on from a checkpoint. */
  readonly interrupt?: boolean | undefined;
}

/** Runs the cases of a file. */
export async function runFamily(
  { family: name, cases }: GoldenFile,
  { seed, workers, interrupt }: RunnerOptions,
): Promise<FamilyResult> {
  const family = FAMILIES.get(name);
  const different = new Map<Difference, number>();
  const failed: FailedCase[] = [];
  let passed = 0;
  for (const [index, of] of family === undefined ? [] : cases.entries()) {
    const difference = await run(family, of, { seed: seed + index, workers, interrupt });
    if (difference === undefined) {
      passed++;
      continue;
    }
    const known = differenceOf(name, of);
    if (known === undefined) failed.push({ of, difference });
    else different.set(known, (different.get(known) ?? 0) + 1);
  }
  const covered = family !== undefined;
  return { family: name, covered, passed, different, failed, cases: cases.length };
}

async function run(
  family: Family | undefined,
  of: GoldenCase,
  options: RunnerOptions,
): Promise<FailedCase["difference"] | undefined> {
  if (family === undefined) return undefined;
  try {
    const actual = await family.run(of, options);
    return firstDifference(of.expected, actual, family.grouping);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
