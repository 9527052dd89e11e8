/**
 * A savepoint out of a checkpoint: everything merged, in parts of its own, so that it can be kept in another store, and
 * outlive the checkpoints that it was made of.
 *
 * @module
 */

import type { MergeChunks } from "./compaction.ts";
import type { LoadedCheckpoint } from "./loaded_checkpoint.ts";
import type { Chunk, Manifest, ManifestChain, ManifestPart } from "./manifest.ts";
import { framePart } from "./part.ts";
import type { StoredPart } from "./store.ts";

/** Bytes of chunks after which a part is full; a larger chunk has a part of its own. */
export const SAVEPOINT_PART_BYTES_MAX = 64 << 20;

/** What is done with chunks by whoever knows what is in them. */
export interface ChunkCodec {
  readonly merge: MergeChunks;
  /** How many keys with state are in a chunk. */
  readonly keysIn: (chunk: Uint8Array) => number;
}

/** What a savepoint is called. */
export interface SavepointName {
  /** Its number in the store that it is written to. */
  readonly id: number;
  /** When it is made, ms since the epoch. */
  readonly at: number;
  /** The names of its parts, from 0; no other run may use the same (see `StoredCheckpoint.parts`). */
  readonly partName: (index: number) => string;
}

/**
 * A savepoint with the content of a checkpoint: one chunk per operator and key group, and parts that only it names. What is
 * empty after merging is left out.
 *
 * @example A checkpoint without state
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { LoadedCheckpoint } from "./loaded_checkpoint.ts";
 * import { framePart } from "./part.ts";
 * import { selfContained } from "./self_contained.ts";
 * const part = framePart([new Uint8Array([1, 2, 3])]);
 * const loaded = await LoadedCheckpoint.read({ readPart: () => Promise.resolve(part.bytes) }, {
 *   format: 1, id: 7, job: "a", kind: "checkpoint", at: 0, startedAt: 0, maxParallelism: 1, workers: 1,
 *   operators: [], chunks: [], sources: [], sinks: [], rest: { part: "p", offset: 1, length: 2 },
 *   parts: [{ name: "p", bytes: part.bytes.length, crc32: part.crc32 }],
 * });
 * const codec = { merge: () => new Uint8Array(), keysIn: () => 0 };
 * const names = { id: 1, at: 60_000, partName: (index: number) => `savepoint-1-${index}` };
 * const { manifest, parts } = selfContained(loaded, codec, names);
 * assertEquals(manifest.rest, { part: "savepoint-1-0", offset: 0, length: 2 });
 * assertEquals(parts.map(({ name }) => name), ["savepoint-1-0"]);
 * ```
 */
export function selfContained(
  loaded: LoadedCheckpoint,
  { merge, keysIn }: ChunkCodec,
  { id, at, partName }: SavepointName,
): { readonly manifest: Manifest; readonly parts: readonly StoredPart[] } {
  const packer = new PartPacker(partName);
  const chunks: ManifestChain[] = [];
  const counts = new Map<string, { keys: number; bytes: number }>();
  for (const { operator, group } of loaded.manifest.chunks) {
    const merged = merge(loaded.chunks(operator, group), { keepDeleted: false });
    const keys = keysIn(merged);
    if (keys === 0) continue;
    const chunk: Chunk = { ...packer.add(merged), keys, deleted: 0 };
    chunks.push({ operator, group, chain: [chunk] });
    const count = counts.get(operator) ?? { keys: 0, bytes: 0 };
    counts.set(operator, { keys: count.keys + keys, bytes: count.bytes + merged.length });
  }
  const rest = packer.add(loaded.rest);
  const { stored, listed } = packer.finish();
  const manifest: Manifest = {
    ...loaded.manifest,
    id,
    at,
    kind: "savepoint",
    operators: loaded.manifest.operators.map((operator) => ({
      ...operator,
      ...(counts.get(operator.name) ?? { keys: 0, bytes: 0 }),
    })),
    chunks,
    rest,
    parts: listed,
  };
  return { manifest, parts: stored };
}

/** Puts bytes into parts, one after another. */
class PartPacker {
  readonly #partName: (index: number) => string;
  readonly #stored: StoredPart[] = [];
  readonly #listed: ManifestPart[] = [];
  #open: Uint8Array[] = [];
  #openBytes = 0;

  constructor(partName: (index: number) => string) {
    this.#partName = partName;
  }

  add(
    bytes: Uint8Array,
  ): { readonly part: string; readonly offset: number; readonly length: number } {
    const isFull = this.#openBytes + bytes.length > SAVEPOINT_PART_BYTES_MAX;
    if (isFull && this.#open.length > 0) this.#end();
    const range = {
      part: this.#partName(this.#stored.length),
      offset: this.#openBytes,
      length: bytes.length,
    };
    this.#open.push(bytes);
    this.#openBytes += bytes.length;
    return range;
  }

  finish(): { readonly stored: readonly StoredPart[]; readonly listed: readonly ManifestPart[] } {
    if (this.#open.length > 0) this.#end();
    return { stored: this.#stored, listed: this.#listed };
  }

  #end(): void {
    const name = this.#partName(this.#stored.length);
    const { bytes, crc32 } = framePart(this.#open);
    this.#stored.push({ name, bytes });
    this.#listed.push({ name, bytes: bytes.length, crc32 });
    this.#open = [];
    this.#openBytes = 0;
  }
}
