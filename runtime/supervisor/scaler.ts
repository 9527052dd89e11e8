/**
 * Gives a job the workers that its load takes, and keeps them evenly busy: looks at their load, has it decided what is to
 * change, and carries that out, one decision after the other.
 *
 * ```
 * scale up    scale(to) ─> the decision's moves, a batch at a time
 * scale down  the decision's moves, a batch at a time ─> scale(to)
 * rebalance   the decision's moves, a batch at a time
 * ```
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import { LOAD_LOOK_MS_MIN, MOVED_GROUPS_MAX } from "../limits.ts";
import type { Logger } from "../logger.ts";
import { Autoscaler } from "../scaling/autoscaler.ts";
import type {
  RebalanceDecision,
  ScaleDownDecision,
  ScaleUpDecision,
  ScalingDecision,
} from "../scaling/decision.ts";
import { scalingBounds, type ScalingOptions } from "../scaling/scaling_options.ts";
import type { JobPlan } from "../stage_plan.ts";
import type { GroupMove, WorkerReport } from "../worker/protocol.ts";
import {
  type DecisionCost,
  DecisionLog,
  type DecisionOutcome,
  type MadeDecision,
} from "./decision_log.ts";
import type { MoveFigures } from "./group_mover.ts";
import { LoadWatch } from "./load_watch.ts";
import type { Scalable, ScaleFigures } from "./scalable.ts";

/** What scaling works with. */
export interface ScalerOptions {
  readonly job: Scalable;
  /** How many workers there may be, and who says how many; without it their number stays, and key groups move. */
  readonly scaling: ScalingOptions | undefined;
  /** Workers that share the key groups while the number stays: those with the lowest numbers. */
  readonly parallelism: number;
  /** Cores that the job may use. */
  readonly cores: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called for each decision when it has been carried out, has failed, or has only been told. */
  readonly onDecision?: ((made: MadeDecision) => void) | undefined;
}

/** A decision that changes something. */
type Change = ScaleUpDecision | ScaleDownDecision | RebalanceDecision;

/** What stands in the way of the next step: the job is being stopped, ends, or has started again. */
const LEFT = Symbol("left");

/** The workers of one job, over all its attempts. */
export class Scaler {
  readonly #options: ScalerOptions;
  readonly #watch = new LoadWatch();
  readonly #log = new DecisionLog();
  #autoscaler: Autoscaler | undefined;
  #isBusy = false;
  #lookedAt = -Infinity;

  constructor(options: ScalerOptions) {
    this.#options = options;
  }

  /** The last decisions, the oldest first. */
  get decisions(): readonly MadeDecision[] {
    return this.#log.decisions;
  }

  /**
   * Looks whether a job of this plan can be scaled as asked for.
   *
   * @throws {RangeError} if it has fewer key groups than there must be workers
   */
  check({ maxParallelism }: JobPlan): void {
    const { scaling, cores } = this.#options;
    if (scaling !== undefined) scalingBounds(scaling, { cores, keyGroups: maxParallelism });
  }

  /** An attempt is running a job of this plan. */
  begin({ stages, maxParallelism }: JobPlan): void {
    const { cores, job, logger, scaling } = this.#options;
    this.#watch.reset();
    this.#autoscaler = undefined;
    const workers = Math.min(this.#options.parallelism, maxParallelism);
    if (scaling === undefined && workers < 2) return;
    const stays = scaling === undefined ? "" : ", and workers as many as they are";
    if (stages.every(({ kind }) => kind === "source")) {
      if (scaling === undefined) return;
      logger.warn("Workers stay as many as they are: the job has no key groups to give them");
      return;
    }
    const remembering = stages.filter(({ kind, remembers }) => kind === "keyed" && remembers)
      .map(({ name }) => name);
    if (remembering.length > 0) {
      logger.info(
        `Key groups stay where they are${stays}: RxJS operators remember what is no state`,
        { operators: remembering },
      );
      return;
    }
    const bound = stages.filter(({ kind, remembers }) => kind === "source" && remembers);
    if (scaling !== undefined && bound.length > 0) {
      logger.info("Workers stay as many as they are: RxJS operators remember what is no state", {
        sources: bound.map(({ name }) => name),
      });
    }
    const fixed = scaling === undefined ? workers : job.workers;
    this.#autoscaler = new Autoscaler(
      scaling === undefined || bound.length > 0
        ? { policy: "none", minWorkers: fixed, maxWorkers: fixed }
        : scaling,
      { cores, keyGroups: maxParallelism },
    );
  }

