/**
 * Decisions about workers and key groups as lines for a terminal. Pure.
 *
 * @module
 */

import { bytesText, countText, durationText } from "../scaling/scaling_text.ts";
import type { DecisionCost, MadeDecision } from "../supervisor/decision_log.ts";

/** What is new since the status before: a line for each decision that was made, and for each that came to an end. */
export function decisionLines(
  before: readonly MadeDecision[],
  now: readonly MadeDecision[],
): readonly string[] {
  const known = new Map(before.map((made) => [made.number, made]));
  const last = before.at(-1)?.number ?? 0;
  return now.flatMap((made) => {
    const earlier = known.get(made.number);
    const outcome = outcomeText(made);
    if (earlier === undefined) {
      // What was dropped from the list before is not new.
      if (made.number <= last) return [];
      return outcome === undefined ? [made.text] : [made.text, outcome];
    }
    return earlier.outcome.kind === made.outcome.kind || outcome === undefined ? [] : [outcome];
  });
}

/** What came of a decision, in a line; undefined while it is under way, and where there was nothing to do. */
export function outcomeText({ kind, workers, outcome }: MadeDecision): string | undefined {
  const what = kind === "rebalance" ? "rebalance" : `${kind} to ${countText(workers.to, "worker")}`;
  switch (outcome.kind) {
    case "told":
    case "under way":
      return undefined;
    case "done":
      return `Done, ${what}: ${costText(outcome.cost)}`;
    case "left":
      return `Left, ${what}, as the job ends or starts again: ${costText(outcome.cost)}`;
    case "failed":
      return `Failed, ${what}: ${outcome.reason}; until then ${costText(outcome.cost)}`;
  }
}

/** `"16 key groups and 1 shard moved with 1.2 MB, stopped for 12 ms at most, in 0.3 s"`. */
export function costText({ groups, bytes, pauseMs, shards, tookMs }: DecisionCost): string {
  const read = shards === 0 ? "" : ` and ${countText(shards, "shard")}`;
  return `${countText(groups, "key group")}${read} moved with ${bytesText(bytes)}, stopped for ${
    durationText(Math.ceil(pauseMs))
  } at most, in ${durationText(tookMs)}`;
}
