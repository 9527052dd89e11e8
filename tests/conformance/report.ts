/**
 * What the runner prints: a line a family, what failed, and the sum. Pure.
 *
 * @module
 */

import type { FailedCase, FamilyResult } from "./runner.ts";

/** Failed cases of a family that are printed in full. */
const FAILED_SHOWN_MAX = 5;

/** The line of a family, and its failed cases. */
export function familyLines(
  { family, covered, passed, different, failed, cases }: FamilyResult,
): readonly string[] {
  if (!covered) return [`${family}: not yet covered, ${cases} cases`];
  const designed = [...different].map(([{ feature }, count]) =>
    `, ${count} different on purpose (${feature})`
  );
  return [
    `${family}: ${passed} passed, ${failed.length} failed${designed.join("")}`,
    ...failed.slice(0, FAILED_SHOWN_MAX).flatMap(failureLines),
    ...failed.length > FAILED_SHOWN_MAX
      ? [
        `  and ${failed.length - FAILED_SHOWN_MAX} more: ${
          failed.map(({ of }) => of.id).join(" ")
        }`,
      ]
      : [],
  ];
}

/** The last line. */
export function sumLine(results: readonly FamilyResult[]): string {
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  const failed = results.reduce((sum, result) => sum + result.failed.length, 0);
  return `${passed} passed, ${failed} failed`;
}

function failureLines({ of, difference }: FailedCase): string[] {
  const lines = [
    `  ${of.id}`,
    `    spec: ${JSON.stringify(of.spec)}`,
    ...of.input.map((step, index) => `    ${index}: ${JSON.stringify(step)}`),
  ];
  if (difference instanceof Error) return [...lines, `    threw: ${difference.message}`];
  const { step, expected, actual } = difference;
  return [
    ...lines,
    `    step ${step}, expected: ${JSON.stringify(expected)}`,
    `    step ${step}, found:    ${JSON.stringify(actual)}`,
  ];
}
