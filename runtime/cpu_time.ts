/**
 * The one door to the CPU clock of a thread.
 *
 * @module
 */

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
