/**
 * What one stage on a worker tells a sink of event time: the watermarks of its shards, or its own, as one.
 *
 * @module
 */

import { SplitWatermarks } from "../time/split_watermarks.ts";
import { InputWatermark, outcomeOf, type WatermarkEvent } from "../time/watermark.ts";

/** A stage's way to tell a sink of watermarks. */
export class SinkFeed {
  readonly #tell: (event: WatermarkEvent) => void;
  readonly #splits: SplitWatermarks | undefined;
  readonly #channels = new InputWatermark([]);
  #at = -Infinity;
  #idle = false;

  /** @param splits whether the stage's origins are splits of one source, or each counts for itself */
  constructor(splits: boolean, tell: (event: WatermarkEvent) => void) {
    this.#tell = tell;
    this.#splits = splits ? new SplitWatermarks([]) : undefined;
  }

  /** Takes what an origin of the stage says. */
  take(origin: string, event: WatermarkEvent): void {
    const events = this.#splits === undefined
      ? outcomeOf(this.#channels, origin, event)
      : this.#splits.apply(origin, event);
    for (const said of events) this.#say(said);
  }

  /** The stage's input is over, and all of it handed on. */
  finish(): void {
    if (this.#at === Infinity) return;
    if (this.#idle) this.#say({ kind: "active" });
    this.#say({ kind: "advance", at: Infinity });
  }

  #say(event: WatermarkEvent): void {
    if (event.kind === "advance") this.#at = event.at;
    if (event.kind === "idle" || event.kind === "active") this.#idle = event.kind === "idle";
    this.#tell(event);
  }
}
