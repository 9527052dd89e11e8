/**
 * What one stage on a worker tells a sink of event time: the watermarks of its shards, or its own, as one.
 *
 * @module
 */

import type { FeedTime, RestoredFeed, ShardFeed, SinkTime } from "../checkpoint/worker_snapshot.ts";
import { SplitWatermarks } from "../time/split_watermarks.ts";
import { InputWatermark, outcomeOf, type WatermarkEvent } from "../time/watermark.ts";

/** What a feed tells. */
export interface FedSink {
  readonly tell: (event: WatermarkEvent) => void;
  /** What several feeds have told it, for a checkpoint; undefined if there is one only. */
  readonly told: () => SinkTime | undefined;
}

/** A stage's way to tell a sink of watermarks. */
export class SinkFeed {
  readonly #sink: FedSink;
  readonly #splits: SplitWatermarks | undefined;
  readonly #channels: InputWatermark;
  /** Shards at the checkpoint that the job starts from, if they may be read elsewhere: those that come here join. */
  readonly #spread: RestoredFeed | undefined;
  #at: number;
  #idle: boolean;

  /**
   * @param splits whether the stage's origins are splits of one source, or each counts for itself
   * @param restored what it was at the checkpoint that the job starts from
   */
  constructor(splits: boolean, sink: FedSink, restored?: RestoredFeed) {
    this.#sink = sink;
    const spread = restored?.spread === true;
    this.#spread = spread ? restored : undefined;
    const ofSplits = restored?.splits;
    this.#splits = splits
      ? new SplitWatermarks([], ofSplits && (spread ? { ...ofSplits, splits: [] } : ofSplits))
      : undefined;
    const channels = restored?.channels;
    this.#channels = new InputWatermark(
      [],
      channels && (spread ? { ...channels, origins: [] } : channels),
    );
    this.#at = restored?.at ?? -Infinity;
    this.#idle = restored?.idle ?? false;
  }

  /** What it is now, for a checkpoint. */
  snapshot(): Omit<FeedTime, "index"> {
    return {
      at: this.#at,
      idle: this.#idle,
      splits: this.#splits?.snapshot(),
      channels: this.#channels.snapshot(),
      sink: this.#sink.told(),
    };
  }

  /** Takes what an origin of the stage says. */
  take(origin: string, event: WatermarkEvent): void {
    if (this.#spread !== undefined && event.kind === "joined") this.#adopt(origin, this.#spread);
    this.#apply(origin, event);
  }

  /** What an origin has said; undefined if it has not joined. */
  heard(origin: string): Omit<ShardFeed, "index"> | undefined {
    const origins = this.#splits?.snapshot().splits ?? this.#channels.snapshot().origins;
    const found = origins.find(({ name }) => name === origin);
    return found && { at: found.at, idle: found.idle };
  }

  /** An origin that another worker had comes here, with what it had said there. What has been told stays told. */
  arrive(origin: string, { at, idle }: Omit<ShardFeed, "index">): void {
    this.#apply(origin, { kind: "joined" });
    if (at > -Infinity) {
      this.#apply(origin, { kind: "active" });
      this.#apply(origin, { kind: "advance", at });
    }
    if (idle) this.#apply(origin, { kind: "idle" });
  }

  /** An origin is another worker's from now on, and is no longer waited for. */
  leave(origin: string): void {
    this.#apply(origin, { kind: "ended", successors: [] });
  }

  #apply(origin: string, event: WatermarkEvent): void {
    const events = this.#splits === undefined
      ? outcomeOf(this.#channels, origin, event)
      : this.#splits.apply(origin, event);
    for (const said of events) this.#say(said);
  }

  #adopt(origin: string, { splits, channels }: RestoredFeed): void {
    const split = splits?.splits.find(({ name }) => name === origin);
    const channel = channels.origins.find(({ name }) => name === origin);
    if (split !== undefined) this.#splits?.adopt(split);
    if (channel !== undefined) this.#channels.adopt(channel);
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
    this.#sink.tell(event);
  }
}
