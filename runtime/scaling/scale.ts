/**
 * Whether a job gets the workers that its policy wants. The same for every policy: bounds, and reasons for which more
 * workers would not help. Pure.
 *
 * @module
 */

import type { BlockReason } from "./decision.ts";
import { type LoadView, usableCores } from "./demand.ts";
import { SATURATED } from "./load_model.ts";
import type { Alternative, ScaleWish, ScalingBounds } from "./scaling_policy.ts";
import { countText, durationText, percentText } from "./scaling_text.ts";

/** A new worker is slow for so long, ms: what it does then is not judged. */
export const WARM_UP_MS = 5000;
/** A scale-up must bring this part of what it should. */
export const HELPED_MIN = 0.1;
/** After one that did not, there is none for so long, ms. */
export const NO_HELP_BLOCK_MS = 5 * 60_000;
/** A scale-up that is longer ago, ms, is not what the present load is judged by. */
export const JUDGED_WITHIN_MS = 5 * 60_000;
/** Workers that wait for a core for a larger share of their time have too few cores, not too few workers. */
export const STARVED_MAX = 0.2;
/** Workers that have no room to put out for a larger share of their time, ... */
export const BACK_PRESSURED_MAX = 0.5;
/** ... and none of which is busier than this, wait for a sink. */
export const WAITING_CPU_MAX = 0.7;
/** The job falls behind when its lag grows by more than this part of time, ... */
const FALLING_BEHIND = 0.1;
/** ... or rows wait for longer, ms. */
const LATE_MS = 2000;

/** A scale-up, and the load before it. */
export interface ScaleUpRecord {
  readonly at: number;
  readonly from: number;
  readonly to: number;
  readonly rowsPerSecond: number;
  /** Cores that were needed. */
  readonly cores: number;
}

/** What has happened before. */
export interface ScaleHistory {
  readonly lastUp: ScaleUpRecord | undefined;
  /** There is no scale-up before, ms as `at`, and why. */
  readonly blocked: { readonly until: number; readonly because: string } | undefined;
}

/** What is to be done. */
export type ScaleVerdict =
  | { readonly kind: "keep"; readonly because: string }
  | {
    readonly kind: "scale up" | "scale down";
    readonly to: number;
    readonly because: string;
    readonly considered: readonly Alternative[];
  }
  | {
    readonly kind: "blocked";
    readonly what: "scale up" | "scale down";
    readonly reason: BlockReason;
    readonly because: string;
    readonly until: number | undefined;
  };

/** What is to be done about a policy's wish. */
export function scale(
  load: LoadView,
  wish: ScaleWish,
  bounds: ScalingBounds,
  history: ScaleHistory,
): ScaleVerdict {
  const now = load.workers.length;
  const { minWorkers, maxWorkers } = bounds;
  if (!Number.isSafeInteger(wish.workers)) {
    return blocked(
      "scale up",
      "policy failed",
      `the policy wants ${wish.workers} workers (${wish.because}); expected a whole number`,
    );
  }
  const to = Math.min(maxWorkers, Math.max(minWorkers, wish.workers));
  const { considered = [] } = wish;
  const isOutside = now < minWorkers || now > maxWorkers;
  const range = `${minWorkers} to ${countText(maxWorkers, "worker")} are allowed`;
  const because = to === wish.workers
    ? wish.because
    : `${wish.because}; ${countText(wish.workers, "worker")} wanted, ${range}`;
  if (to === now) {
    const waits = waitsForSink(load);
    if (waits !== undefined) return blocked("scale up", "back-pressure", waits);
    return wish.workers > now
      ? blocked("scale up", "bounds", because)
      : { kind: "keep", because: wish.because };
  }
  if (!isOutside) {
    const hindered = to > now ? whyNotUp(load, history) : whyNotDown(load);
    if (hindered !== undefined) return hindered;
  }
  const verdict = load.underWay === "nothing"
    ? undefined
    : `a ${load.underWay} is under way; ${countText(to, "worker")} wanted: ${because}`;
  const kind = to > now ? "scale up" : "scale down";
  if (verdict !== undefined) return blocked(kind, "under way", verdict);
  return { kind, to, because, considered };
}

