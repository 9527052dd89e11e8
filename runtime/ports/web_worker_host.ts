/**
 * Web Workers as workers: the default. An uncaught error in one ends that worker, not the process; running out of memory
 * ends the process (see `thread_host.ts` for workers that survive it).
 *
 * @module
 */

import type { LinkEnds, WorkerHost, WorkerPort } from "../supervisor/worker_port.ts";
import type { HostMessage, WorkerMessage } from "../worker/protocol.ts";
import { portOver } from "./message_port.ts";

/** Terminating a Web Worker waits for its handler to return, and so does the end of the process unless by `Deno.exit`. */
const HANG_REMEDY = "a Web Worker that is stuck cannot be ended and keeps a core busy until the " +
  'process is ended: run the job with isolation "thread", which can end it';

/** A host whose workers are Web Workers. */
export function webWorkerHost(): WorkerHost {
  return { canHang: true, hangRemedy: HANG_REMEDY, spawn, link: messageChannelLink };
}

/** A message channel as the connection between two workers. */
export function messageChannelLink(): LinkEnds {
  const { port1, port2 } = new MessageChannel();
  return {
    ends: [port1, port2],
    transfer: (end) => end instanceof MessagePort ? [end] : [],
  };
}

function spawn(worker: number): WorkerPort {
  const thread = new Worker(new URL("./web_worker.ts", import.meta.url), {
    type: "module",
    name: `penstock-${worker}`,
  });
  return {
    ...portOver<HostMessage, WorkerMessage>(thread),
    onDeath(listener) {
      const die = (event: Event, message: string) => {
        // Unless prevented, an error in a worker ends the whole process.
        event.preventDefault();
        listener(new Error(message));
      };
      thread.onerror = (event) => die(event, event.message);
      thread.onmessageerror = (event) => die(event, "a message could not be read");
    },
    terminate: () => thread.terminate(),
  };
}
