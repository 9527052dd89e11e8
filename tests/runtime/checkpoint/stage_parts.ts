/**
 * A stage at a barrier of which nothing is known yet: as one worker hands it over, and as all its parts are together.
 *
 * @module
 */

import type { StageTime } from "../../../runtime/checkpoint/stage_times.ts";
import type { StageSnapshot } from "../../../runtime/checkpoint/worker_snapshot.ts";

/** A stage, all its parts together, with nothing in it but what is said. */
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

/** A stage's part on one worker, with nothing in it but what is said. */
export function stagePart(name: string, more: Partial<StageSnapshot> = {}): StageSnapshot {
  return { ...stageTime(name), keys: 0, ...more };
}
