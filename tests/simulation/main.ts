/**
 * `deno task simulate --seeds 2000 [--seed S] [--plant NAME]`: our own jobs in the simulator, each seed with another job,
 * other input, other faults. Ends with 1 if anything is wrong: prints the seed, what happened last, and how to run it again.
 *
 * @module
 */

import { systemClock } from "../../runtime/clock.ts";
import { plantedBugs } from "../../runtime/testing/planted_bugs.ts";
import { print } from "../fuzz/fuzz_options.ts";
import { runSeed, type SeedResult } from "./seed_run.ts";
import { simulateOptions } from "./simulate_options.ts";

const PROGRESS_MS = 10_000;

function printFailure({ seed, job, finding, faults, trace, fingerprint }: SeedResult): void {
  print(`seed ${seed} FAILED: job "${job}": ${finding}`);
  print(`faults: ${faults.join(", ")}`);
  for (const line of trace) print(`  ${line}`);
  print(`replay: deno task simulate --seeds 1 --seed ${seed} (fingerprint ${fingerprint})`);
}

const { seeds, seed: first, plant } = simulateOptions(Deno.args);
if (plant !== undefined) plantedBugs.add(plant);
const began = systemClock.monotonic();
let saidAt = began;
let [passed, failed, checkpoints] = [0, 0, 0];
for (let seed = first; seed < first + seeds; seed++) {
  const result = await runSeed(seed);
  checkpoints += result.checkpoints;
  if (result.finding === undefined) passed++;
  else {
    failed++;
    printFailure(result);
    if (plant !== undefined) {
      print(`planted bug "${plant}" found with the ${seed - first + 1}. seed`);
      break;
    }
  }
  const now = systemClock.monotonic();
  if (now - saidAt < PROGRESS_MS) continue;
  saidAt = now;
  print(`${passed + failed} of ${seeds} seeds, ${failed} failed`);
}
const seconds = ((systemClock.monotonic() - began) / 1000).toFixed(1);
print(`${checkpoints} checkpoints restorable, ${seconds} s`);
print(`${passed} seeds passed, ${failed} failed`);
Deno.exit((failed === 0) === (plant === undefined) ? 0 : 1);
