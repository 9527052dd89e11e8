/**
 * `node:worker_threads` as workers: a thread that runs out of memory or throws ends alone, at a bound for its heap.
 *
 * @module
 */

import { Worker } from "node:worker_threads";
import type { WorkerHost, WorkerPort } from "../supervisor/worker_port.ts";
import type { HostMessage, WorkerMessage } from "../worker/protocol.ts";
import { messageChannelLink } from "./web_worker_host.ts";

/** How threads are bounded. */
export interface ThreadHostOptions {
  /** Heap of one thread, MiB; the system's default without it. */
  readonly heapMbMax?: number;
}

/** A host whose workers are threads. */
export function threadHost(options: ThreadHostOptions = {}): WorkerHost {
  return { canHang: true, spawn: (worker) => spawn(worker, options), link: messageChannelLink };
}

function spawn(worker: number, { heapMbMax }: ThreadHostOptions): WorkerPort {
  // Threads start from files and data only: a small module of data imports the real one from wherever it is.
  const entry = new URL("./thread_worker.ts", import.meta.url).href;
  const code = `import ${JSON.stringify(entry)};`;
  const thread = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), {
    name: `penstock-${worker}`,
    ...(heapMbMax === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: heapMbMax } }),
  });
  return {
    post: (message: HostMessage, transfer = []) =>
      thread.postMessage(message, transfer as Parameters<Worker["postMessage"]>[1]),
    onMessage: (listener: (message: WorkerMessage) => void) => {
      thread.on("message", listener);
    },
    onDeath(listener) {
      thread.on(
        "error",
        (error: unknown) => listener(error instanceof Error ? error : new Error(String(error))),
      );
      thread.on(
        "exit",
        (code: number) => listener(new Error(`the thread ended with code ${code}`)),
      );
    },
    close() {},
    terminate() {
      thread.terminate();
    },
  };
}
