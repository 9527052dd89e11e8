/**
 * A barrier at which another worker joins, on one worker that is there already: what its stages are when the barrier
 * passes. From one such account of each worker the new one is made, as if it had heard all that was said before.
 *
 * ```
 *  supervisor              workers                                        the new one
 *   │ ── join ───────────────> │ barrier, through all channels
 *   │                          │ at each stage: what it is; behind the
 *   │                          │ barrier all that is said is said to the ───> waits in the link
 *   │                          │ new one too, and it is waited for
 *   │ <───────────── joined ── │
 *   │ ── open, with what stages were ─────────────────────────────────────> │ takes what waits
 * ```
 *
 * @module
 */

import type { StageSnapshot } from "../checkpoint/worker_snapshot.ts";

/** One such barrier on one worker. */
export class Joining {
  readonly epoch: number;
  /** Who joins. */
  readonly worker: number;
  readonly #missing: Set<string>;
  readonly #stages: StageSnapshot[] = [];
  readonly #done: (stages: readonly StageSnapshot[]) => void;

  /** @param options `stages`: all of this worker; `done`: all have passed */
  constructor(options: {
    epoch: number;
    worker: number;
    stages: Iterable<string>;
    done: (stages: readonly StageSnapshot[]) => void;
  }) {
    this.epoch = options.epoch;
    this.worker = options.worker;
    this.#missing = new Set(options.stages);
    this.#done = options.done;
  }

  /** The barrier passes a stage, or it has ended. */
  stage(snapshot: StageSnapshot): void {
    if (!this.#missing.delete(snapshot.name)) return;
    this.#stages.push(snapshot);
    if (this.#missing.size === 0) this.#done(this.#stages);
  }
}
