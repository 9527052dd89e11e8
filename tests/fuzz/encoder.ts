/**
 * `deno task fuzz:encoder --cases N [--seed S]`: ends with 1 and prints the smallest failing batches if the encoder ever
 * differs from `JSON.stringify`.
 *
 * @module
 */

import { fuzzEncoder } from "./encoder_fuzzer.ts";
import { fuzzOptions, print } from "./fuzz_options.ts";

const { cases, seed } = fuzzOptions(Deno.args);
const { finding, ...counts } = fuzzEncoder(cases, seed);
print(`seed ${seed}: ${counts.cases} cases, ${counts.faults} without JSON`);
if (finding !== undefined) {
  const { options, batches, difference } = finding;
  print(`found after ${finding.cases} cases\noptions: ${JSON.stringify(options)}`);
  for (const batch of batches) print(Deno.inspect(batch, { depth: 10 }));
  print(difference);
  Deno.exitCode = 1;
}
