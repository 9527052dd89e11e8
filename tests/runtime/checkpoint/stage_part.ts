/**
 * A stage's part of a checkpoint, for tests.
 *
 * @module
 */

import type { StageTime } from "../../../runtime/checkpoint/stage_times.ts";
import type { StageSnapshot } from "../../../runtime/checkpoint/worker_snapshot.ts";

/** A part with nothing in it, but for what is said. */
export function stagePart(name: string, more: Partial<StageSnapshot> = {}): StageSnapshot {
  return { ...stageTime(name), keys: 0, ...more };
}

/** The same without what only one worker knows. */
export function stageTime(name: string, more: Partial<StageTime> = {}): StageTime {
  return {
    name,
    inputs: [],
    watermark: -Infinity,
    generators: [],
    merges: [],
    words: [],
    feeds: [],
    completed: [],
    pending: [],
    broadcast: undefined,
    ...more,
  };
}
