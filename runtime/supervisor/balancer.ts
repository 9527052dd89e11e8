/**
 * Keeps the workers of a job evenly busy: looks at their load, has it decided what is to move, and carries that out, one
 * batch of key groups after the other.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import { MOVED_GROUPS_MAX } from "../limits.ts";
import type { Logger } from "../logger.ts";
import { Autoscaler } from "../scaling/autoscaler.ts";
import { explain, type ScalingDecision } from "../scaling/decision.ts";
import type { JobPlan } from "../stage_plan.ts";
import type { GroupMove, WorkerReport } from "../worker/protocol.ts";
import type { MoveFigures } from "./group_mover.ts";
import { LoadWatch } from "./load_watch.ts";

/** What a decision came to. */
export interface CarriedOut {
  readonly decision: ScalingDecision;
  /** Of each batch that has moved. */
  readonly moves: readonly MoveFigures[];
}

/** What balancing works with. */
export interface BalancerOptions {
  /** Workers that share the key groups: those with the lowest numbers. */
  readonly workers: number;
  /** Cores that the job may use. */
  readonly cores: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Moves key groups; undefined if the job is being stopped, or ends. */
  readonly move: (moves: readonly GroupMove[]) => Promise<MoveFigures | undefined>;
  /** The worker of each key group. */
  readonly routing: () => readonly number[];
  readonly onDecision?: ((carriedOut: CarriedOut) => void) | undefined;
}

/** The balance of one job, over all its attempts. */
export class Balancer {
  readonly #options: BalancerOptions;
  readonly #watch = new LoadWatch();
  #autoscaler: Autoscaler | undefined;
  #isMoving = false;

  constructor(options: BalancerOptions) {
    this.#options = options;
  }

  /** An attempt is running a job of this plan. */
  begin({ stages, maxParallelism }: JobPlan): void {
    const { cores, logger } = this.#options;
    const workers = Math.min(this.#options.workers, maxParallelism);
    this.#watch.reset();
    this.#autoscaler = undefined;
    const remembering = stages.filter((stage) => stage.kind === "keyed" && stage.remembers)
      .map(({ name }) => name);
    if (workers < 2 || stages.every(({ kind }) => kind === "source")) return;
    if (remembering.length > 0) {
      logger.info("Key groups stay where they are: RxJS operators remember what is no state", {
        operators: remembering,
      });
      return;
    }
    this.#autoscaler = new Autoscaler(
      { policy: "none", minWorkers: workers, maxWorkers: workers },
      { cores, keyGroups: maxParallelism },
    );
  }

  /** Workers have reported. */
  look(reports: Iterable<WorkerReport>): void {
    const { clock, routing } = this.#options;
    const autoscaler = this.#autoscaler;
    if (autoscaler === undefined) return;
    const { maxWorkers } = autoscaler.bounds;
    const sharing = [...reports].filter(({ worker }) => worker < maxWorkers);
    const snapshot = this.#watch.look(sharing, {
      at: clock.monotonic(),
      routing: routing(),
      underWay: this.#isMoving ? "hand-over" : "nothing",
    });
    if (snapshot === undefined) return;
    for (const decision of autoscaler.decide(snapshot)) this.#carryOut(decision);
  }

  #carryOut(decision: ScalingDecision): void {
    const { logger, onDecision } = this.#options;
    switch (decision.kind) {
      case "rebalance":
        logger.info(explain(decision));
        this.#moveAll(decision.moves).then(
          (moves) => onDecision?.({ decision, moves }),
          (error) => logger.warn("Key groups have not moved", { reason: String(error) }),
        );
        return;
      case "hot key":
        logger.warn(explain(decision));
        return onDecision?.({ decision, moves: [] });
      case "blocked":
        // The number of workers stays: that it would be another is no news.
        if (decision.what !== "rebalance") return;
        logger.info(explain(decision));
        return onDecision?.({ decision, moves: [] });
      default:
        return;
    }
  }

  async #moveAll(moves: readonly GroupMove[]): Promise<readonly MoveFigures[]> {
    const { move, logger } = this.#options;
    this.#isMoving = true;
    const done: MoveFigures[] = [];
    try {
      for (let from = 0; from < moves.length; from += MOVED_GROUPS_MAX) {
        const figures = await move(moves.slice(from, from + MOVED_GROUPS_MAX));
        if (figures === undefined) break;
        done.push(figures);
      }
    } finally {
      this.#isMoving = false;
    }
    const sum = (of: (figures: MoveFigures) => number) =>
      done.reduce((total, figures) => total + of(figures), 0);
    logger.info("Key groups have moved", {
      groups: sum(({ groups }) => groups),
      keys: sum(({ copied, rest }) => copied.keys + rest.keys),
      bytes: sum(({ copied, rest }) => copied.bytes + rest.bytes),
      tookMs: Math.round(sum(({ copyMs, handOverMs }) => copyMs + handOverMs)),
      pauseMs: Math.max(0, ...done.map(({ pauseMs }) => pauseMs)),
    });
    return done;
  }
}
