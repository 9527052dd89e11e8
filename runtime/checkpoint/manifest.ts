/**
 * What a checkpoint consists of: its manifest, as a value and as bytes. How it is laid out in JSON is in
 * `manifest_layout.ts`.
 *
 * @module
 */

import { CheckpointDamagedError, frame, unframe } from "./frame.ts";
import { LayoutError, layoutOf, manifestOf } from "./manifest_layout.ts";

/** The layout of manifests that this Penstock writes, and the newest that it reads. */
export const MANIFEST_FORMAT = 1;

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

/**
 * A manifest as bytes: compact JSON in a frame.
 *
 * @throws {RangeError} if it could not be read again: a part or operator that is not listed, bytes beyond a part's end, a
 * key group that is there twice, a number that is no whole one from 0
 *
 * @example There and back
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { decodeManifest, encodeManifest, type Manifest } from "./manifest.ts";
 * const manifest: Manifest = {
 *   format: 1,
 *   id: 7,
 *   job: "orders",
 *   kind: "checkpoint",
 *   at: 60_000,
 *   startedAt: 0,
 *   maxParallelism: 128,
 *   workers: 2,
 *   operators: [],
 *   chunks: [],
 *   sources: [],
 *   sinks: [],
 *   rest: { part: "7-0", offset: 0, length: 10 },
 *   parts: [{ name: "7-0", bytes: 34, crc32: 0 }],
 * };
 * assertEquals(decodeManifest(encodeManifest(manifest), "checkpoint 7"), manifest);
 * ```
 */
export function encodeManifest(manifest: Manifest): Uint8Array {
  const layout = layoutOf(manifest);
  try {
    manifestOf(layout);
  } catch (error) {
    if (!(error instanceof LayoutError)) throw error;
    throw new RangeError(
      `Cannot write the manifest of checkpoint ${manifest.id} of job "${manifest.job}": ${error.message}`,
      { cause: error },
    );
  }
  const json = new TextEncoder().encode(JSON.stringify(layout));
  return frame("manifest", MANIFEST_FORMAT, [json]).bytes;
}

/**
 * Reads a manifest.
 *
 * @param what what is read, for the message, such as `checkpoint 7 of job "orders"`
 * @throws {CheckpointDamagedError} if it is not what was written, or was written by a newer Penstock
 *
 * @example Bytes of something else
 * ```ts
 * import { assertThrows } from "@std/assert";
 * import { CheckpointDamagedError } from "./frame.ts";
 * import { decodeManifest } from "./manifest.ts";
 * const bytes = new TextEncoder().encode('{"format":1,"id":7,"job":"orders"}');
 * assertThrows(() => decodeManifest(bytes, "checkpoint 7"), CheckpointDamagedError, "PENSTOCK");
 * ```
 */
export function decodeManifest(bytes: Uint8Array, what: string): Manifest {
  const { body } = unframe("manifest", MANIFEST_FORMAT, bytes, what);
  try {
    return manifestOf(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)));
  } catch (error) {
    // The CRC was right, so this was written like that.
    if (
      !(error instanceof LayoutError || error instanceof SyntaxError || error instanceof TypeError)
    ) throw error;
    throw new CheckpointDamagedError(what, error.message);
  }
}
