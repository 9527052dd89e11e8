/**
 * What checkpoints cost: booking with one a second beside booking without, in turns; and checkpoints of a million live keys
 * of which one in a hundred has changed, and going on from one. `deno task bench checkpoint [--runs 5] [--passes 6]`.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { sqliteStore } from "../../runtime/checkpoint/sqlite_store.ts";
import type { CheckpointStore } from "../../runtime/checkpoint/store.ts";
import { systemClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { webWorkerHost } from "../../runtime/ports/web_worker_host.ts";
import { systemRandom } from "../../runtime/random.ts";
import type { CheckpointEvent } from "../../runtime/supervisor/checkpoint_event.ts";
import { openCheckpoints } from "../../runtime/supervisor/open_checkpoints.ts";
import { Supervisor } from "../../runtime/supervisor/supervisor.ts";
import { benchOptions } from "./arguments.ts";
import { generate } from "./generator.ts";
import { LIVE_KEYS, LIVE_KEYS_CHANGED } from "./live_keys.ts";
import { markdownTable } from "./markdown_table.ts";
import { passesNeeded, plannedRuns } from "./plan.ts";
import { type RunResult, wrongResults } from "./result.ts";
import { resultOf } from "./runner.ts";

/** Checkpoints of changes that are measured. */
const ROUNDS = 5;
const LOOK_MS = 5;

type Print = (line: string) => void;

/** Makes all runs; returns the exit code. */
export async function checkpointBench(
  args: readonly string[],
  print: Print,
  say: Print,
): Promise<number> {
  const isRight = await throughput(args, print, say);
  await liveKeys(print);
  return isRight ? 0 : 1;
}

/** Booking with and without, in turns. */
async function throughput(args: readonly string[], print: Print, say: Print): Promise<boolean> {
  const asked = ["--workloads", "booking", "--engines", "penstock,penstock-checkpoints"];
  const options = benchOptions([...asked, "--workers", "1", ...args]);
  const { records, seed } = options;
  const dataDir = fileURLToPath(new URL(`../../.bench/${records}-${seed}`, import.meta.url));
  const plan = plannedRuns(options);
  const expected = generate({ dataDir, records, seed, passes: passesNeeded(plan), progress: say });
  const results: RunResult[] = [];
  for (const run of plan) results.push(await resultOf(run, dataDir));
  const wrong = wrongResults(results, expected);
  for (const line of wrong) say(line);
  const rows = ["penstock", "penstock-checkpoints"].map((engine) => {
    const of = results.filter((result) => result.engine === engine);
    return [
      engine === "penstock" ? "none" : "one a second",
      String(Math.round(median(of.map((result) => result.recordsPerSecond)) / 1000)),
      median(of.map((result) => result.cpuSecondsPerMillion)).toFixed(2),
    ];
  });
  print(markdownTable(["checkpoints", "thousand records/s", "CPU s per million"], rows, 1));
  return wrong.length === 0;
}

/** A million live keys. */
async function liveKeys(print: Print): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "penstock-bench-" });
  const store = sqliteStore(`${folder}/live-keys.db`);
  try {
    const events: CheckpointEvent[] = [];
    const first = job(store, (event) => events.push(event));
    await first.hasRead(LIVE_KEYS);
    for (let round = 0; round <= ROUNDS; round++) {
      await first.hasRead(LIVE_KEYS + round * LIVE_KEYS_CHANGED);
      await first.supervisor.checkpoint();
    }
    first.supervisor.stop();
    await first.ended;
    const rows = events.map((event) => [
      String(event.epoch),
      String(event.changedKeys),
      (event.bytes / 1e6).toFixed(2),
      event.tookMs.toFixed(0),
      event.stopMs.toFixed(2),
      event.alignMs.toFixed(2),
    ]);
    print("");
    print(markdownTable(
      ["checkpoint", "changed keys", "MB", "ms in all", "ms stop", "ms alignment"],
      rows,
      1,
    ));
    const from = systemClock.monotonic();
    const second = job(store, () => {});
    await second.running;
    const restoreMs = systemClock.monotonic() - from;
    print(
      `\nrunning again from the last checkpoint of ${LIVE_KEYS} keys: ${restoreMs.toFixed(0)} ms`,
    );
    second.supervisor.stop();
    await second.ended;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The job, on one Web Worker. */
function job(store: CheckpointStore, onCheckpoint: (event: CheckpointEvent) => void) {
  const [clock, random, logger] = [systemClock, systemRandom, silentLogger];
  const startedAt = clock.now();
  const around = { aws: {}, clock, random, logger, startedAt, workers: 1 };
  const running = Promise.withResolvers<void>();
  let records = 0;
  const supervisor = new Supervisor({
    host: webWorkerHost(),
    ...{ clock, random, logger },
    settings: {
      url: new URL("./jobs/live_keys.ts", import.meta.url).href,
      ...{ params: {}, aws: {}, startedAt, logLevel: "info" },
    },
    workers: 1,
    parallelism: 1,
    reportMs: LOOK_MS,
    onStatus: ({ state, sources }) => {
      if (state === "running") running.resolve();
      records = sources["changes"]?.records ?? 0;
    },
    checkpoints: (job, failed) =>
      openCheckpoints({ store, interval: "1d" }, { ...around, job, failed, onCheckpoint }),
  });
  const hasRead = async (wanted: number) => {
    while (records < wanted) {
      await new Promise<void>((resolve) => void clock.setTimer(LOOK_MS, resolve));
    }
  };
  const ended = supervisor.run().then((outcome) => {
    if (outcome.kind === "failed") throw outcome.error;
  });
  return { supervisor, running: running.promise, hasRead, ended };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}
