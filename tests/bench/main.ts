/**
 * The benchmark: generates the inputs, lets the engines take turns at the jobs, checks that all of them wrote what they
 * should, and prints one table. `deno task bench --workloads count --engines loop,penstock --runs 3 --flink`.
 * `deno task bench slow-sink` shows memory while a sink is slow. Progress goes to standard error, the table to standard output; exit code 1 when an engine is wrong.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { type BenchOptions, benchOptions } from "./arguments.ts";
import type { Expected } from "./expected.ts";
import { FLINK_RUNNER, hasFlink } from "./flink.ts";
import { generate } from "./generator.ts";
import { passesNeeded, plannedRuns } from "./plan.ts";
import { shareTable } from "./profile.ts";
import { profiledShares } from "./profiled_run.ts";
import { type RunResult, wrongResults } from "./result.ts";
import { resultOf } from "./runner.ts";
import { resultTable } from "./table.ts";

const encoder = new TextEncoder();
const say = (text: string) => Deno.stderr.writeSync(encoder.encode(text + "\n"));

/** Makes all runs of a sitting; returns the exit code. */
async function bench(asked: BenchOptions): Promise<number> {
  const flink = asked.flink && hasFlink();
  if (asked.flink && !flink) say(`flink: skipped: not there (${FLINK_RUNNER})`);
  const options = { ...asked, flink };
  const { records, seed } = options;
  const dataDir = fileURLToPath(new URL(`../../.bench/${records}-${seed}`, import.meta.url));
  const plan = plannedRuns(options);
  const passes = passesNeeded(plan);
  const expected = generate({ dataDir, records, seed, passes, progress: say });
  const results: RunResult[] = [];
  for (const [index, run] of plan.entries()) {
    const { workload, engine, workers, turn } = run;
    const result = await resultOf(run, dataDir);
    results.push(result);
    say(
      `${index + 1}/${plan.length} ${workload} ${engine}, workers ${workers}, turn ${turn}: ` +
        `${Math.round(result.recordsPerSecond / 1000)} thousand records/s, ` +
        `${result.cpuSecondsPerMillion} CPU s per million`,
    );
  }
  const code = report(options, expected, results);
  if (code === 0 && options.engines.includes("penstock")) await reportShares(options, dataDir);
  return code;
}

/** Prints where Penstock's time goes, of one profiled pass a workload. */
async function reportShares({ workloads }: BenchOptions, dataDir: string): Promise<void> {
  const rows = [];
  for (const workload of workloads) {
    rows.push({ workload, shares: await profiledShares(workload, dataDir, 2) });
    say(`profiled ${workload}`);
  }
  Deno.stdout.writeSync(encoder.encode("\n" + shareTable(rows) + "\n"));
}

function report(options: BenchOptions, expected: Expected, results: readonly RunResult[]): number {
  if (options.json !== undefined) {
    const machine = { cpus: navigator.hardwareConcurrency, ...Deno.build, ...Deno.version };
    const document = { machine, options, results };
    Deno.writeTextFileSync(options.json, JSON.stringify(document, null, 1) + "\n");
  }
  const wrong = wrongResults(results, expected);
  if (wrong.length > 0) {
    say(["Failed: outputs are not as expected, so there is no table", ...wrong].join("\n- "));
    return 1;
  }
  Deno.stdout.writeSync(encoder.encode(resultTable(results) + "\n"));
  return 0;
}

if (import.meta.main) {
  // Another question than the engines' speed, and minutes of its own.
  if (Deno.args[0] === "slow-sink") await import("./slow_sink.ts");
  else Deno.exit(await bench(benchOptions(Deno.args)));
}
