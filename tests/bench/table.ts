/**
 * The results of a sitting as Markdown: a table for each job and number of workers, engines side by side. A figure is the
 * median of its runs, with the least and the most where they differ.
 *
 * @module
 */

import { markdownTable } from "./markdown_table.ts";
import type { RunResult } from "./result.ts";
import type { Workload } from "./workload.ts";

/** Engines whose CPU time the others' is compared with, on one worker, where they ran. */
const CPU_BASELINES = ["loop", "flink"];
/** The engine whose memory the others' is compared with, on as many workers, and from how many on: those of real jobs. */
const RSS_BASELINE = "flink";
const RSS_WORKERS_MIN = 2;
const NONE = "-";

/** The middle value, or the mean of the two in the middle; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const below = sorted[Math.floor((sorted.length - 1) / 2)] ?? NaN;
  const above = sorted[Math.floor(sorted.length / 2)] ?? NaN;
  return (below + above) / 2;
}

/**
 * The tables: jobs in the order in which they first come, each on one worker and then on more, engines in the order in
 * which they first come. Comparisons are of medians: above 1 the engine needs less than the one that it is compared with.
 */
export function resultTables(results: readonly RunResult[]): string {
  const workloads = new Set(results.map(({ workload }) => workload));
  return [...workloads].flatMap((workload) => {
    const runs = results.filter((run) => run.workload === workload);
    const workers = [...new Set(runs.map((run) => run.workers))].sort((a, b) => a - b);
    return workers.map((workers) => tableOf(workload, workers, runs));
  }).join("\n\n");
}

/** @param results of this job, on any number of workers */
function tableOf(workload: Workload, workers: number, results: readonly RunResult[]): string {
  const here = results.filter((run) => run.workers === workers);
  const engines = [...new Set(here.map(({ engine }) => engine))];
  const row = (title: string, cell: (runs: readonly RunResult[]) => string) => [
    title,
    ...engines.map((engine) => cell(runsOf(here, engine))),
  ];
  const rows = [
    row("1000 records/s", (runs) => spread(runs.map((run) => run.recordsPerSecond / 1000), 0)),
    row("CPU s per M", (runs) => spread(runs.map(cpu), 2)),
    row("peak RSS MB", (runs) => spread(runs.map(rss), 0)),
  ];
  for (const name of CPU_BASELINES) {
    const baseline = runsOf(results.filter((run) => run.workers === 1), name);
    if (baseline.length > 0) {
      rows.push(row(`CPU of ${name} / CPU`, (runs) => ratio(baseline, runs, cpu)));
    }
  }
  const baseline = runsOf(here, RSS_BASELINE);
  if (workers >= RSS_WORKERS_MIN && baseline.length > 0) {
    rows.push(row(`RSS of ${RSS_BASELINE} / RSS`, (runs) => ratio(baseline, runs, rss)));
  }
  const title = `${workload}, ${workers} ${workers === 1 ? "worker" : "workers"}`;
  return markdownTable([title, ...engines], rows, 1);
}

function runsOf(results: readonly RunResult[], engine: string): RunResult[] {
  return results.filter((run) => run.engine === engine);
}

const cpu = (run: RunResult) => run.cpuSecondsPerMillion;
const rss = (run: RunResult) => run.peakRssMb;

function ratio(
  of: readonly RunResult[],
  to: readonly RunResult[],
  figure: (run: RunResult) => number,
): string {
  const value = median(of.map(figure)) / median(to.map(figure));
  return Number.isFinite(value) ? value.toFixed(2) : NONE;
}

function spread(values: readonly number[], digits: number): string {
  const [middle, least, most] = [median(values), Math.min(...values), Math.max(...values)]
    .map((value) => value.toFixed(digits));
  return least === most ? `${middle}` : `${middle} (${least} to ${most})`;
}
