/**
 * What was decided about workers and key groups, and what came of it: the last ones, for the status.
 *
 * @module
 */

import { DECISIONS_KEPT } from "../limits.ts";
import { explain, type LoadFigures, type ScalingDecision } from "../scaling/decision.ts";

/** What carrying a decision out has cost so far. */
export interface DecisionCost {
  /** Key groups that have moved. */
  readonly groups: number;
  /** What was sent of their state. */
  readonly bytes: number;
  /** The longest stop of one of them, ms. */
  readonly pauseMs: number;
  /** Shards that another worker reads on. */
  readonly shards: number;
  /** All in all, ms. */
  readonly tookMs: number;
}

/** What came of a decision. */
export type DecisionOutcome =
  /** There was nothing to do but to say it. */
  | { readonly kind: "told" }
  | { readonly kind: "under way"; readonly cost: DecisionCost }
  | { readonly kind: "done"; readonly cost: DecisionCost }
  /** The job was stopped, has ended or started again meanwhile. */
  | { readonly kind: "left"; readonly cost: DecisionCost }
  | { readonly kind: "failed"; readonly cost: DecisionCost; readonly reason: string };

/** A decision as it is kept: plain data. */
export interface MadeDecision {
  /** From 1, in the order in which they were made. */
  readonly number: number;
  readonly kind: ScalingDecision["kind"];
  /** When it was made, ms since the epoch. */
  readonly at: number;
  /** What was decided and why, in one line. */
  readonly text: string;
  /** The load that it was made from. */
  readonly figures: LoadFigures;
  /** Workers before and after; the same where their number stays. */
  readonly workers: { readonly from: number; readonly to: number };
  readonly outcome: DecisionOutcome;
}

/** The last {@linkcode DECISIONS_KEPT} decisions of a job, over all its attempts. */
export class DecisionLog {
  #decisions: readonly MadeDecision[] = [];
  #made = 0;

  /** The oldest first. */
  get decisions(): readonly MadeDecision[] {
    return this.#decisions;
  }

  /** Keeps a decision. */
  add(decision: ScalingDecision, at: number, outcome: DecisionOutcome): MadeDecision {
    const { kind, figures } = decision;
    const from = figures.workers;
    const to = kind === "scale up" || kind === "scale down" ? decision.to : from;
    const made: MadeDecision = {
      ...{ number: ++this.#made, kind, at, text: explain(decision), figures, outcome },
      workers: { from, to },
    };
    this.#decisions = [...this.#decisions.slice(1 - DECISIONS_KEPT), made];
    return made;
  }

  /** What has come of a decision since; gives it as it is then. */
  update(made: MadeDecision, outcome: DecisionOutcome): MadeDecision {
    const updated = { ...made, outcome };
    this.#decisions = this.#decisions.map((kept) => kept.number === made.number ? updated : kept);
    return updated;
  }
}
