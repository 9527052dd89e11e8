/**
 * `deno task fuzz:decoder --cases N [--seed S]`: ends with 1 and prints the smallest failing case if the decoder ever
 * differs from `JSON.parse`.
 *
 * @module
 */

import { type Finding, fuzzDecoder } from "./decoder_fuzzer.ts";
import { fuzzOptions, print } from "./fuzz_options.ts";

function printFinding({ paths, schema, records, difference }: Finding): void {
  print(`paths: ${JSON.stringify(paths)}\nfields: ${schema}`);
  for (const [row, record] of records.entries()) {
    print(`record ${row}, as Latin-1: ${JSON.stringify(String.fromCharCode(...record))}`);
    print(`record ${row}, in hex: ${record.toHex()}`);
  }
  print(difference);
}

const { cases, seed } = fuzzOptions(Deno.args);
const run = fuzzDecoder(cases, seed);
print(`seed ${seed}: ${run.cases} cases, ${run.valid} valid, ${run.decided} decided`);
if (run.finding !== undefined) {
  print(`found after ${run.finding.cases} cases`);
  printFinding(run.finding);
  Deno.exitCode = 1;
}
