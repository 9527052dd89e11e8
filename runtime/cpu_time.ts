/**
 * The one door to the CPU clock of a thread.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import process from "node:process";

/** CPU time that the calling thread has used since it started, ms; -1 where the system doesn't tell. */
export function threadCpuMs(): number {
  try {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  } catch {
    return -1;
  }
}

/** Time in which the calling thread could have run, but others had the cores, ms; -1 where the system doesn't tell. */
export function threadRunQueueMs(): number {
  try {
    const [, waited = ""] = readFileSync("/proc/thread-self/schedstat", "utf8").split(" ");
    return Number(waited) / 1e6;
  } catch {
    return -1;
  }
}
