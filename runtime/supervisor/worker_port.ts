/**
 * Workers as the supervisor sees them: a port to talk to, and an end. Three implementations stand in `runtime/ports/`:
 * Web Workers, `node:worker_threads`, and in process with virtual time. Engine code can't tell them apart.
 *
 * @module
 */

import type { HostMessage, Port, WorkerMessage } from "../worker/protocol.ts";

/** The supervisor's end of a worker. */
export interface WorkerPort extends Port<HostMessage, WorkerMessage> {
  /** Called once if the worker dies: what it threw, or that it is gone. */
  onDeath(listener: (error: Error) => void): void;
  /** Ends the worker without asking. */
  terminate(): void;
}

/** The two ends of a connection between two workers, in the form in which `open` sends them. */
export interface LinkEnds {
  readonly ends: readonly [unknown, unknown];
  /** What must be moved, not copied, when an end is sent. */
  transfer(end: unknown): Transferable[];
}

/** Makes workers, and connections between them. */
export interface WorkerHost {
  /** Whether a worker can be stuck while the supervisor goes on: then it is asked from time to time. */
  readonly canHang: boolean;
  /** Where `terminate` does not end a worker that is stuck: what that means, and what to do. */
  readonly hangRemedy?: string;
  spawn(worker: number): WorkerPort;
  link(): LinkEnds;
}

/** A worker's end of a link. */
export interface WorkerLink {
  readonly of: LinkEnds;
  readonly end: unknown;
}

/** Links each worker to each other: by worker, then other worker. */
export function linkAll(host: WorkerHost, workers: number): readonly (readonly WorkerLink[])[] {
  const links: WorkerLink[][] = Array.from({ length: workers }, () => []);
  for (let a = 0; a < workers; a++) {
    for (let b = a + 1; b < workers; b++) {
      const of = host.link();
      const [endA, endB] = of.ends;
      (links[a] ??= [])[b] = { of, end: endA };
      (links[b] ??= [])[a] = { of, end: endB };
    }
  }
  return links;
}
