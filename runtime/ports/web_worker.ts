/**
 * Where a Web Worker starts. Nothing is exported: the host spawns it by its URL.
 *
 * @module
 */

/// <reference lib="deno.worker" />

import { systemClock } from "../clock.ts";
import { systemRandom } from "../random.ts";
import type { HostMessage, WorkerMessage } from "../worker/protocol.ts";
import { startWorker } from "../worker/worker_engine.ts";
import { sampledGcShare } from "./gc_share.ts";
import { importJob } from "./import_job.ts";
import { portOver } from "./message_port.ts";

declare const self: DedicatedWorkerGlobalScope;

startWorker({
  host: portOver<WorkerMessage, HostMessage>(self),
  clock: systemClock,
  random: systemRandom,
  gcShare: sampledGcShare(systemClock),
  // Real time needs no account of who waits for the outside.
  outside: { enter() {}, leave() {} },
  loadJob: importJob,
  openLink(link) {
    if (link instanceof MessagePort) return portOver(link);
    throw new TypeError("Cannot open a link: expected a MessagePort");
  },
});
