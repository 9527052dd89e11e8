/**
 * Whether key groups should move between the workers there are. Pure.
 *
 * The plan is judged, never the single move: with many small key groups no move is worth it by itself, and everything
 * would stay on one worker. Nor is the number of moves bounded: a few at a time would take longer than the load lasts.
 * What keeps it quiet are two bands (moves begin when a worker is 8 % above its share, and end within 5 %), and that a
 * key group rests after it has moved.
 *
 * @module
 */

import type { GroupDemand, LoadView } from "./demand.ts";
import { fairShare } from "./fair_share.ts";
import { Layout } from "./layout.ts";
import { type BalancePlan, excess, type MayMove, planBalance } from "./placement.ts";

/** A worker may be above its share by this part of it. */
export const OUTER_BAND = 0.08;
/** And by so many cores: below that nothing is gained. */
export const OUTER_BAND_CORES = 0.03;
/** Looks in a row at which the loads must be uneven. */
export const UNEVEN_LOOKS = 3;
/** How long a key group rests after a move, ms, unless its worker has no time left. */
export const GROUP_REST_MS = 15_000;
/** A worker with more to do, in cores, has no time left. */
export const FULL = 0.9;
/** With a larger share of time in garbage collection, figures say little about key groups. */
export const GC_SHARE_MAX = 0.2;
/** A plan must gain this part of the largest load. */
export const GAIN_MIN = 0.05;
/** A plan must gain its cost within this time, ms, ... */
export const HORIZON_MS = 60_000;
/** ... as many times over. */
export const COST_FACTOR = 10;

/** How uneven the loads are. */
export interface Unevenness {
  /** Cores that each worker should have, but for those with a heavy key group. */
  readonly share: number;
  /** By how many cores the worst worker is above it. */
  readonly above: number;
  /** Whether that is outside of the outer band. */
  readonly isUneven: boolean;
  /** Key groups that no moves can even out, heaviest first. */
  readonly heavy: readonly GroupDemand[];
}

/** What has happened before. */
export interface RebalanceHistory {
  /** Looks in a row, with this one, at which the loads were uneven. */
  readonly unevenLooks: number;
  /** When each key group last moved. */
  readonly movedAt: ReadonlyMap<number, number>;
}

/** What is to be done. */
export type RebalanceVerdict =
  | { readonly kind: "even" }
  /** Not yet: for as many looks as it takes. */
  | { readonly kind: "waiting"; readonly looks: number }
  | { readonly kind: "not now"; readonly because: string }
  /** Moves would not be worth what they cost. */
  | { readonly kind: "not worth it"; readonly plan: BalancePlan; readonly because: string }
  | { readonly kind: "move"; readonly plan: BalancePlan };

/** How uneven the loads are, apart from what moves can't change: a heavy key group that has its worker for itself. */
export function unevenness(load: LoadView): Unevenness {
  const fair = fairShare(load, load.workers.length);
  const { cores: share, heavy } = fair;
  const above = excess(new Layout(load), fair);
  return { share, above, isUneven: above > Math.max(OUTER_BAND * share, OUTER_BAND_CORES), heavy };
}

/**
 * What is to be done about the loads.
 *
 * @param history what has been done, and for how long the loads have been uneven
 */
export function rebalance(load: LoadView, history: RebalanceHistory): RebalanceVerdict {
  const { isUneven } = unevenness(load);
  if (!isUneven || load.workers.length < 2) return { kind: "even" };
  if (history.unevenLooks < UNEVEN_LOOKS) {
    return { kind: "waiting", looks: UNEVEN_LOOKS - history.unevenLooks };
  }
  const gc = load.workers.find((worker) => worker.gc > GC_SHARE_MAX);
  if (gc !== undefined) {
    return {
      kind: "not now",
      because: `worker ${gc.worker} spends ${Math.round(gc.gc * 100)} % of its time in garbage ` +
        "collection, so its figures say little about its key groups",
    };
  }
  const plan = planBalance(load, mayMove(load, history));
  const because = whyNot(plan);
  return because === undefined ? { kind: "move", plan } : { kind: "not worth it", plan, because };
}

function mayMove({ at, workers }: LoadView, { movedAt }: RebalanceHistory): MayMove {
  const full = new Set(workers.filter(({ load }) => load > FULL).map(({ worker }) => worker));
  return ({ group, worker }) =>
    at - (movedAt.get(group) ?? -Infinity) >= GROUP_REST_MS || full.has(worker);
}

/** Why a plan is not worth what it costs, if it isn't. */
function whyNot({ moves, maxBefore, aboveBefore, aboveAfter }: BalancePlan): string | undefined {
  const gain = aboveBefore - aboveAfter;
  if (moves.length === 0) return "no key group that may move now would even them out";
  if (gain < GAIN_MIN * maxBefore) {
    return `they would gain ${gain.toFixed(2)} cores, less than ${
      GAIN_MIN * 100
    } % of the largest load`;
  }
  const cost = moves.reduce((sum, { pauseMs, cores }) => sum + pauseMs * cores, 0);
  if (gain * HORIZON_MS <= cost * COST_FACTOR) {
    return `the pauses would cost ${Math.round(cost)} core-ms, which a gain of ${
      gain.toFixed(2)
    } cores does not outweigh ${COST_FACTOR} times within ${HORIZON_MS / 1000} s`;
  }
  return undefined;
}