  /** Workers have reported. */
  look(reports: Iterable<WorkerReport>): void {
    const { clock, job, scaling } = this.#options;
    const autoscaler = this.#autoscaler;
    if (autoscaler === undefined) return;
    // Those that are about to go may still report.
    const count = scaling === undefined ? autoscaler.bounds.maxWorkers : job.workers;
    const sharing = [...reports].filter(({ worker }) => worker < count);
    if (sharing.length < count || clock.monotonic() - this.#lookedAt < LOAD_LOOK_MS_MIN) return;
    this.#lookedAt = clock.monotonic();
    const snapshot = this.#watch.look(sharing, {
      at: clock.monotonic(),
      routing: job.routing,
      underWay: this.#isBusy ? "hand-over" : "nothing",
    });
    if (snapshot === undefined) return;
    for (const decision of autoscaler.decide(snapshot)) this.#handle(decision, autoscaler);
  }

  #handle(decision: ScalingDecision, autoscaler: Autoscaler): void {
    const { logger, clock, scaling, onDecision } = this.#options;
    switch (decision.kind) {
      case "stay":
        return;
      case "blocked":
        // Where the number of workers is given, that it should be another is no news.
        if (scaling === undefined && decision.what !== "rebalance") return;
        break;
      case "hot key":
        break;
      default:
        this.#change(decision, () => this.#autoscaler === autoscaler);
        return;
    }
    const told = this.#log.add(decision, clock.now(), { kind: "told" });
    if (decision.kind === "hot key") logger.warn(told.text);
    else logger.info(told.text);
    onDecision?.(told);
  }

  /** Carries a decision out; whatever becomes of it is logged, and kept. Never throws. */
  #change(decision: Change, isCurrent: () => boolean): void {
    const { clock, logger, onDecision } = this.#options;
    const began = clock.monotonic();
    const moves: MoveFigures[] = [];
    const scales: ScaleFigures[] = [];
    const cost = () => costOf(moves, scales, clock.monotonic() - began);
    const made = this.#log.add(decision, clock.now(), { kind: "under way", cost: cost() });
    logger.info(made.text);
    this.#isBusy = true;
    /** A step's figures, unless it came to nothing. */
    const noted = <T>(figures: T | undefined, list: T[]): void => {
      if (figures === undefined || !isCurrent()) throw LEFT;
      list.push(figures);
      this.#log.update(made, { kind: "under way", cost: cost() });
    };
    const ended = (outcome: DecisionOutcome) => {
      this.#isBusy = false;
      const last = this.#log.update(made, outcome);
      onDecision?.(last);
    };
    this.#steps(
      decision,
      (figures) => noted(figures, moves),
      (figures) => noted(figures, scales),
    ).then(
      () => {
        const { tookMs, ...fields } = cost();
        logger.info(
          decision.kind === "rebalance"
            ? "Key groups have moved"
            : `Workers are ${decision.to}, and key groups have moved`,
          { ...fields, tookMs: Math.round(tookMs) },
        );
        ended({ kind: "done", cost: cost() });
      },
      (error) => {
        if (error === LEFT) return ended({ kind: "left", cost: cost() });
        const reason = error instanceof Error ? error.message : String(error);
        logger.warn(`Cannot ${decision.kind}: what was decided is not done, or not all of it`, {
          reason,
        });
        ended({ kind: "failed", cost: cost(), reason });
      },
    );
  }

  /** The steps of a decision; each takes note of its figures, and may say that there are to be no more. */
  async #steps(
    decision: Change,
    moved: (figures: MoveFigures | undefined) => void,
    scaled: (figures: ScaleFigures | undefined) => void,
  ): Promise<void> {
    const { job } = this.#options;
    if (decision.kind === "scale up") scaled(await job.scale(decision.to));
    for (const batch of batchesOf(decision.moves)) moved(await job.move(batch));
    if (decision.kind === "scale down") scaled(await job.scale(decision.to));
  }
}

function* batchesOf(moves: readonly GroupMove[]): Generator<readonly GroupMove[]> {
  for (let from = 0; from < moves.length; from += MOVED_GROUPS_MAX) {
    yield moves.slice(from, from + MOVED_GROUPS_MAX);
  }
}

function costOf(
  moves: readonly MoveFigures[],
  scales: readonly ScaleFigures[],
  tookMs: number,
): DecisionCost {
  return {
    groups: moves.reduce((sum, { groups }) => sum + groups, 0),
    bytes: moves.reduce((sum, { copied, rest }) => sum + copied.bytes + rest.bytes, 0),
    pauseMs: moves.reduce((longest, { pauseMs }) => Math.max(longest, pauseMs), 0),
    shards: scales.reduce((sum, { movedShards }) => sum + movedShards, 0),
    tookMs,
  };
}