function blocked(
  what: "scale up" | "scale down",
  reason: BlockReason,
  because: string,
  until?: number,
): ScaleVerdict {
  return { kind: "blocked", what, reason, because, until };
}

function isWarmingUp({ workers }: LoadView): boolean {
  return workers.some(({ ageMs }) => ageMs < WARM_UP_MS);
}

function whyNotDown(load: LoadView): ScaleVerdict | undefined {
  if (!isWarmingUp(load)) return undefined;
  return { kind: "keep", because: "new workers are warming up" };
}

function whyNotUp(load: LoadView, { blocked: block, lastUp }: ScaleHistory) {
  if (block !== undefined && load.at < block.until) {
    return blocked("scale up", "did not help", block.because, block.until);
  }
  const starved = mean(load, ({ starved }) => starved);
  if (starved > STARVED_MAX) {
    return blocked(
      "scale up",
      "no cores",
      `workers wait for a core for ${percentText(starved)} of their time, as others have them: ` +
        "more workers would wait, too",
    );
  }
  const waits = waitsForSink(load);
  if (waits !== undefined) return blocked("scale up", "back-pressure", waits);
  if (lastUp === undefined || load.at - lastUp.at > JUDGED_WITHIN_MS) return undefined;
  if (isWarmingUp(load) || load.at - lastUp.at < WARM_UP_MS) {
    return { kind: "keep", because: "new workers are warming up" } as const;
  }
  const because = didNotHelp(load, lastUp);
  if (because === undefined) return undefined;
  return blocked("scale up", "did not help", because, load.at + NO_HELP_BLOCK_MS);
}

/** That the last scale-up has brought too little, if so. */
export function didNotHelp(load: LoadView, lastUp: ScaleUpRecord): string | undefined {
  const { from, to, cores, rowsPerSecond: before, at } = lastUp;
  // Workers that had no time left hide how much more was wanted; what is wanted now tells.
  const wanted = cores >= SATURATED * from ? Math.max(cores, load.cores) : cores;
  const usable = usableCores(load, wanted);
  const expected = Math.min(to, usable) / Math.max(1e-9, Math.min(from, usable)) - 1;
  if (expected <= HELPED_MIN || before <= 0) return undefined;
  const gained = load.rowsPerSecond / before - 1;
  if (gained >= HELPED_MIN * expected) return undefined;
  const rows = (rate: number) => `${Math.round(rate)} rows/s`;
  return `the scale-up from ${from} to ${countText(to, "worker")} ${
    durationText(load.at - at)
  } ago did not help: ${rows(before)} before, ${rows(load.rowsPerSecond)} now, where ${
    rows(before * (1 + expected))
  } were expected`;
}

/** That workers wait for what comes behind them while the job falls behind, if so. */
function waitsForSink(load: LoadView): string | undefined {
  const waiting = mean(load, ({ backPressured }) => backPressured);
  const cpu = load.workers.reduce((max, worker) => Math.max(max, worker.cpu), 0);
  const isBehind = load.lagGrowth > FALLING_BEHIND || load.oldestMs > LATE_MS;
  if (!isBehind || waiting <= BACK_PRESSURED_MAX || cpu > WAITING_CPU_MAX) return undefined;
  return `the job falls behind, but workers have no room to put out for ${
    percentText(waiting)
  } of their time, and the busiest uses ${
    percentText(cpu)
  } of a core: a sink is slow, and more workers would not help`;
}

function mean(load: LoadView, of: (worker: LoadView["workers"][number]) => number): number {
  return load.workers.reduce((sum, worker) => sum + of(worker), 0) /
    Math.max(1, load.workers.length);
}
