/**
 * `deno task fuzz:decoder --cases N [--seed S]`: ends with 1 and prints the smallest failing case if the decoder ever
 * differs from `JSON.parse`.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { systemRandom } from "../../runtime/random.ts";
import { type Finding, fuzzDecoder } from "./decoder_fuzzer.ts";

/** Cases of a run that does not say how many. */
const CASES_DEFAULT = 100_000;

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

function printFinding({ paths, schema, records, difference }: Finding): void {
  print(`paths: ${JSON.stringify(paths)}\nfields: ${schema}`);
  for (const [row, record] of records.entries()) {
    print(`record ${row}, as Latin-1: ${JSON.stringify(String.fromCharCode(...record))}`);
    print(`record ${row}, in hex: ${record.toHex()}`);
  }
  print(difference);
}

function wholeNumber(name: string, text: string | undefined, other: number): number {
  const value = text === undefined ? other : Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new RangeError(`Cannot fuzz with --${name} ${text}: expected a whole number from 0 on`);
}

const { values } = parseArgs({
  args: Deno.args,
  options: { cases: { type: "string" }, seed: { type: "string" } },
});
const cases = wholeNumber("cases", values.cases, CASES_DEFAULT);
const seed = wholeNumber("seed", values.seed, Math.floor(systemRandom() * 2 ** 32));
const run = fuzzDecoder(cases, seed);
print(`seed ${seed}: ${run.cases} cases, ${run.valid} valid, ${run.decided} decided`);
if (run.finding !== undefined) {
  print(`found after ${run.finding.cases} cases`);
  printFinding(run.finding);
  Deno.exitCode = 1;
}
