/**
 * Watermarks made from timestamps, for one shard or one worker's part of a stage: Flink's generators with idleness.
 * Pure: whoever owns the clock asks.
 *
 * @module
 */

import type { GeneratorTime, WatermarkEvent } from "./watermark.ts";

const NOTHING: readonly WatermarkEvent[] = [];

/**
 * Flink's `BoundedOutOfOrdernessWatermarks` (newest timestamp - bound - 1 ms), or a generator that makes none from
 * timestamps and only says those that it is given; each with Flink's `WatermarksWithIdleness`.
 */
export class EventTimeGenerator {
  readonly #outOfOrdernessMs: number | undefined;
  readonly #idleAfterMs: number | undefined;
  #newest = -Infinity;
  #told = -Infinity;
  #idle = false;
  #records = 0;
  #recordsAtProbe = -1;
  #recordsAtTick = 0;
  #quietSince: number | undefined;

  /**
   * @param outOfOrdernessMs undefined: timestamps make no watermarks
   * @param idleAfterMs how long it must be quiet, from tick to tick, to be idle; undefined: it never is
   */
  constructor(outOfOrdernessMs: number | undefined, idleAfterMs?: number) {
    this.#outOfOrdernessMs = outOfOrdernessMs;
    this.#idleAfterMs = idleAfterMs;
  }

  /** What it is now, for a checkpoint. `now` as for `tick`. */
  snapshot(now: number): GeneratorTime {
    return {
      newest: this.#newest,
      told: this.#told,
      idle: this.#idle,
      quietMs: this.#quietSince === undefined ? undefined : now - this.#quietSince,
      seenSinceTick: this.#records !== this.#recordsAtTick,
      seenSinceProbe: this.#records !== this.#recordsAtProbe,
    };
  }

  /**
   * Goes on from a checkpoint.
   *
   * @param now as for `tick`
   * @param listened whether it has listened without a break since then: if not, the wait for idleness begins anew, since
   * nobody knows what came meanwhile. One that was idle stays idle.
   */
  restore(time: GeneratorTime, now: number, listened: boolean): void {
    const { newest, told, idle, quietMs, seenSinceTick, seenSinceProbe } = time;
    this.#newest = newest;
    this.#told = told;
    this.#idle = idle;
    this.#records = 1;
    this.#quietSince = listened && quietMs !== undefined ? now - quietMs : undefined;
    this.#recordsAtTick = listened && !seenSinceTick ? 1 : 0;
    this.#recordsAtProbe = listened && !seenSinceProbe ? 1 : -1;
  }

  /** What it has told, for those who may not have heard it: the time first, which one that is idle does not say. */
  told(): readonly WatermarkEvent[] {
    const words: WatermarkEvent[] = [{ kind: "active" }];
    if (this.#told > -Infinity) words.push({ kind: "advance", at: this.#told });
    if (this.#idle) words.push({ kind: "idle" });
    return words.length === 1 ? NOTHING : words;
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

  /** The watermark of the timestamps if it has risen since it was last taken. */
  take(): readonly WatermarkEvent[] {
    if (this.#outOfOrdernessMs === undefined) return NOTHING;
    return this.raise(this.#newest - this.#outOfOrdernessMs - 1);
  }

  /** A watermark that a record itself says: goes on if it rises. A rising watermark ends idleness, nothing else does. */
  raise(at: number): readonly WatermarkEvent[] {
    if (!(at > this.#told)) return NOTHING;
    this.#told = at;
    if (!this.#idle) return [{ kind: "advance", at }];
    this.#idle = false;
    return [{ kind: "active" }, { kind: "advance", at }];
  }

  /**
   * Asked once every emission period: the watermark if it has risen, or idleness, once. The wait for that begins at the
   * first tick without a record since the one before, and must be exceeded (Flink's rule). `held` means that records
   * may be waiting behind a full queue, which is not idleness.
   */
  tick(now: number, held: boolean): readonly WatermarkEvent[] {
    if (this.#idleAfterMs === undefined) return this.take();
    if (this.#records !== this.#recordsAtTick || held) {
      this.#recordsAtTick = this.#records;
      this.#quietSince = undefined;
    } else if (this.#quietSince === undefined) {
      this.#quietSince = now;
    } else if (now - this.#quietSince > this.#idleAfterMs) {
      if (this.#idle) return NOTHING;
      this.#idle = true;
      return [{ kind: "idle" }];
    }
    return this.take();
  }

  /**
   * Asked once every idle timeout where there is no emission period. Says idle when no record passed since the last time
   * it was asked; the next rising watermark ends it. `held` as for `tick`.
   */
  probe(held: boolean): WatermarkEvent | undefined {
    const quiet = this.#records === this.#recordsAtProbe && !held;
    this.#recordsAtProbe = this.#records;
    if (!quiet) return undefined;
    this.#idle = true;
    return { kind: "idle" };
  }
}
