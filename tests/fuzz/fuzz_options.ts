/**
 * What the fuzzers are told on the command line, and how they answer.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { systemRandom } from "../../runtime/random.ts";

/** Cases of a run that does not say how many. */
const CASES_DEFAULT = 100_000;

/** `--cases N [--seed S]`; a seed is drawn if there is none. */
export interface FuzzOptions {
  readonly cases: number;
  readonly seed: number;
}

/**
 * Reads the options.
 *
 * @throws {RangeError} if one is no whole number from 0 on
 */
export function fuzzOptions(args: readonly string[]): FuzzOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { cases: { type: "string" }, seed: { type: "string" } },
  });
  return {
    cases: wholeNumber("cases", values.cases, CASES_DEFAULT),
    seed: wholeNumber("seed", values.seed, Math.floor(systemRandom() * 2 ** 32)),
  };
}

/** Writes a line to standard output. */
export function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

function wholeNumber(name: string, text: string | undefined, other: number): number {
  const value = text === undefined ? other : Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new RangeError(`Cannot fuzz with --${name} ${text}: expected a whole number from 0 on`);
}
