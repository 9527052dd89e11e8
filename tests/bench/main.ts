/**
 * The benchmark: generates the inputs, lets the engines take turns at the jobs, checks that all of them wrote what they
 * should, and prints tables. `deno task bench --workloads count --engines loop,penstock --runs 3 --flink`.
 * `deno task bench memory` shows memory over a long run, `deno task bench slow-sink` while a sink is slow,
 * `deno task bench checkpoint` what checkpoints cost, `deno task bench rescale` what it costs to change the workers,
 * `deno task bench moves` many moves of key groups in one run, `deno task bench skew` how even key groups that move make
 * workers whose keys are not, `deno task bench second-worker` what a second worker gives.
 * Progress goes to standard error, tables to standard output; exit code 1 when an engine is wrong.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { type BenchOptions, benchOptions, memoryOptions } from "./arguments.ts";
import { isFlink, PENSTOCK_SCHEMAS } from "./engine.ts";
import type { Expected } from "./expected.ts";
import { FLINK_RUNNER, hasFlink } from "./flink.ts";
import { generate } from "./generator.ts";
import { passesNeeded, plannedRuns } from "./plan.ts";
import { shareTable } from "./profile.ts";
import { profiledShares } from "./profiled_run.ts";
import { type RunResult, wrongResults } from "./result.ts";
import { resultOf } from "./runner.ts";
import { resultTables } from "./table.ts";

/** The first of them is warm-up. */
const PROFILED_PASSES = 3;

const encoder = new TextEncoder();
const say = (text: string) => void Deno.stderr.writeSync(encoder.encode(text + "\n"));
const print = (text: string) => void Deno.stdout.writeSync(encoder.encode(text + "\n"));

/** Makes all runs of a sitting; returns the exit code. */
async function bench(asked: BenchOptions): Promise<number> {
  const options = hasFlink() ? asked : withoutFlink(asked);
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
  if (code === 0) await reportShares(options, dataDir);
  return code;
}

function withoutFlink(options: BenchOptions): BenchOptions {
  const engines = options.engines.filter((engine) => !isFlink(engine));
  const skipped = options.engines.filter(isFlink);
  if (skipped.length > 0) say(`${skipped.join(", ")}: skipped: not there (${FLINK_RUNNER})`);
  return { ...options, engines };
}

/** Prints where Penstock's time goes, of one profiled run each. */
async function reportShares(options: BenchOptions, dataDir: string): Promise<void> {
  const rows = [];
  for (const workload of options.workloads) {
    for (const engine of options.engines) {
      const schema = PENSTOCK_SCHEMAS.get(engine);
      if (schema === undefined) continue;
      const shares = await profiledShares(workload, schema, dataDir, PROFILED_PASSES);
      rows.push({ workload, engine, shares });
      say(`profiled ${workload} ${engine}`);
    }
  }
  if (rows.length === 0) return;
  print("\n" + shareTable(rows));
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
  print(resultTables(results));
  return 0;
}

if (import.meta.main) {
  // Other questions than the engines' speed, and minutes of their own.
  const [first, ...rest] = Deno.args;
  switch (first) {
    case "slow-sink":
      await import("./slow_sink.ts");
      break;
    case "checkpoint": {
      const { checkpointBench } = await import("./checkpoint.ts");
      Deno.exit(await checkpointBench(rest, print, say));
      break;
    }
    case "rescale": {
      const { rescaleBench } = await import("./rescale.ts");
      Deno.exit(await rescaleBench(print));
      break;
    }
    case "moves": {
      const { manyMovesBench } = await import("./many_moves.ts");
      Deno.exit(await manyMovesBench(rest));
      break;
    }
    case "skew": {
      const { skewBench } = await import("./skew.ts");
      Deno.exit(await skewBench(rest, print));
      break;
    }
    case "second-worker": {
      const { secondWorkerBench } = await import("./second_worker.ts");
      Deno.exit(await secondWorkerBench(rest, print, say));
      break;
    }
    case "memory": {
      const { memory } = await import("./memory.ts");
      Deno.exit(await memory(memoryOptions(rest), print));
      break;
    }
    default:
      Deno.exit(await bench(benchOptions(Deno.args)));
  }
}
