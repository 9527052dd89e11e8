/**
 * The results of a sitting as a Markdown table, a row for each job, engine and number of workers: the median of its runs,
 * and the least and the most where they differ.
 *
 * @module
 */

import type { RunResult } from "./result.ts";

/** The engines that others are compared with, where they ran. */
const BASELINES = ["loop", "flink"];

/** The middle value, or the mean of the two in the middle; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const below = sorted[Math.floor((sorted.length - 1) / 2)] ?? NaN;
  const above = sorted[Math.floor(sorted.length / 2)] ?? NaN;
  return (below + above) / 2;
}

/**
 * The table, rows in the order in which results first come. Comparison columns say the other engine's CPU time a record
 * divided by the row's, both medians and the other's with the workers that it does best with: above 1 the row is cheaper.
 */
export function resultTable(results: readonly RunResult[]): string {
  const baselines = BASELINES.filter((name) => results.some(({ engine }) => engine === name));
  const header = [
    "job",
    "engine",
    "workers",
    "1000 records/s",
    "CPU s per M",
    "peak RSS MB",
    ...baselines.map((name) => `CPU vs ${name}`),
  ];
  const rows = grouped(results).map((runs) => {
    const { workload, engine, workers } = runs[0];
    const cpu = cpuOf(runs);
    return [
      workload,
      engine,
      `${workers}`,
      spread(runs.map((run) => run.recordsPerSecond / 1000), 0),
      spread(runs.map((run) => run.cpuSecondsPerMillion), 2),
      spread(runs.map((run) => run.peakRssMb), 0),
      ...baselines.map((name) => ratio(leastCpu(results, workload, name), cpu)),
    ];
  });
  const rule = header.map((_, column) => column < 2 ? "---" : "---:");
  return [header, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

type Runs = [RunResult, ...RunResult[]];

function grouped(results: readonly RunResult[]): Runs[] {
  const groups = new Map<string, Runs>();
  for (const result of results) {
    const key = `${result.workload} ${result.engine} ${result.workers}`;
    const runs = groups.get(key);
    if (runs === undefined) groups.set(key, [result]);
    else runs.push(result);
  }
  return [...groups.values()];
}

function cpuOf(runs: Runs): number {
  return median(runs.map((run) => run.cpuSecondsPerMillion));
}

function leastCpu(results: readonly RunResult[], workload: string, engine: string): number {
  const of = results.filter((run) => run.workload === workload && run.engine === engine);
  return Math.min(...grouped(of).map(cpuOf));
}

function ratio(of: number, to: number): string {
  return Number.isFinite(of) ? (of / to).toFixed(2) : "-";
}

function spread(values: readonly number[], digits: number): string {
  const [middle, least, most] = [median(values), Math.min(...values), Math.max(...values)]
    .map((value) => value.toFixed(digits));
  return least === most ? `${middle}` : `${middle} (${least} to ${most})`;
}
