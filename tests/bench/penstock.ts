/**
 * Penstock in the benchmark: the jobs under `jobs/`, on Web Workers, as `deno task start` runs them.
 *
 * @module
 */

import { systemClock } from "../../runtime/clock.ts";
import { type LogFields, type Logger, silentLogger } from "../../runtime/logger.ts";
import { webWorkerHost } from "../../runtime/ports/web_worker_host.ts";
import { systemRandom } from "../../runtime/random.ts";
import { Supervisor } from "../../runtime/supervisor/supervisor.ts";
import type { Checksum } from "./checksum.ts";
import type { EngineRun } from "./engine.ts";
import { CHECKSUM_MESSAGE } from "./jobs/checksum_sink.ts";

/** How often progress is asked for: often enough to find the end of the warm-up. */
const REPORT_MS = 20;

/** Runs a workload on as many Web Workers as asked for. */
export async function penstock(run: EngineRun): Promise<void> {
  const { workload, dataDir, passes, workers, meter, sum } = run;
  const url = new URL(`./jobs/${workload}.ts`, import.meta.url);
  url.searchParams.set("data", dataDir);
  url.searchParams.set("passes", String(passes));
  const supervisor = new Supervisor({
    host: webWorkerHost(),
    clock: systemClock,
    random: systemRandom,
    logger: checksumListener(sum),
    settings: {
      url: url.href,
      params: {},
      aws: {},
      startedAt: systemClock.now(),
      logLevel: "info",
    },
    workers,
    parallelism: workers,
    reportMs: REPORT_MS,
    onStatus: ({ sources }) => {
      const records = Object.values(sources).reduce((all, source) => all + source.records, 0);
      meter.reached(records);
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
