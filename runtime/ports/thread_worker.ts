/**
 * Where a thread starts. Nothing is exported: the host spawns it by its URL.
 *
 * @module
 */

import { parentPort, threadId } from "node:worker_threads";
import { systemClock } from "../clock.ts";
import { systemRandom } from "../random.ts";
import type { HostMessage } from "../worker/protocol.ts";
import { startWorker } from "../worker/worker_engine.ts";
import { sampledGcShare } from "./gc_share.ts";
import { importJob } from "./import_job.ts";
import { portOver } from "./message_port.ts";

/** What Deno's types leave out of a worker's navigator. */
interface LockingNavigator extends Navigator {
  readonly locks?: { request(name: string, held: () => Promise<void>): Promise<void> };
}

/**
 * A thread that is stuck in a loop goes on after terminate(), unless it holds a lock: then its execution is ended. Taken
 * when the job's module is there: to end a thread while it loads modules can end the process.
 */
function holdLock(): void {
  const { locks }: LockingNavigator = navigator;
  void locks?.request(`penstock-thread-${threadId}`, () => new Promise(() => {}));
}

const parent = parentPort;
if (parent === null) throw new Error("Cannot start a worker here: this module is for threads");

startWorker({
  host: {
    post: (message, transfer = []) =>
      parent.postMessage(message, transfer as Parameters<typeof parent.postMessage>[1]),
    onMessage: (listener: (message: HostMessage) => void) => {
      parent.on("message", listener);
    },
    close: () => parent.close(),
  },
  clock: systemClock,
  random: systemRandom,
  gcShare: sampledGcShare(systemClock),
  outside: { enter() {}, leave() {} },
  loadJob: async (settings) => {
    const job = await importJob(settings);
    holdLock();
    return job;
  },
  openLink(link) {
    if (link instanceof MessagePort) return portOver(link);
    throw new TypeError("Cannot open a link: expected a MessagePort");
  },
});
