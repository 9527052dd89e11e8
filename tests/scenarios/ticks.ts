/**
 * Ticks: records that say what is to be done with timers, and a keyed operator that does it and
 * tells what it saw. For stories about event time.
 *
 * @module
 */

import { store } from "../../runtime/state/state.ts";
import type { Stream } from "../../runtime/stream.ts";
import type { Delivery } from "./timed_source.ts";

/** A record with event time. */
export interface Tick {
  readonly time: number;
  /** `"k"` unless said. */
  readonly key?: string;
  /** Timers to set, by name. */
  readonly set?: Readonly<Record<string, number>>;
  /** A timer to take back. */
  readonly clear?: string;
}

/** Ticks that come one after the other, each in a delivery of its own, a second apart. */
export function ticks(...all: (number | Tick)[]): Delivery<Tick>[] {
  return all.map((tick, number) => ({
    at: number * 1000,
    values: [typeof tick === "number" ? { time: tick } : tick],
  }));
}

/** The shard stays open until then, without records. */
export const silentUntil = (at: number): Delivery<Tick> => ({ at, values: [] });

/**
 * Does what ticks say. Tells `"time@watermark"` of each tick and `"name time@watermark"` of each
 * timer. A timer `"again"` sets others when it fires: one that is due, and one that is not.
 */
export function told(ticks: Stream<Tick>, name = "told"): Stream<string> {
  return ticks.keyBy((tick) => tick.key ?? "k").process(name, {
    state: { count: store.value(0) },
    onEvent({ set = {}, clear }, { timestamp, watermark, setTimer, clearTimer }) {
      for (const [name, at] of Object.entries(set)) setTimer(name, at);
      if (clear !== undefined) clearTimer(clear);
      return [`${timestamp}@${watermark}`];
    },
    onTimer(name, { timestamp, watermark, setTimer }) {
      if (name === "again") {
        setTimer("due", timestamp - 3);
        setTimer("later", timestamp + 1000);
      }
      return [`${name} ${timestamp}@${watermark}`];
    },
  });
}
