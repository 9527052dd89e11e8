/**
 * The one door to how much of its time a thread collects garbage. V8 tells that of each collection, with figures that
 * take about half a millisecond to read: so only a part of the time is looked at.
 *
 * @module
 */

import { GCProfiler } from "node:v8";
import type { Clock } from "../clock.ts";

/** For so long collections are looked at once asked for, ms. */
export const GC_SAMPLE_MS = 100;
const NS_PER_MS = 1e6;

/**
 * Gives the part of the calling thread's time that went into garbage collection, 0 to 1, in the last
 * {@linkcode GC_SAMPLE_MS} that were looked at; each call begins another look. -1 before the first has ended, and where
 * the runtime doesn't tell.
 */
export function sampledGcShare(clock: Clock): () => number {
  let share = -1;
  let looking = false;
  const look = () => {
    const profiler = new GCProfiler();
    const began = clock.monotonic();
    profiler.start();
    clock.setTimer(GC_SAMPLE_MS, () => {
      const cost = profiler.stop()?.statistics.reduce((sum, { cost }) => sum + cost, 0);
      looking = false;
      if (cost !== undefined) share = cost / NS_PER_MS / (clock.monotonic() - began);
    });
  };
  return () => {
    if (!looking) {
      looking = true;
      look();
    }
    return share;
  };
}
