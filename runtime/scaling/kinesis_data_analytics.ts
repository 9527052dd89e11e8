/**
 * The policy `kinesis-data-analytics`: what Amazon Managed Service for Apache Flink, once Kinesis Data Analytics, does.
 * Once a minute it looks at the CPU of the busiest container; 15 minutes at 75 % or more double the parallelism, 6 hours
 * below 10 % halve it, rounded up, and it never goes below what is configured (`how-scaling-auto.html` in its developer
 * guide). Neither lag nor back-pressure nor skew count.
 *
 * @module
 */

import type { LoadView } from "./demand.ts";
import type { ScalingPolicy, ScalingRule } from "./scaling_policy.ts";
import { countText, durationText, percentText } from "./scaling_text.ts";

const PERIOD_MS = 60_000;
const HIGH = 0.75;
const HIGH_PERIODS = 15;
const LOW = 0.1;
const LOW_PERIODS = 360;

/**
 * Doubles and halves as the managed service does. Each minute counts with the mean of the worker that used most CPU in
 * it. After a change it begins to count anew. What it never goes below is the job's `parallelism`.
 *
 * @example Nothing happens for a quarter of an hour
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { kinesisDataAnalytics } from "./kinesis_data_analytics.ts";
 * assertEquals(kinesisDataAnalytics().name, "kinesis-data-analytics");
 * ```
 */
export function kinesisDataAnalytics(): ScalingPolicy {
  return { name: "kinesis-data-analytics", begin: kinesisDataAnalyticsRule };
}

function kinesisDataAnalyticsRule(): ScalingRule {
  const used = new Map<number, number>();
  let inPeriodMs = 0;
  let high = 0;
  let low = 0;
  let last = 0;
  let counted = -Infinity;
  const count = (load: LoadView) => {
    for (const { worker, cpu } of load.workers) {
      used.set(worker, (used.get(worker) ?? 0) + cpu * load.intervalMs);
    }
    inPeriodMs += load.intervalMs;
    if (inPeriodMs < PERIOD_MS) return;
    // A look that comes late stands for all periods that it covers.
    const periods = Math.floor(inPeriodMs / PERIOD_MS);
    last = Math.max(0, ...used.values()) / inPeriodMs;
    high = last >= HIGH ? high + periods : 0;
    low = last < LOW ? low + periods : 0;
    used.clear();
    inPeriodMs = 0;
  };
  const forget = () => {
    used.clear();
    inPeriodMs = high = low = 0;
  };
  return (load, { workers, changedAt, bounds }) => {
    if (changedAt !== counted) forget();
    counted = changedAt;
    count(load);
    const cpu = `the busiest worker used ${percentText(last)} of a core in the last minute`;
    if (high >= HIGH_PERIODS) {
      const time = durationText(HIGH_PERIODS * PERIOD_MS);
      return {
        workers: workers * 2,
        because: `CPU has been at ${percentText(HIGH)} or more for ${time}: ${cpu}`,
      };
    }
    const half = Math.max(Math.ceil(workers / 2), Math.min(bounds.parallelism, workers));
    if (low >= LOW_PERIODS && half < workers) {
      const time = durationText(LOW_PERIODS * PERIOD_MS);
      return {
        workers: half,
        because: `CPU has been below ${percentText(LOW)} for ${time}: ${cpu}; ` +
          `configured are ${countText(bounds.parallelism, "worker")}`,
      };
    }
    return { workers, because: cpu };
  };
}
