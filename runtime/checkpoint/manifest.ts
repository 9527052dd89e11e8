/**
 * What a checkpoint consists of: its manifest. As bytes it is in `manifest_codec.ts`.
 *
 * @module
 */

/** Why a checkpoint was made: by the clock, and removed when there are newer ones, or by somebody, and kept. */
export type CheckpointKind = "checkpoint" | "savepoint";

/** Where bytes are: in which part, from which byte of its body, how many. */
export interface PartRange {
  readonly part: string;
  readonly offset: number;
  readonly length: number;
}

/** What changed in one key group of an operator from one barrier to the next, or all of it. */
export interface Chunk extends PartRange {
  /** Keys with state in it. */
  readonly keys: number;
  /** Keys that it deletes. */
  readonly deleted: number;
}

/** A state of an operator, as declared. */
export interface ManifestState {
  readonly name: string;
  readonly kind: "value" | "list" | "map";
  readonly version: number;
  /** `typeof` the initial value. */
  readonly holds: string;
}

/** An operator that has state. */
export interface ManifestOperator {
  readonly name: string;
  readonly kind: string;
  /** Of a source's or sink's state, if there is any. */
  readonly version?: number | undefined;
  readonly states: readonly ManifestState[];
  /** Broadcast state that is set; left out where there is none. */
  readonly broadcast?: readonly ManifestState[] | undefined;
  /** What its keys are hashed as; `"string"` unless said. */
  readonly hash?: string | undefined;
  /** The beginnings of the texts of its key functions, by which a change is noticed. */
  readonly keyedBy?: readonly string[] | undefined;
  /** Timers that are set; none unless said. */
  readonly timers?: number | undefined;
  /** Keys with state or timers. */
  readonly keys: number;
  /** Bytes of all its chunks. */
  readonly bytes: number;
}

/** The changes of one key group, base first. */
export interface ManifestChain {
  readonly operator: string;
  readonly group: number;
  readonly chain: readonly Chunk[];
}

/** How far a shard has been read. */
export interface ManifestShard {
  readonly id: string;
  readonly state: "reading" | "ended";
  /** Where to go on; absent where nothing was read yet. */
  readonly position?: string | undefined;
  readonly parents: readonly string[];
}

/** A source, and how far it has been read. */
export interface ManifestSource {
  readonly name: string;
  /** The connector, such as `"kinesis"`. */
  readonly kind: string;
  /** What is read, such as a stream's name. */
  readonly of: string;
  readonly shards: readonly ManifestShard[];
}

/** A sink. */
export interface ManifestSink {
  readonly name: string;
  readonly kind: string;
  readonly of: string;
}

/** A part, new or of an earlier checkpoint. */
export interface ManifestPart {
  readonly name: string;
  /** As stored, its frame included. */
  readonly bytes: number;
  /** As in its frame. */
  readonly crc32: number;
}

/** All that a checkpoint is but the bytes of its parts. */
export interface Manifest {
  readonly format: 1;
  readonly id: number;
  readonly job: string;
  readonly kind: CheckpointKind;
  /** When it was made, ms since the epoch. */
  readonly at: number;
  /** When the job was first started, ms since the epoch. */
  readonly startedAt: number;
  readonly maxParallelism: number;
  readonly workers: number;
  readonly operators: readonly ManifestOperator[];
  /** By operator and key group; at most one each. */
  readonly chunks: readonly ManifestChain[];
  readonly sources: readonly ManifestSource[];
  /** Those of the job, and that of dead letters. */
  readonly sinks: readonly ManifestSink[];
  /** What else workers handed over: watermarks, pending calls, sinks' transactions. */
  readonly rest: PartRange;
  /** All parts that chunks and rest are in. */
  readonly parts: readonly ManifestPart[];
}
