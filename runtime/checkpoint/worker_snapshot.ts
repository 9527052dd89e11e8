/**
 * What workers hand over at a barrier, and what they are given to start from: plain data, part of the worker protocol.
 *
 * @module
 */

import type { Key } from "../key.ts";
import type { GateTime } from "../time/gate_watermark.ts";
import type { SplitTime } from "../time/split_watermarks.ts";
import type { GeneratorTime, InputTime, OriginTime, WatermarkEvent } from "../time/watermark.ts";

/** Changed keys of one key group of one stage, among the bytes of the snapshot. */
export interface SnapshotChunk {
  readonly operator: string;
  readonly group: number;
  readonly offset: number;
  readonly length: number;
  /** Keys put and keys deleted. */
  readonly keys: number;
  readonly deleted: number;
  /** Whether it is all that the key group has: nothing kept before is built upon. */
  readonly isBase: boolean;
}

/** A record that a `mapAsync` had not answered. */
export interface PendingCall {
  /** The operator's name. */
  readonly operator: string;
  /** Whose it is: the shard it came from (`source/shard`), or the key group of a keyed stage. */
  readonly owner: string | number;
  readonly value: unknown;
  readonly timestamp: number;
  readonly shard: string;
  readonly position: string;
  /** Which output of that record it is. */
  readonly sub: number;
  readonly key: Key | undefined;
  readonly bytes: number;
}

/** Event time behind an operator, by whose it is: a shard's, or a stage's on one worker. */
export interface OperatorTime {
  /** Which of the stage's operators with event time it is, in order of building. */
  readonly index: number;
  readonly domain: string;
  readonly time: GeneratorTime;
  /** When that was, ms since the epoch. */
  readonly takenAt: number;
  /** After how long its next emission period, or probe for idleness, was due, ms; undefined if none was. */
  readonly nextInMs: number | undefined;
}

/** What the branches of a merge inside a stage have said of an origin. */
export interface MergeTime {
  /** Which of the stage's merges it is, in order of building. */
  readonly index: number;
  readonly origin: string;
  readonly branches: InputTime;
  /** Branches over which the origin has ended. */
  readonly ended: number;
}

/** What a shard has said last itself, where that may have been held up behind a call. */
export interface OriginWords {
  readonly origin: string;
  readonly advance: Extract<WatermarkEvent, { kind: "advance" }> | undefined;
  readonly status: Extract<WatermarkEvent, { kind: "idle" | "active" }> | undefined;
}

/** What a stage has told a sink of event time, on one worker. */
export interface FeedTime {
  /** Which of the stage's ways into sinks that want to know it is, in order of building. */
  readonly index: number;
  /** What has been said last. */
  readonly at: number;
  readonly idle: boolean;
  /** Of a source's shards, if they are splits. */
  readonly splits: SplitTime | undefined;
  /** Of a keyed stage, or of shards that count for themselves. */
  readonly channels: InputTime;
  /** Where several stages feed the sink: what all have told it, and what this one is among them. */
  readonly sink: SinkTime | undefined;
}

/** What several stages have told a sink, seen from one of them. */
export interface SinkTime {
  readonly at: number;
  readonly idle: boolean;
  readonly feed: Omit<OriginTime, "name">;
}

/** What a stage has told a sink, to begin with. */
export interface RestoredFeed extends FeedTime {
  /** Whether its shards may be read on other workers: then they are waited for as they come. */
  readonly spread: boolean;
}

/** What one of a stage's ways into sinks has heard of a shard. */
export interface ShardFeed {
  /** Which one it is, as in `FeedTime`. */
  readonly index: number;
  readonly at: number;
  readonly idle: boolean;
}

/** What a source stage knows of the event time of one shard: it goes along when another worker is to read the shard. */
export interface ShardTime {
  readonly generators: readonly OperatorTime[];
  readonly merges: readonly MergeTime[];
  /** One, or none if it has said nothing. */
  readonly words: readonly OriginWords[];
  readonly feeds: readonly ShardFeed[];
}

/** A shard at the barrier. */
export interface ShardSnapshot {
  readonly source: string;
  readonly shard: string;
  /** Undefined if nothing has been read and the source's options say where to start. */
  readonly position: string | undefined;
}

/** A stage's part on one worker at the barrier. */
export interface StageSnapshot {
  readonly name: string;
  /** Keys with state or timers. */
  readonly keys: number;
  /** Of a keyed stage: timers that are set. */
  readonly timers?: number | undefined;
  /** Of a keyed stage: the watermarks of its inputs. */
  readonly inputs: readonly GateTime[];
  /** Of a keyed stage: its event-time clock. */
  readonly watermark: number;
  readonly generators: readonly OperatorTime[];
  readonly merges: readonly MergeTime[];
  readonly words: readonly OriginWords[];
  readonly feeds: readonly FeedTime[];
  /** Of a keyed stage: key groups whose operators have completed, since all input was over. */
  readonly completed: readonly number[];
  readonly pending: readonly PendingCall[];
  /** Broadcast state by name, if the stage has any: the same on every worker. */
  readonly broadcast: Readonly<Record<string, unknown>> | undefined;
}

/** Times of one worker's part in a checkpoint, ms. */
export interface SnapshotFigures {
  /** Longest alignment of a stage: from its first barrier to its last. */
  readonly alignMs: number;
  /** Longest stop of a stage for taking what has changed. */
  readonly stopMs: number;
  /** From the barrier to the end of encoding and of the sinks' writing. */
  readonly totalMs: number;
}

/** What a worker hands over at a barrier. */
export interface WorkerSnapshot {
  readonly epoch: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly chunks: readonly SnapshotChunk[];
  /** Operators whose chunks are all that their keys have on this worker, and not only what has changed. */
  readonly wholes: readonly string[];
  readonly shards: readonly ShardSnapshot[];
  readonly stages: readonly StageSnapshot[];
  /** What transactional sinks need to commit. */
  readonly sinks: Readonly<Record<string, unknown>>;
  readonly figures: SnapshotFigures;
}

/** State of a key group to begin with. */
export interface RestoredGroup {
  readonly group: number;
  /** Chunks in order: the base, then changes. */
  readonly chain: readonly Uint8Array<ArrayBuffer>[];
}

/** A stage's part on one worker to begin with. */
export interface RestoredStage {
  readonly inputs: readonly GateTime[];
  readonly watermark: number;
  readonly generators: readonly OperatorTime[];
  readonly merges: readonly MergeTime[];
  readonly words: readonly OriginWords[];
  readonly feeds: readonly RestoredFeed[];
  readonly completed: readonly number[];
  readonly pending: readonly PendingCall[];
  readonly broadcast: Readonly<Record<string, unknown>> | undefined;
  readonly groups: readonly RestoredGroup[];
  /** State that the job no longer has, and does without. */
  readonly dropped: readonly string[];
  /** State that is migrated, with the version that it has. */
  readonly migrated: Readonly<Record<string, number>>;
  /** The same of broadcast state; none unless said. */
  readonly migratedBroadcast?: Readonly<Record<string, number>> | undefined;
  /** Whether the next checkpoint is to have all keys: nothing of this one is taken over. */
  readonly anew: boolean;
}

/** What a worker begins with. */
export interface RestoredWorker {
  readonly epoch: number;
  readonly stages: Readonly<Record<string, RestoredStage>>;
  /** By sink: what `prepare` gave, for the worker that is to commit it. */
  readonly sinks: Readonly<Record<string, readonly unknown[]>>;
}
