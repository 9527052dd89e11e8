/**
 * What a second worker gives, beside what the machine has to give: the booking job on one worker, on two, and on one
 * worker each in two processes that share nothing but the machine. `deno task bench second-worker [--runs 5] [--passes 6]
 * [--workload booking]`. They take turns; figures are medians, and ratios are of runs that came one after the other.
 *
 * Two processes do not get twice of what one gets: they share memory and caches, and one alone has the other core for
 * its compilers and collectors. No job that splits its work can be faster than they are.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { generate } from "./generator.ts";
import { markdownTable } from "./markdown_table.ts";
import type { PlannedRun } from "./plan.ts";
import { type RunResult, wrongResults } from "./result.ts";
import { resultOf } from "./runner.ts";
import { median } from "./table.ts";
import { WORKLOADS } from "./workload.ts";

const RECORDS = 1_000_000;
const SEED = 1;

/** Records a second and CPU seconds per million of what ran at once. */
interface Figures {
  readonly rate: number;
  readonly cpu: number;
}

/** Runs the benchmark; returns the exit code. */
export async function secondWorkerBench(
  args: readonly string[],
  print: (line: string) => void,
  say: (line: string) => void,
): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: "string", default: "5" },
      passes: { type: "string", default: "6" },
      workload: { type: "string", default: "booking" },
    },
  });
  const workload = WORKLOADS.find((name) => name === values.workload);
  if (workload === undefined) {
    throw new RangeError(`Cannot run ${values.workload}: expected one of ${WORKLOADS.join(", ")}`);
  }
  const [runs, passes] = [Number(values.runs), Number(values.passes)];
  const dataDir = fileURLToPath(new URL(`../../.bench/${RECORDS}-${SEED}`, import.meta.url));
  const expected = generate({
    ...{ dataDir, records: RECORDS, seed: SEED, progress: say },
    passes: { passthrough: 1, count: 1, booking: 1, [workload]: passes },
  });
  const all: RunResult[] = [];
  const run = async (workers: number, processes: number, turn: number): Promise<Figures> => {
    const plan: PlannedRun = {
      ...{ workload, engine: "penstock", workers, passes, input: "memory", turn },
    };
    const results = await Promise.all(
      Array.from({ length: processes }, () => resultOf(plan, dataDir)),
    );
    all.push(...results);
    return {
      rate: results.reduce((sum, { recordsPerSecond }) => sum + recordsPerSecond, 0),
      cpu: results.reduce((sum, of) => sum + of.cpuSecondsPerMillion, 0) / processes,
    };
  };
  const [one, two, apart]: [Figures[], Figures[], Figures[]] = [[], [], []];
  for (let turn = 1; turn <= runs; turn++) {
    one.push(await run(1, 1, turn));
    two.push(await run(2, 1, turn));
    apart.push(await run(1, 2, turn));
    say(`turn ${turn} of ${runs}`);
  }
  const wrong = wrongResults(all, expected);
  if (wrong.length > 0) {
    say(["Failed: outputs are not as expected, so there is no table", ...wrong].join("\n- "));
    return 1;
  }
  const line = (what: string, figures: readonly Figures[]) => [
    what,
    median(figures.map(({ rate }) => rate / 1000)).toFixed(0),
    median(figures.map(({ cpu }) => cpu)).toFixed(2),
    median(figures.map(({ rate }, turn) => rate / (one[turn]?.rate ?? NaN))).toFixed(2),
    median(figures.map(({ rate }, turn) => rate / (apart[turn]?.rate ?? NaN))).toFixed(2),
  ];
  print(markdownTable(
    [workload, "1000 records/s", "CPU s per M", "of one worker", "of two processes"],
    [line("1 worker", one), line("2 workers", two), line("2 processes", apart)],
    1,
  ));
  return 0;
}
