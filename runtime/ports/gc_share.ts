/**
 * The one door to how much of its time a thread collects garbage. V8 tells that of each collection, with figures that
 * take about half a millisecond to read: so only a part of the time is looked at.
 *
 * @module
 */

import { GCProfiler } from "node:v8";
import type { Clock } from "../clock.ts";

/** For so long collections are looked at, ms. */
export const GC_SAMPLE_MS = 100;
/** Looks begin at least so far apart, ms. */
export const GC_LOOK_MS = 1000;
const NS_PER_MS = 1e6;

/**
 * Gives the part of the calling thread's time that went into garbage collection, 0 to 1, in the last
 * {@linkcode GC_SAMPLE_MS} that were looked at; a call begins another look if none was begun within the last
 * {@linkcode GC_LOOK_MS}. -1 before the first has ended, and where the runtime doesn't tell.
 */
export function sampledGcShare(clock: Clock): () => number {
  let share = -1;
  let lookedAt = -Infinity;
  const look = (began: number) => {
    const profiler = new GCProfiler();
    profiler.start();
    clock.setTimer(GC_SAMPLE_MS, () => {
      const cost = profiler.stop()?.statistics.reduce((sum, { cost }) => sum + cost, 0);
      if (cost !== undefined) share = cost / NS_PER_MS / (clock.monotonic() - began);
    });
  };
  return () => {
    const now = clock.monotonic();
    if (now - lookedAt >= GC_LOOK_MS) {
      lookedAt = now;
      look(now);
    }
    return share;
  };
}
