/**
 * What was decided about workers and key groups, with the figures behind it, what else was considered, and what it
 * costs. Plain data: an event for the log, the status and the console.
 *
 * @module
 */

import { type LoadView, maxLoad } from "./demand.ts";
import type { GroupMove, MovePlan } from "./layout.ts";
import type { HotKey } from "./load_snapshot.ts";
import type { Alternative } from "./scaling_policy.ts";
import { bytesText, coresText, countText, durationText, percentText } from "./scaling_text.ts";

/** The load at the time of a decision. Shares are 0 to 1. */
export interface LoadFigures {
  readonly workers: number;
  /** Cores that the job needs, smoothed. */
  readonly cores: number;
  /** The largest load of a worker, in cores. */
  readonly maxLoad: number;
  readonly rowsPerSecond: number;
  /** How far the sources are behind, ms; -1 unknown. */
  readonly lagMs: number;
  /** How long the oldest waiting row has waited, ms. */
  readonly oldestMs: number;
  /** The workers' mean share of time without room to put out, and without a core. */
  readonly backPressured: number;
  readonly starved: number;
}

/** What moves cost. */
export interface MoveCost {
  readonly groups: number;
  readonly bytes: number;
  /** The longest expected pause of a key group, ms. */
  readonly pauseMs: number;
}

/** Why something was not done. */
export type BlockReason =
  | "under way"
  | "bounds"
  | "did not help"
  | "no cores"
  | "back-pressure"
  | "policy failed"
  | "garbage collection"
  | "not worth it";

interface Decided {
  /** As `at` of the snapshot, ms. */
  readonly at: number;
  readonly figures: LoadFigures;
  readonly because: string;
}

interface Changed extends Decided {
  readonly considered: readonly Alternative[];
  readonly moves: readonly GroupMove[];
  readonly cost: MoveCost;
  /** The largest load of a worker that is expected afterwards, in cores. */
  readonly maxLoadAfter: number;
}

/** More workers: they are started, then key groups move to them. */
export interface ScaleUpDecision extends Changed {
  readonly kind: "scale up";
  readonly policy: string;
  readonly from: number;
  readonly to: number;
  /** Numbers of the workers to start. */
  readonly added: readonly number[];
}

/** Fewer workers: their key groups move away, then they end. */
export interface ScaleDownDecision extends Changed {
  readonly kind: "scale down";
  readonly policy: string;
  readonly from: number;
  readonly to: number;
  /** Numbers of the workers to end. */
  readonly removed: readonly number[];
}

/** Key groups move between the workers there are. */
export interface RebalanceDecision extends Changed {
  readonly kind: "rebalance";
}

/** Something would be done, but for a reason. */
export interface BlockedDecision extends Decided {
  readonly kind: "blocked";
  readonly what: "scale up" | "scale down" | "rebalance";
  readonly reason: BlockReason;
  /** When it may be done, ms as `at`; undefined if that depends on what happens. */
  readonly until: number | undefined;
}

/** A key group that moves can't relieve: its worker is its own, and still it is too much, or more than others have. */
export interface HotKeyDecision extends Decided {
  readonly kind: "hot key";
  readonly group: number;
  readonly worker: number;
  /** Cores that it needs. */
  readonly cores: number;
  /** What it limits: all that the job can do, or only how even the loads are. */
  readonly limits: "throughput" | "balance";
  /** Its hottest keys, hottest first. */
  readonly keys: readonly HotKey[];
}

/** Nothing is to be done. */
export interface StayDecision extends Decided {
  readonly kind: "stay";
}

/** One decision. */
export type ScalingDecision =
  | StayDecision
  | ScaleUpDecision
  | ScaleDownDecision
  | RebalanceDecision
  | BlockedDecision
  | HotKeyDecision;

/** The figures of a load. */
export function loadFigures(load: LoadView): LoadFigures {
  const { workers, cores, rowsPerSecond, lagMs, oldestMs } = load;
  const mean = (of: (worker: LoadView["workers"][number]) => number) =>
    workers.reduce((sum, worker) => sum + of(worker), 0) / Math.max(1, workers.length);
  return {
    workers: workers.length,
    cores,
    maxLoad: maxLoad(load),
    rowsPerSecond,
    lagMs,
    oldestMs,
    backPressured: mean((worker) => worker.backPressured),
    starved: mean((worker) => worker.starved),
  };
}

