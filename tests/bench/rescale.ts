/**
 * What it costs to go from one worker to two and back while a job runs: a worker joins, half of the key groups move there
 * and return, a few at a time, and the worker leaves. `deno task bench rescale`: how long groups stand still, how late rows are, and whether any is lost or doubled.
 *
 * @module
 */

import { delay, systemClock } from "../../runtime/clock.ts";
import type { MoveFigures } from "../../runtime/supervisor/group_mover.ts";
import { markdownTable } from "./markdown_table.ts";
import { RESCALE_KEYS } from "./rescale_load.ts";
import { countLine, RescaleRun } from "./rescale_run.ts";

/** Key groups that move at once. */
const BATCH_GROUPS = 4;
const STEADY_MS = 5000;

type Print = (line: string) => void;

/** How late rows were, ms. */
interface Latencies {
  readonly moving: number[];
  readonly others: number[];
}

/** Runs the benchmark; returns the exit code. */
export async function rescaleBench(print: Print): Promise<number> {
  let phase: Latencies = { moving: [], others: [] };
  let moving: ReadonlySet<number> = new Set();
  const workers = { workers: 1, workersMax: 2, parallelism: 1 };
  const run = new RescaleRun(RESCALE_KEYS, workers, ({ groups, latencies }) => {
    for (const [row, group] of groups.entries()) {
      (moving.has(group) ? phase.moving : phase.others).push(latencies[row] ?? 0);
    }
  });
  const { supervisor } = run;
  await run.loaded();
  const lines: string[][] = [];
  const steady = async (what: string) => {
    phase = { moving: [], others: [] };
    await delay(systemClock, STEADY_MS);
    lines.push([what, "", "", "", "", ...latencyCells(phase.others), "", "", ""]);
  };
  const groups = supervisor.routing.flatMap((_, group) => group % 2 === 1 ? [group] : []);
  const moveAll = async (what: string, from: number, to: number) => {
    phase = { moving: [], others: [] };
    moving = new Set(groups);
    const began = systemClock.monotonic();
    const moved: MoveFigures[] = [];
    for (let at = 0; at < groups.length; at += BATCH_GROUPS) {
      const figures = await supervisor.move(
        groups.slice(at, at + BATCH_GROUPS).map((group) => ({ group, from, to })),
      );
      if (figures !== undefined) moved.push(figures);
    }
    const tookMs = systemClock.monotonic() - began;
    await delay(systemClock, 500);
    lines.push([
      what,
      String(moved.reduce((sum, { groups }) => sum + groups, 0)),
      (moved.reduce((sum, { copied }) => sum + copied.bytes, 0) / 1e6).toFixed(1),
      tookMs.toFixed(0),
      quantiles(moved.map(({ pauseMs }) => pauseMs)),
      ...latencyCells(phase.others),
      ...latencyCells(phase.moving),
    ]);
    moving = new Set();
  };
  const scale = async (workers: number) => {
    phase = { moving: [], others: [] };
    const figures = await supervisor.scale(workers);
    await delay(systemClock, 500);
    const tookMs = figures?.tookMs.toFixed(0) ?? "";
    const what = workers === 2 ? "a worker joins" : "it leaves";
    lines.push([what, "", "", tookMs, "", ...latencyCells(phase.others), "", "", ""]);
  };
  await steady("one worker");
  await scale(2);
  await moveAll("1 to 2", 0, 1);
  await steady("two workers");
  await moveAll("2 to 1", 1, 0);
  await scale(1);
  await steady("one worker");
  const count = await run.end();
  const latency = ["p50", "p99", "most"];
  print(markdownTable(
    [
      ...["", "key groups", "MB", "ms in all", "stop of a batch, ms: p50, p99, most"],
      ...latency.map((of) => `rows of others, ms: ${of}`),
      ...latency.map((of) => `rows that move: ${of}`),
    ],
    lines,
    1,
  ));
  print(`\n${countLine(count)}`);
  return count.lost === 0 && count.doubled === 0 && count.isRight ? 0 : 1;
}

function quantiles(values: readonly number[]): string {
  return latencyCells(values).join(", ");
}

function latencyCells(values: readonly number[]): string[] {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return [at(0.5), at(0.99), sorted.at(-1)].map((value) =>
    value === undefined ? "" : value.toFixed(0)
  );
}
