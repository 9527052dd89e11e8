/**
 * `deno task fuzz:encoder --cases N [--seed S]`: ends with 1 and prints the smallest failing batches if the encoder ever
 * differs from `JSON.stringify`.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { systemRandom } from "../../runtime/random.ts";
import { fuzzEncoder } from "./encoder_fuzzer.ts";

/** Cases of a run that does not say how many. */
const CASES_DEFAULT = 100_000;

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
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
const { finding, ...counts } = fuzzEncoder(cases, seed);
print(`seed ${seed}: ${counts.cases} cases, ${counts.faults} without JSON`);
if (finding !== undefined) {
  const { options, batches, difference } = finding;
  print(`found after ${finding.cases} cases\noptions: ${JSON.stringify(options)}`);
  for (const batch of batches) print(Deno.inspect(batch, { depth: 10 }));
  print(difference);
  Deno.exitCode = 1;
}