/** What a plan costs. */
export function moveCost({ moves, bytes, pauseMs }: MovePlan): MoveCost {
  return { groups: moves.length, bytes, pauseMs };
}

/** A key of which this share of a key group's time goes to one is the reason for it. */
export const HOT_KEY_SHARE = 0.5;

/**
 * A decision in one line, for people.
 *
 * @example A hot key
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { explain } from "./decision.ts";
 * const line = explain({
 *   kind: "hot key",
 *   at: 0,
 *   group: 7,
 *   worker: 2,
 *   cores: 1.25,
 *   limits: "throughput",
 *   keys: [{ stage: "sum", key: "ann", share: 0.8 }],
 *   because: "no worker can do more than 1 core of it",
 *   figures: { workers: 4, cores: 2, maxLoad: 1.3, rowsPerSecond: 1, lagMs: -1, oldestMs: 0, backPressured: 0, starved: 0 },
 * });
 * assertEquals(
 *   line,
 *   'Hot key "ann" of stage "sum": 80 % of the 1.25 cores that key group 7 on worker 2 needs; no worker can do more ' +
 *     "than 1 core of it. Moving key groups does not help: aggregate in two stages, make its rows cheaper, or spread the key",
 * );
 * ```
 */
export function explain(decision: ScalingDecision): string {
  switch (decision.kind) {
    case "stay":
      return `No change: ${decision.because}`;
    case "scale up": {
      const { from, to, policy, because } = decision;
      return `Scale up from ${from} to ${countText(to, "worker")} (${policy}): ${because}. ` +
        changed(decision);
    }
    case "scale down": {
      const { from, to, policy, because, removed } = decision;
      const which = removed.length === 1
        ? `Worker ${removed[0]} goes`
        : `Workers ${removed.join(", ")} go`;
      return `Scale down from ${from} to ${countText(to, "worker")} (${policy}): ${because}. ` +
        `${which}. ${changed(decision)}`;
    }
    case "rebalance":
      return `Rebalance ${countText(decision.figures.workers, "worker")}: ${decision.because}. ` +
        changed(decision);
    case "blocked": {
      const { what, because, until, at } = decision;
      const again = until === undefined ? "" : `; not before ${durationText(until - at)} from now`;
      return `No ${what}: ${because}${again}`;
    }
    case "hot key":
      return hotKey(decision);
  }
}

function changed({ figures, maxLoadAfter, cost, considered }: Changed): string {
  const { groups, bytes, pauseMs } = cost;
  const moved = groups === 0
    ? "No key group moves"
    : `Moves ${countText(groups, "key group")} with ${bytesText(bytes)}, ` +
      `each pausing at most ${durationText(Math.ceil(pauseMs))}`;
  const loads = `largest load ${coresText(figures.maxLoad)}, then ${coresText(maxLoadAfter)}`;
  const others = considered.map(({ what, because }) => `${what}: ${because}`);
  return `${moved}; ${loads}` +
    (others.length === 0 ? "" : `. Also considered: ${others.join("; ")}`);
}

function hotKey({ group, worker, cores, keys, because, limits }: HotKeyDecision): string {
  const where = `${coresText(cores)} that key group ${group} on worker ${worker} needs`;
  const [hottest] = keys;
  const named = keys.map(({ stage, key, share }) =>
    `${JSON.stringify(key)} of stage ${JSON.stringify(stage)} (${percentText(share)})`
  );
  if (hottest === undefined || hottest.share < HOT_KEY_SHARE) {
    const most = named.length === 0 ? "no key of it is known" : `most has ${named.join(", ")}`;
    return `Hot key group ${group}: of the ${where} no key has half, ${most}; ${because}. ` +
      "More key groups (maxParallelism) would cut it";
  }
  const { stage, key, share } = hottest;
  return `Hot key ${JSON.stringify(key)} of stage ${JSON.stringify(stage)}: ${
    percentText(share)
  } of the ${where}; ${because}. Moving key groups does not help` +
    (limits === "throughput"
      ? ": aggregate in two stages, make its rows cheaper, or spread the key"
      : ", nor is there need while its worker keeps up");
}
