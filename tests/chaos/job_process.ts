/**
 * The process that is killed: runs the job with checkpoints in a file until its standard input ends, and tells by lines
 * of JSON what becomes of it. Its one argument is a {@linkcode JobProcessSettings} as JSON.
 *
 * @module
 */

import { sqliteStore } from "../../runtime/checkpoint/sqlite_store.ts";
import { systemClock } from "../../runtime/clock.ts";
import type { LogFields, Logger } from "../../runtime/logger.ts";
import { threadHost } from "../../runtime/ports/thread_host.ts";
import { webWorkerHost } from "../../runtime/ports/web_worker_host.ts";
import { systemRandom } from "../../runtime/random.ts";
import { openCheckpoints } from "../../runtime/supervisor/open_checkpoints.ts";
import { Supervisor } from "../../runtime/supervisor/supervisor.ts";
import type { JobEvent, JobProcessSettings } from "./job_events.ts";

const settings: JobProcessSettings = JSON.parse(Deno.args[0] ?? "");
const { endpoint, checkpoints, intervalMs, url, workers, isolation, heapMbMax } = settings;
const clock = systemClock;
const startedAt = clock.now();
const utf8 = new TextEncoder();

function tell(event: JobEvent): void {
  Deno.stdout.writeSync(utf8.encode(`${JSON.stringify(event)}\n`));
}

const logged = (level: string) => (message: string, fields: LogFields = {}) => {
  tell({ event: "log", level, message, fields });
};
const logger: Logger = {
  debug(message, fields) {
    if (message === "Job state" && fields?.["state"] === "running") tell({ event: "running" });
  },
  info(message, fields) {
    if (message === "Going on from a checkpoint") {
      tell({ event: "restored", number: Number(fields?.["number"]) });
    }
  },
  warn: logged("warn"),
  error(message, fields) {
    if (message === "Job failed; starting it again") {
      tell({ event: "failed", reason: String(fields?.["reason"]) });
    } else logged("error")(message, fields);
  },
  critical: logged("critical"),
};

const aws = { endpoint, region: "us-east-1" };
const supervisor = new Supervisor({
  host: isolation === "thread"
    ? threadHost(heapMbMax === undefined ? {} : { heapMbMax })
    : webWorkerHost(),
  clock,
  random: systemRandom,
  logger,
  settings: { url, params: {}, aws, startedAt, logLevel: "warn" },
  workers,
  parallelism: workers,
  silentMsMax: settings.silentMsMax,
  restarts: { restartsMax: 1_000_000, windowMs: 60_000, delayMs: 50, delayMsMax: 100 },
  onDeadLetter: ({ operator, reason }) => tell({ event: "letter", operator, reason }),
  checkpoints: (job, failed) =>
    openCheckpoints({ store: sqliteStore(checkpoints), interval: intervalMs }, {
      ...{ job, aws, clock, random: systemRandom, logger, startedAt, failed },
      onCheckpoint: ({ epoch }) => tell({ event: "kept", number: epoch }),
    }),
});
const outcome = supervisor.run();
const input = (async () => {
  for await (const _ of Deno.stdin.readable);
  supervisor.stop();
})();
const ended = await outcome;
if (ended.kind === "failed") {
  tell({
    event: "log",
    level: "critical",
    message: "Job failed",
    fields: { reason: ended.error.message },
  });
  Deno.exit(1);
}
await input;
tell({ event: "finished" });
Deno.exit(0);
