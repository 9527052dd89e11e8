/**
 * All decisions about workers and key groups, one look at the load after the other. Scaling and rebalancing are decided
 * together, so that neither undoes what the other does. No effects: somebody else carries out what is decided.
 *
 * ```
 * snapshot ─> LoadModel ─> LoadView ─> policy ─> wish ─> scale ──┬─> up, down: placement
 *                             │                                  └─> keep ─> rebalance: placement
 *                             └─> hot keys                                        │
 *                                     └──────────> decisions <────────────────────┘
 * ```
 *
 * @module
 */

import { type BlockReason, loadFigures, moveCost, type ScalingDecision } from "./decision.ts";
import { atLevel, type LoadView } from "./demand.ts";
import { hotGroups } from "./hot_keys.ts";
import type { MovePlan } from "./layout.ts";
import { LoadModel } from "./load_model.ts";
import type { LoadSnapshot } from "./load_snapshot.ts";
import { freeWorkers, leavingWorkers, planDrain, planSpread } from "./placement.ts";
import { rebalance, UNEVEN_LOOKS, type Unevenness, unevenness } from "./rebalance.ts";
import { scale, type ScaleUpRecord, type ScaleVerdict } from "./scale.ts";
import { scalingBounds, type ScalingOptions, scalingPolicy } from "./scaling_options.ts";
import type { ScaleWish, ScalingBounds, ScalingRule } from "./scaling_policy.ts";
import { coresText } from "./scaling_text.ts";

/** A reason, or a hot key, that is still there is said again after so long, ms. */
export const SAY_AGAIN_MS = 60_000;

/**
 * Decides for one run of a job. Snapshots must come in the order of their times, and what is decided must be carried out,
 * or fail, while they say that a hand-over is under way.
 *
 * @example Trying a policy on a load
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Autoscaler } from "./autoscaler.ts";
 * import { explain } from "./decision.ts";
 * const scaler = new Autoscaler({ policy: "responsive", maxWorkers: 4 }, { cores: 8, keyGroups: 2 });
 * const log: string[] = [];
 * for (const at of [1000, 2000, 3000, 4000, 5000, 6000]) {
 *   const decisions = scaler.decide({
 *     at,
 *     intervalMs: 1000,
 *     workers: [{ worker: 0, cpuMs: 960, busyMs: 960, backPressuredMs: 0, runQueueMs: 0, gcShare: 0, ageMs: at }],
 *     groups: [0, 1].map((group) => ({
 *       group, worker: 0, busyMs: 480, rows: 100, waiting: 0, oldestMs: 0, bytes: 1e6, keys: [],
 *     })),
 *     lagMs: -1,
 *     underWay: "nothing",
 *   });
 *   log.push(...decisions.filter(({ kind }) => kind !== "stay").map(explain));
 * }
 * assertEquals(log[0]?.startsWith("Scale up from 1 to 2 workers (responsive): demand of at least 0.96 cores"), true);
 * ```
 */
export class Autoscaler {
  /** How many workers there may be. */
  readonly bounds: ScalingBounds;
  /** The name of the policy. */
  readonly policy: string;
  readonly #rule: ScalingRule;
  readonly #model = new LoadModel();
  readonly #movedAt = new Map<number, number>();
  readonly #saidAt = new Map<string, number>();
  readonly #hotLooks = new Map<number, number>();
  #workers: number | undefined;
  #changedAt = 0;
  #unevenLooks = 0;
  #lastUp: ScaleUpRecord | undefined;
  #blocked: { readonly until: number; readonly because: string } | undefined;

  /**
   * @param machine what the job may use, and its `maxParallelism`
   * @throws {RangeError} if an option is out of range
   */
  constructor(
    options: ScalingOptions,
    machine: { readonly cores: number; readonly keyGroups: number },
  ) {
    this.bounds = scalingBounds(options, machine);
    const policy = scalingPolicy(options);
    this.policy = policy.name;
    this.#rule = policy.begin();
  }

