/**
 * A job that has as many workers as a policy wants, from one look at its load to the next.
 *
 * @module
 */

import type { LoadView } from "../../../runtime/scaling/demand.ts";
import type { ScalingBounds, ScalingRule } from "../../../runtime/scaling/scaling_policy.ts";

/** A job that gets what the rule of a policy wants at once. */
export class PolicedJob {
  workers: number;
  /** Why it has so many. */
  because = "";
  readonly #rule: ScalingRule;
  readonly #bounds: ScalingBounds;
  #at = 0;
  #changedAt = 0;

  constructor(rule: ScalingRule, workers: number, bounds: ScalingBounds) {
    this.#rule = rule;
    this.workers = workers;
    this.#bounds = bounds;
  }

  /** The policy looks at a load, so many ms after the last one. */
  look(intervalMs: number, load: LoadView): void {
    this.#at += intervalMs;
    const { workers, because } = this.#rule(
      { ...load, at: this.#at, intervalMs },
      { workers: this.workers, bounds: this.#bounds, changedAt: this.#changedAt },
    );
    if (workers === this.workers) return;
    this.workers = workers;
    this.because = because;
    this.#changedAt = this.#at;
  }
}
