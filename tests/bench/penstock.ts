/**
 * Penstock in the benchmark: the jobs under `jobs/`, on Web Workers, as `deno task start` runs them.
 *
 * @module
 */

import { systemClock } from "../../runtime/clock.ts";
import { type LogFields, type Logger, silentLogger } from "../../runtime/logger.ts";
import { sqliteStore } from "../../runtime/checkpoint/sqlite_store.ts";
import { usableCores } from "../../runtime/ports/usable_cores.ts";
import { webWorkerHost } from "../../runtime/ports/web_worker_host.ts";
import { systemRandom } from "../../runtime/random.ts";
import {
  type KeepCheckpoints,
  openCheckpoints,
} from "../../runtime/supervisor/open_checkpoints.ts";
import { Supervisor } from "../../runtime/supervisor/supervisor.ts";
import { benchJobUrl, type SchemaKind } from "./bench_job.ts";
import type { Checksum } from "./checksum.ts";
import type { EngineRun } from "./engine.ts";
import { CHECKSUM_MESSAGE } from "./jobs/checksum_sink.ts";

/** How often progress is asked for: often enough to find the end of the warm-up, and too seldom to count. */
const REPORT_MS = 100;

/** Runs a workload whose schemas are Penstock's own, on as many Web Workers as asked for. */
export function penstock(run: EngineRun): Promise<void> {
  return measuredRun(run, "fields");
}

/** The same with schemas of zod. */
export function penstockZod(run: EngineRun): Promise<void> {
  return measuredRun(run, "zod");
}

/** The same with strict schemas of zod. */
export function penstockZodStrict(run: EngineRun): Promise<void> {
  return measuredRun(run, "zod-strict");
}

/** Penstock's own schemas, and a checkpoint each second into a SQLite file. */
export async function penstockCheckpoints(run: EngineRun): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "penstock-bench-" });
  try {
    await measuredRun(run, "fields", { store: sqliteStore(`${folder}/bench.db`), interval: "1s" });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function measuredRun(
  run: EngineRun,
  schema: SchemaKind,
  checkpoints?: KeepCheckpoints,
): Promise<void> {
  const { workload, dataDir, passes, workers, meter, sum, replayInput: input } = run;
  return runBenchJob({
    checkpoints,
    url: benchJobUrl(workload, { dataDir, passes, schema, input }),
    workers,
    sum,
    onRecords: (records) => meter.reached(records),
  });
}

/**
 * Runs a job of the benchmark to its end.
 *
 * @throws {Error} if it fails, or if a record could not be processed
 */
export async function runBenchJob(run: {
  readonly url: string;
  readonly checkpoints?: KeepCheckpoints | undefined;
  readonly workers: number;
  /** Takes the sums of all workers. */
  readonly sum: Checksum;
  /** Told now and then how many records went in so far. */
  readonly onRecords: (records: number) => void;
}): Promise<void> {
  const { url, checkpoints, workers, sum, onRecords } = run;
  const [clock, random] = [systemClock, systemRandom];
  const startedAt = clock.now();
  const supervisor = new Supervisor({
    host: webWorkerHost(),
    clock,
    random,
    logger: checksumListener(sum),
    settings: { url, params: {}, aws: {}, startedAt, logLevel: "info" },
    ...(checkpoints === undefined ? {} : {
      checkpoints: (job, failed) =>
        openCheckpoints(checkpoints, {
          ...{ job, aws: {}, clock, random, logger: silentLogger, startedAt, failed },
        }),
    }),
    workers,
    parallelism: workers,
    reportMs: REPORT_MS,
    // As it is unless said otherwise.
    scaling: { options: undefined, cores: usableCores() },
    onStatus: ({ sources }) => {
      onRecords(Object.values(sources).reduce((all, source) => all + source.records, 0));
    },
  });
  const outcome = await supervisor.run();
  if (outcome.kind === "failed") throw outcome.error;
  if (outcome.status.deadLetters > 0) {
    throw new Error(`Cannot count this run: it has ${outcome.status.deadLetters} dead letters`);
  }
}

/** Workers log their sums; the rest of the log is not of interest. */
function checksumListener(sum: Checksum): Logger {
  return {
    ...silentLogger,
    info(message: string, fields: LogFields = {}) {
      const { outputs, sum: part } = fields;
      if (message === CHECKSUM_MESSAGE && typeof outputs === "number" && typeof part === "number") {
        sum.merge({ outputs, sum: part });
      }
    },
  };
}
