/**
 * Where a thread starts. Nothing is exported: the host spawns it by its URL.
 *
 * @module
 */

import { parentPort, threadId } from "node:worker_threads";
import { systemClock } from "../clock.ts";
import { systemRandom } from "../random.ts";
import type { HostMessage, PeerMessage } from "../worker/protocol.ts";
import { startWorker } from "../worker/worker_engine.ts";
import { importJob } from "./import_job.ts";
import { portOver } from "./message_port.ts";

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
  outside: { enter() {}, leave() {} },
  loadJob: importJob,
  openLink(link) {
    if (link instanceof MessagePort) return portOver<PeerMessage, PeerMessage>(link);
    throw new TypeError("Cannot open a link: expected a MessagePort");
  },
});

/** What has Web Locks: not in the types of every version. */
interface Locking {
  readonly locks: {
    request(name: string, held: () => Promise<never>): Promise<never>;
  };
}

// A thread that is stuck in a loop goes on after terminate(), unless it holds a lock: then its execution is ended.
if (isLocking(navigator)) {
  void navigator.locks.request(`penstock-thread-${threadId}`, () => new Promise<never>(() => {}));
}

function isLocking(value: object): value is Locking {
  return "locks" in value;
}
