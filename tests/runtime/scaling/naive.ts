/**
 * Ways to decide that look right and are not: the traps that the tests hold against.
 *
 * @module
 */

import {
  loadFigures,
  type RebalanceDecision,
  type ScalingDecision,
} from "../../../runtime/scaling/decision.ts";
import { type LoadView, workersNeeded } from "../../../runtime/scaling/demand.ts";
import type { MovePlan } from "../../../runtime/scaling/layout.ts";
import { LoadModel } from "../../../runtime/scaling/load_model.ts";
import {
  freeWorkers,
  leavingWorkers,
  planBalance,
  planDrain,
  planSpread,
} from "../../../runtime/scaling/placement.ts";
import type { Decide } from "./scaled_job.ts";

function planned(load: LoadView, plan: MovePlan) {
  const { moves, bytes, pauseMs, maxAfter } = plan;
  return {
    at: load.at,
    figures: loadFigures(load),
    because: "naive",
    considered: [],
    moves,
    cost: { groups: moves.length, bytes, pauseMs },
    maxLoadAfter: maxAfter,
  };
}

function rebalanced(load: LoadView, keep: (plan: MovePlan) => MovePlan): RebalanceDecision[] {
  const plan = keep(planBalance(load, () => true));
  return plan.moves.length === 0 ? [] : [{ kind: "rebalance", ...planned(load, plan) }];
}

/** Makes only moves that are worth it by themselves. */
export function worthwhileMoves(gainMin: number): Decide {
  const model = new LoadModel();
  return (snapshot) =>
    rebalanced(
      model.observe(snapshot),
      (plan) => ({ ...plan, moves: plan.moves.filter(({ cores }) => cores >= gainMin) }),
    );
}

/** Makes a few moves at a time. */
export function fewMoves(count: number): Decide {
  const model = new LoadModel();
  return (snapshot) =>
    rebalanced(
      model.observe(snapshot),
      (plan) => ({ ...plan, moves: plan.moves.slice(0, count) }),
    );
}

/** Has what the last second took, and evens it out, each second. */
export function eachSecond(maxWorkers: number): Decide {
  const model = new LoadModel();
  return (snapshot): ScalingDecision[] => {
    const load = model.observe(snapshot);
    const from = load.workers.length;
    const to = Math.min(maxWorkers, workersNeeded(load, load.coresNow, 0.7));
    const shared = { policy: "naive", from, to };
    if (to > from) {
      const added = freeWorkers(load, to - from);
      return [{ kind: "scale up", ...shared, added, ...planned(load, planSpread(load, added)) }];
    }
    if (to < from) {
      const removed = leavingWorkers(load, from - to);
      const plan = planned(load, planDrain(load, removed));
      return [{ kind: "scale down", ...shared, removed, ...plan }];
    }
    return rebalanced(load, (plan) => plan);
  };
}
