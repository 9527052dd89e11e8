/**
 * `deno task chaos --rounds 200 [--seed S] [--kill process | worker | hang | memory]`: a job under load is killed again and
 * again; ends with 1 if anything was lost, doubled or counted wrong.
 *
 * @module
 */

import { print } from "../fuzz/fuzz_options.ts";
import { chaosOptions } from "./chaos_options.ts";
import { chaosRun } from "./chaos_run.ts";

const options = chaosOptions(Deno.args);
print(`seed ${options.seed}: ${options.rounds} rounds, --kill ${options.kill}`);
const { findings, goOnMs, ...run } = await chaosRun(options, print);
for (const finding of findings) print(`WRONG: ${finding}`);
print(
  `${findings.length === 0 ? "passed" : "FAILED"}: ${run.rounds} rounds in ` +
    `${Math.round(run.tookMs / 1000)} s, ${run.restored} went on from a checkpoint, ` +
    `in ${Math.round(goOnMs.median)} ms (median) to ${Math.round(goOnMs.most)} ms; ` +
    `${run.bookings} bookings, ${run.rows} rows out, ${run.repeats} of them repeats; ` +
    `${run.checkpoints} checkpoints`,
);
Deno.exit(findings.length === 0 ? 0 : 1);
