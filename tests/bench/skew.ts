/**
 * Keys of very different frequency on real workers: how even key groups that move make them. `deno task bench skew
 * [--exponent 1.1] [--keys 100000] [--workers 2] [--seconds 40]`: the time that each worker's thread is busy before the
 * first move and at the end, beside what was decided. Where one key makes evenness impossible, a decision names it.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { roundsPerMs } from "../../examples/scaling/work.ts";
import { type JobStatus, silentLogger, startJob } from "../../mod.ts";
import { delay, systemClock } from "../../runtime/clock.ts";
import { markdownTable } from "./markdown_table.ts";

/** Work of a record, ms. */
const RECORD_MS = 0.03;
/** What there is to do, of work alone, in cores. */
const CORES = 1;
/** Batches that are compiled and allocated for the first time are no load. */
const WARM_MS = 3000;
/** Each of the two times that are looked at. */
const WINDOW_MS = 10_000;

/** Runs the benchmark; returns the exit code. */
export async function skewBench(
  args: readonly string[],
  print: (line: string) => void,
): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      exponent: { type: "string", default: "1.1" },
      keys: { type: "string", default: "100000" },
      workers: { type: "string", default: "2" },
      seconds: { type: "string", default: "40" },
    },
  });
  const [workers, seconds] = [Number(values.workers), Number(values.seconds)];
  const url = new URL("./jobs/skewed.ts", import.meta.url);
  const rate = Math.round(CORES * 1000 / RECORD_MS);
  const rounds = Math.round(roundsPerMs(systemClock) * RECORD_MS);
  const { exponent, keys } = values;
  for (const [name, value] of Object.entries({ exponent, keys, rate, rounds })) {
    url.searchParams.set(name, String(value));
  }
  const lines: string[][] = [];
  // Where nothing moves the same load is seen as it is.
  for (const rebalance of [false, true]) {
    const handle = startJob(url.href, { workers, rebalance, logger: silentLogger });
    await delay(systemClock, rebalance ? seconds * 1000 - WINDOW_MS : WARM_MS);
    const before = handle.status;
    await delay(systemClock, WINDOW_MS);
    const busy = busyOf(before, handle.status);
    lines.push([rebalance ? "balanced" : "as placed", ...busyCells(busy)]);
    for (const { text } of handle.status.decisions) print(`- ${text}`);
    handle.stop();
    await handle.outcome;
  }
  const heads = Array.from({ length: workers }, (_, worker) => `worker ${worker}, cores`);
  print("\n" + markdownTable(["key groups", ...heads, "most above mean, %"], lines, 1));
  return 0;
}

/** Cores that each worker's thread used between two looks. */
function busyOf(before: JobStatus, after: JobStatus): number[] {
  return after.workers.map(({ worker, cpuMs }) => {
    const earlier = before.workers.find((of) => of.worker === worker)?.cpuMs ?? 0;
    return (cpuMs - earlier) / WINDOW_MS;
  });
}

function busyCells(busy: readonly number[]): string[] {
  const mean = busy.reduce((sum, of) => sum + of, 0) / busy.length;
  return [
    ...busy.map((of) => of.toFixed(2)),
    (100 * (Math.max(...busy) / mean - 1)).toFixed(1),
  ];
}
