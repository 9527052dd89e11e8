/**
 * How many cores a container may use, from what Linux says of its control group. Pure: the files are read elsewhere.
 *
 * @module
 */

/**
 * Cores by the text of `cpu.max` (control groups, version 2): `"200000 100000"`, quota and period in µs, or `"max"` for
 * no limit.
 *
 * @returns `Infinity` where there is no limit
 * @throws {SyntaxError} if the text is anything else
 *
 * @example Two cores and a half
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { coresOfCpuMax } from "./cgroup_cores.ts";
 * assertEquals(coresOfCpuMax("250000 100000\n"), 2.5);
 * assertEquals(coresOfCpuMax("max 100000\n"), Infinity);
 * ```
 */
export function coresOfCpuMax(text: string): number {
  const [quota = "", period = "100000", ...rest] = text.trim().split(/\s+/);
  if (rest.length === 0 && WHOLE.test(period)) {
    if (quota === "max") return Infinity;
    if (WHOLE.test(quota)) return Number(quota) / Number(period);
  }
  throw new SyntaxError(
    `Cannot read CPU limit ${JSON.stringify(text)} of cpu.max: expected quota and period in ` +
      'microseconds, such as "200000 100000", or "max 100000"',
  );
}

/**
 * Cores by the texts of `cpu.cfs_quota_us` and `cpu.cfs_period_us` (control groups, version 1). A quota of -1 is no limit.
 *
 * @returns `Infinity` where there is no limit
 * @throws {SyntaxError} if the texts are anything else
 *
 * @example Half a core
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { coresOfCfsQuota } from "./cgroup_cores.ts";
 * assertEquals(coresOfCfsQuota("50000\n", "100000\n"), 0.5);
 * ```
 */
export function coresOfCfsQuota(quota: string, period: string): number {
  if (WHOLE.test(period.trim())) {
    if (quota.trim() === "-1") return Infinity;
    if (WHOLE.test(quota.trim())) return Number(quota) / Number(period);
  }
  throw new SyntaxError(
    `Cannot read CPU limit ${JSON.stringify(quota)} of cpu.cfs_quota_us with period ` +
      `${JSON.stringify(period)}: expected microseconds above 0, or -1 for no limit`,
  );
}

/**
 * Cores that a process may use: the least of what the machine has and all limits.
 *
 * @param machine what the runtime says, as `navigator.hardwareConcurrency`
 * @param limits those of its control group and of the groups around it
 */
export function usableCoresOf(machine: number, limits: Iterable<number>): number {
  return Math.min(machine, ...limits);
}

/** A whole number above 0. */
const WHOLE = /^0*[1-9]\d*$/;
