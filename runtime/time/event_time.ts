/**
 * Watermarks made from timestamps: Flink's bounded out-of-orderness with idleness, for one shard or one worker's part
 * of a stage. Pure: whoever owns the clock asks.
 *
 * @module
 */

import type { WatermarkEvent } from "./watermark.ts";

/** Flink's `BoundedOutOfOrdernessWatermarks`: newest timestamp - bound - 1 ms. */
export class EventTimeGenerator {
  readonly #outOfOrdernessMs: number;
  #newest = -Infinity;
  #told = -Infinity;
  #records = 0;
  #recordsAtProbe = -1;

  constructor(outOfOrdernessMs: number) {
    this.#outOfOrdernessMs = outOfOrdernessMs;
  }

  /** A record with this timestamp passed. */
  see(timestamp: number): void {
    this.#records++;
    if (timestamp > this.#newest) this.#newest = timestamp;
  }

  /** Records with these timestamps passed. */
  seeAll(timestamps: Float64Array): void {
    this.#records += timestamps.length;
    let newest = this.#newest;
    for (const timestamp of timestamps) if (timestamp > newest) newest = timestamp;
    this.#newest = newest;
  }

  /** The watermark if it has risen since it was last taken. */
  take(): WatermarkEvent | undefined {
    const at = this.#newest - this.#outOfOrdernessMs - 1;
    if (at <= this.#told) return undefined;
    this.#told = at;
    return { kind: "advance", at };
  }

  /**
   * Asked once every idle timeout. Says idle when no record passed since the last time it was asked; the next rising
   * watermark ends it. `held` means that records may be waiting behind a full queue, which is not idleness.
   */
  probe(held: boolean): WatermarkEvent | undefined {
    const quiet = this.#records === this.#recordsAtProbe && !held;
    this.#recordsAtProbe = this.#records;
    return quiet ? { kind: "idle" } : undefined;
  }
}
