/**
 * How many cores this process may use: what the machine has, and what its control group leaves of that.
 *
 * @module
 */

import { coresOfCfsQuota, coresOfCpuMax, usableCoresOf } from "../scaling/cgroup_cores.ts";

const CPU_MAX = "/sys/fs/cgroup/cpu.max";
const CFS = "/sys/fs/cgroup/cpu/cpu.cfs_";

/** Cores, perhaps with a fraction. Where limits can't be read the machine's number counts. */
export function usableCores(): number {
  return usableCoresOf(navigator.hardwareConcurrency, limits());
}

function limits(): number[] {
  const found: number[] = [];
  const read = (limit: () => number) => {
    try {
      found.push(limit());
    } catch {
      // Not there on this system, or not to be read: no limit is known.
    }
  };
  read(() => coresOfCpuMax(Deno.readTextFileSync(CPU_MAX)));
  read(() =>
    coresOfCfsQuota(
      Deno.readTextFileSync(`${CFS}quota_us`),
      Deno.readTextFileSync(`${CFS}period_us`),
    )
  );
  return found;
}
