/**
 * `deno task conformance [folder] [--workers N] [--seed S] [--interrupt]`: runs the golden cases at or below a folder
 * through the engine; ends with 1 if one fails. With `--interrupt` each case is left behind a random step and goes on from
 * a checkpoint, on another number of workers.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { readGoldenFiles } from "./golden_file.ts";
import { familyLines, sumLine } from "./report.ts";
import { type FamilyResult, runFamily } from "./runner.ts";

const SHARED = new URL("../../../shared/conformance/", import.meta.url);
const KEPT = new URL("./", import.meta.url);

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

async function isThere(folder: URL): Promise<boolean> {
  try {
    return (await Deno.stat(folder)).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function wholeNumber(name: string, text: string | undefined): number {
  const value = Number(text ?? 1);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new RangeError(`Cannot run with --${name} ${text}: expected a whole number from 1 on`);
}

const { values, positionals } = parseArgs({
  args: [...Deno.args],
  allowPositionals: true,
  options: {
    workers: { type: "string" },
    seed: { type: "string" },
    interrupt: { type: "boolean" },
  },
});
const workers = wholeNumber("workers", values.workers);
const seed = wholeNumber("seed", values.seed);
const { interrupt } = values;
const folder = positionals[0] ?? ((await isThere(SHARED)) ? SHARED : KEPT).pathname;
const results: FamilyResult[] = [];
for (const file of await readGoldenFiles(folder)) {
  const result = await runFamily(file, { seed, workers, interrupt });
  results.push(result);
  for (const line of familyLines(result)) print(line);
}
print(sumLine(results));
if (results.some(({ failed }) => failed.length > 0)) Deno.exitCode = 1;
