/**
 * One worker in this very thread, on the machine's clock: a profiler sees one thread only.
 *
 * @module
 */

import { systemClock } from "../../runtime/clock.ts";
import { importJob } from "../../runtime/ports/import_job.ts";
import { systemRandom } from "../../runtime/random.ts";
import type { WorkerHost } from "../../runtime/supervisor/worker_port.ts";
import type { HostMessage, Port, WorkerMessage } from "../../runtime/worker/protocol.ts";
import { startWorker } from "../../runtime/worker/worker_engine.ts";

/** A host for a job on one worker. */
export function inThreadHost(): WorkerHost {
  return {
    canHang: false,
    spawn() {
      const toWorker = direction<HostMessage>();
      const toHost = direction<WorkerMessage>();
      const theirs: Port<WorkerMessage, HostMessage> = {
        post: toHost.post,
        onMessage: toWorker.onMessage,
        close() {},
      };
      startWorker({
        host: theirs,
        clock: systemClock,
        random: systemRandom,
        outside: { enter() {}, leave() {} },
        loadJob: importJob,
        openLink() {
          throw new Error("Cannot open a link: there is one worker only");
        },
      });
      return {
        post: toWorker.post,
        onMessage: toHost.onMessage,
        close() {},
        onDeath() {},
        terminate() {},
      };
    },
    link() {
      throw new Error("Cannot link workers: there is one only");
    },
  };
}

/** Messages one way; what comes before there is a listener waits. */
function direction<M>() {
  let listener: ((message: M) => void) | undefined;
  const early: M[] = [];
  const deliver = (message: M) => {
    if (listener === undefined) early.push(message);
    else listener(message);
  };
  return {
    post: (message: M) => queueMicrotask(() => deliver(message)),
    onMessage(heard: (message: M) => void) {
      listener = heard;
      for (const message of early.splice(0)) queueMicrotask(() => deliver(message));
    },
  };
}