  /**
   * What is decided at this look: at most one change, beside it what is to be said; `stay` if there is neither. What
   * stands in the way of a change, and hot keys, are said again each {@linkcode SAY_AGAIN_MS} while they last.
   */
  decide(snapshot: LoadSnapshot): readonly ScalingDecision[] {
    const load = this.#model.observe(snapshot);
    const { at } = load;
    const count = load.workers.length;
    if (count !== this.#workers) {
      // The start, or workers that are not there though they should be: what was decided is not what is.
      this.#changedAt = this.#workers === undefined ? at - load.intervalMs : at;
      this.#workers = count;
      this.#lastUp = arrived(this.#lastUp, load);
    } else if (this.#lastUp?.to !== count && load.underWay === "nothing") {
      // It came to nothing, or its workers are gone again.
      this.#lastUp = undefined;
    }
    const even = unevenness(load);
    this.#unevenLooks = even.isUneven ? this.#unevenLooks + 1 : 0;
    const verdict = this.#scale(load);
    const decisions: ScalingDecision[] = [...this.#hotKeys(load)];
    const because = verdict.because;
    if (verdict.kind === "scale up" || verdict.kind === "scale down") {
      decisions.push(this.#change(load, verdict));
    } else {
      if (verdict.kind === "blocked") decisions.push(...this.#block(load, verdict));
      if (load.underWay === "nothing") decisions.push(...this.#rebalance(load, even));
    }
    if (decisions.length > 0) return decisions;
    return [{ kind: "stay", at, figures: loadFigures(load), because }];
  }

  #scale(load: LoadView): ScaleVerdict {
    let wish: ScaleWish;
    try {
      wish = this.#rule(load, {
        workers: load.workers.length,
        bounds: this.bounds,
        changedAt: this.#changedAt,
      });
    } catch (error) {
      // A policy may be the user's: what it throws must not end the job.
      const text = error instanceof Error ? error.message : String(error);
      return {
        kind: "blocked",
        what: "scale up",
        reason: "policy failed",
        because: `the policy "${this.policy}" failed: ${text}`,
        until: undefined,
      };
    }
    const verdict = scale(load, wish, this.bounds, {
      // One whose workers are not there yet can't have helped.
      lastUp: this.#lastUp?.to === load.workers.length ? this.#lastUp : undefined,
      blocked: this.#blocked,
    });
    if (verdict.kind === "blocked" && verdict.until !== undefined) {
      this.#blocked = { until: verdict.until, because: verdict.because };
    }
    return verdict;
  }

  #change(
    smooth: LoadView,
    { kind, to, because, considered }: Extract<ScaleVerdict, { considered: unknown }>,
  ): ScalingDecision {
    // Averages lag behind a demand that grows: workers are for what there is now.
    const isUp = kind === "scale up";
    const load = isUp ? atLevel(smooth, Math.max(smooth.cores, smooth.coresNow)) : smooth;
    const { at, rowsPerSecond, cores } = load;
    const from = load.workers.length;
    const added = freeWorkers(load, Math.max(0, to - from));
    const removed = leavingWorkers(load, Math.max(0, from - to));
    const plan = isUp ? planSpread(load, added) : planDrain(load, removed);
    this.#workers = to;
    this.#changedAt = at;
    this.#lastUp = isUp ? { at, from, to, rowsPerSecond, cores } : undefined;
    const shared = {
      ...this.#planned(load, plan),
      because,
      considered,
      policy: this.policy,
      from,
      to,
    };
    return isUp ? { kind, ...shared, added } : { kind, ...shared, removed };
  }

  #rebalance(load: LoadView, { share, above }: Unevenness): readonly ScalingDecision[] {
    const verdict = rebalance(load, { unevenLooks: this.#unevenLooks, movedAt: this.#movedAt });
    switch (verdict.kind) {
      case "even":
      case "waiting":
        return [];
      case "not now":
        return this.#block(load, {
          what: "rebalance",
          reason: "garbage collection",
          because: verdict.because,
          until: undefined,
        });
      case "not worth it": {
        // Another look at it only after the loads have been uneven for as long again.
        this.#unevenLooks = 0;
        const { because } = verdict;
        return this.#block(load, {
          what: "rebalance",
          reason: "not worth it",
          because: `a worker is ${coresText(above)} above the share of ${
            coresText(share)
          }, but ${because}`,
          until: undefined,
        });
      }
      case "move": {
        const because = `a worker has been above its share of ${
          coresText(share)
        } for ${UNEVEN_LOOKS} looks, now by ${coresText(above)}`;
        const planned = this.#planned(load, verdict.plan);
        return [{ kind: "rebalance", ...planned, because, considered: [] }];
      }
    }
  }

  /** What all changes have; key groups rest from now on. */
  #planned(load: LoadView, plan: MovePlan) {
    this.#unevenLooks = 0;
    for (const { group } of plan.moves) this.#movedAt.set(group, load.at);
    return {
      at: load.at,
      figures: loadFigures(load),
      moves: plan.moves,
      cost: moveCost(plan),
      maxLoadAfter: plan.maxAfter,
    };
  }

  #block(
    load: LoadView,
    { what, reason, because, until }: {
      readonly what: "scale up" | "scale down" | "rebalance";
      readonly reason: BlockReason;
      readonly because: string;
      readonly until: number | undefined;
    },
  ): readonly ScalingDecision[] {
    const { at } = load;
    if (!this.#mayBeSaid(`${what}: ${reason}`, at)) return [];
    return [{ kind: "blocked", at, figures: loadFigures(load), what, reason, because, until }];
  }

  #hotKeys(load: LoadView): readonly ScalingDecision[] {
    const { at } = load;
    const hot = hotGroups(load);
    const groups = new Set(hot.map(({ group }) => group.group));
    for (const group of this.#hotLooks.keys()) if (!groups.has(group)) this.#hotLooks.delete(group);
    return hot.flatMap(({ group: { group, worker, cores, keys }, limits, because }) => {
      const looks = (this.#hotLooks.get(group) ?? 0) + 1;
      this.#hotLooks.set(group, looks);
      if (looks < UNEVEN_LOOKS || !this.#mayBeSaid(`${group} limits ${limits}`, at)) return [];
      const figures = loadFigures(load);
      return [{ kind: "hot key", at, figures, group, worker, cores, limits, keys, because }];
    });
  }

  #mayBeSaid(what: string, at: number): boolean {
    if (at - (this.#saidAt.get(what) ?? -Infinity) < SAY_AGAIN_MS) return false;
    this.#saidAt.set(what, at);
    return true;
  }
}

/** A scale-up is judged from when its workers are there; one that came to nothing is not. */
function arrived(up: ScaleUpRecord | undefined, load: LoadView): ScaleUpRecord | undefined {
  if (up === undefined) return undefined;
  if (up.to === load.workers.length) return { ...up, at: load.at };
  return load.underWay === "nothing" ? undefined : up;
}
