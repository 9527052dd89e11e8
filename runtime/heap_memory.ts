/**
 * The one door to how much memory a thread has.
 *
 * @module
 */

import process from "node:process";

/** The JavaScript heap of one thread, bytes; what is in buffers and in WebAssembly is not part of it. */
export interface HeapMemory {
  /** What objects take, those included that are not collected yet. */
  readonly used: number;
  /** What the heap has of the system. */
  readonly total: number;
}

/** The heap of the calling thread: each worker, of either kind, has its own. */
export function threadHeap(): HeapMemory {
  const { heapUsed, heapTotal } = process.memoryUsage();
  return { used: heapUsed, total: heapTotal };
}
