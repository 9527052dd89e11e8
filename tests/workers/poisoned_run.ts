/**
 * A job with checkpoints on real workers that meets a poisoned record, and what becomes of it.
 *
 * @module
 */

import { fail } from "@std/assert";
import { memoryStore } from "../../runtime/checkpoint/memory_store.ts";
import { delay, systemClock } from "../../runtime/clock.ts";
import { type Logger, silentLogger } from "../../runtime/logger.ts";
import { threadHost } from "../../runtime/ports/thread_host.ts";
import { webWorkerHost } from "../../runtime/ports/web_worker_host.ts";
import { systemRandom } from "../../runtime/random.ts";
import { openCheckpoints } from "../../runtime/supervisor/open_checkpoints.ts";
import { Supervisor } from "../../runtime/supervisor/supervisor.ts";
import type { JobOutcome } from "../../runtime/supervisor/supervisor_options.ts";
import { ISOLATIONS, jobModule } from "./job_module.ts";
import type { Total } from "./jobs/totals.ts";
import { NdjsonFolder } from "./ndjson_folder.ts";
import { PATIENCE_MS } from "./patience.ts";

/** A worker that is silent for so long counts as hung. */
export const SILENT_MS = 700;
const CUSTOMERS = ["ann", "bob", "cid", "dan"];
const ROUNDS = 5;

/** What a record does to a worker. */
export type Poison = "throw" | "end" | "hang" | "memory";

/** How it went. */
export interface PoisonedRun {
  readonly outcome: JobOutcome["kind"];
  /** Why attempts failed. */
  readonly reasons: readonly string[];
  /** Numbers of the checkpoints that were gone on from. */
  readonly restored: readonly number[];
  /** The last total of each customer. */
  readonly totals: Readonly<Record<string, readonly [orders: number, amount: number]>>;
  /** From the poisoned record to the moment the job had failed, ms. */
  readonly noticedMs: number;
}

/** What the last totals must be. */
export const TOTALS: PoisonedRun["totals"] = Object.fromEntries(
  CUSTOMERS.map((customer) => [customer, [2 * ROUNDS, 3 * ROUNDS]]),
);

/** Runs the job until it has handled all orders, among them one with poison. */
export async function poisonedRun(
  poison: Poison,
  isolation: typeof ISOLATIONS[number],
): Promise<PoisonedRun> {
  await using folder = new NdjsonFolder();
  const orders = (amount: number) =>
    Array.from(
      { length: ROUNDS },
      () => CUSTOMERS.map((customer) => ({ customer, amount, poison: "" })),
    ).flat();
  const url = jobModule("poisoned", {
    in: await folder.write("orders.ndjson", orders(1)),
    out: folder.pathOf("totals.ndjson"),
    markers: folder.path,
  });
  const reasons: string[] = [];
  const restored: number[] = [];
  let [keys, failedAt, isBack] = [0, 0, false];
  const logger: Logger = {
    ...silentLogger,
    info: (_, fields) => void restored.push(Number(fields?.["number"])),
    error(_, fields) {
      failedAt = systemClock.monotonic();
      reasons.push(String(fields?.["reason"]));
    },
  };
  const around = { clock: systemClock, random: systemRandom, logger };
  const startedAt = systemClock.now();
  const supervisor = new Supervisor({
    ...around,
    host: isolation === "thread" ? threadHost({ heapMbMax: 64 }) : webWorkerHost(),
    settings: { url, params: {}, aws: {}, startedAt, logLevel: "warn" },
    workers: 2,
    parallelism: 2,
    // A heap that fills up keeps its thread from answering: for how long is for the machine to say.
    silentMsMax: poison === "memory" ? PATIENCE_MS : SILENT_MS,
    checkpoints: (job, failed) =>
      openCheckpoints({ store: memoryStore(), interval: 30 }, {
        ...{ ...around, job, aws: {}, startedAt, failed },
        onCheckpoint(event) {
          keys = event.keys;
          isBack ||= restored.length > 0;
        },
      }),
  });
  const run = supervisor.run();
  await until(() => keys === CUSTOMERS.length, "a checkpoint with all customers");
  const poisonedAt = systemClock.monotonic();
  const [first, ...others] = orders(2);
  await folder.write("orders.ndjson", [{ ...first, poison }, ...others]);
  const isDone = async () => {
    const totals = lastTotals(await folder.read<Total>("totals.ndjson").catch(() => []));
    return CUSTOMERS.every((customer) => totals[customer]?.[0] === 2 * ROUNDS);
  };
  await until(async () => isBack && await isDone(), "all totals, and a checkpoint after the harm");
  supervisor.stop();
  const outcome = await run;
  const totals = lastTotals(await folder.read<Total>("totals.ndjson"));
  return { outcome: outcome.kind, reasons, restored, totals, noticedMs: failedAt - poisonedAt };
}

function lastTotals(written: readonly Total[]): PoisonedRun["totals"] {
  return Object.fromEntries(
    written.map(({ customer, orders, amount }) => [customer, [orders, amount]]),
  );
}

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const began = systemClock.monotonic();
  while (!await condition()) {
    if (systemClock.monotonic() - began > PATIENCE_MS) fail(`Waited in vain for ${what}`);
    await delay(systemClock, 20);
  }
}
