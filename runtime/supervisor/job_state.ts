/**
 * The life of a job.
 *
 * ```
 *              ┌────────────── restarting <──┐ failure, policy restart
 *              v                             │
 *  created ─> starting ─> running ───────────┤
 *              │            │ stop           │
 *              │            v                │
 *              │          draining ──────────┤
 *              │            │                │
 *              v            v                v
 *            failed      finished          failed
 * ```
 *
 * @module
 */

/** Where a job stands. */
export type JobState =
  | { readonly kind: "created" }
  | { readonly kind: "starting"; readonly attempt: number }
  | { readonly kind: "running"; readonly attempt: number }
  | { readonly kind: "draining"; readonly attempt: number }
  | {
    readonly kind: "restarting";
    readonly attempt: number;
    readonly afterMs: number;
    readonly cause: Error;
  }
  /** Ended by itself, or stopped: everything that was read has been processed and written. */
  | { readonly kind: "finished" }
  | { readonly kind: "failed"; readonly cause: Error };

const NEXT: Readonly<Record<JobState["kind"], readonly JobState["kind"][]>> = {
  created: ["starting"],
  starting: ["running", "draining", "restarting", "finished", "failed"],
  running: ["draining", "restarting", "finished", "failed"],
  draining: ["finished", "failed"],
  restarting: ["starting", "finished", "failed"],
  finished: [],
  failed: [],
};

/**
 * The next state.
 *
 * @throws {Error} if the step is not one of the diagram: a mistake in the supervisor
 */
export function transition(from: JobState, to: JobState): JobState {
  if (!NEXT[from.kind].includes(to.kind)) {
    throw new Error(`Cannot take a job from "${from.kind}" to "${to.kind}"`);
  }
  return to;
}
