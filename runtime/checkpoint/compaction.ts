/**
 * When the chunks of a key group are merged into one, so that neither what is stored nor what a restore must read grows
 * without bound.
 *
 * @module
 */

import type { Chunk } from "./manifest.ts";

/** Chunks of one key group, base included, beyond which they are merged whatever their size. */
export const CHAIN_LENGTH_MAX = 64;

/**
 * Merges chunks of one key group, base first, into one: written by whoever knows what is in them. Without `keepDeleted`
 * the result is a base: keys that are deleted are left out.
 */
export type MergeChunks = (
  chunks: readonly Uint8Array[],
  options: { readonly keepDeleted: false },
) => Uint8Array;

/**
 * Whether a chain is to be merged now: its changes have more bytes than its base, or there are more than
 * {@linkcode CHAIN_LENGTH_MAX} chunks. The base is written anew only when as many bytes of changes have been written since,
 * so each byte is written twice on average, and a chain has at most twice the bytes of its base, plus one change.
 *
 * @example Changes as large as the base
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { isToBeCompacted } from "./compaction.ts";
 * const chunk = { part: "p", offset: 0, length: 100, keys: 1, deleted: 0 };
 * assertEquals(isToBeCompacted([chunk, chunk]), false);
 * assertEquals(isToBeCompacted([chunk, chunk, { ...chunk, length: 1 }]), true);
 * ```
 */
export function isToBeCompacted(chain: readonly Pick<Chunk, "length">[]): boolean {
  const [base, ...changes] = chain;
  if (base === undefined || changes.length === 0) return false;
  if (chain.length > CHAIN_LENGTH_MAX) return true;
  return changes.reduce((bytes, { length }) => bytes + length, 0) > base.length;
}

/**
 * The chunks of a chain merged into a new base.
 *
 * @param read the bytes of a chunk, such as `LoadedCheckpoint.bytes`
 * @throws {RangeError} if the chain is empty
 *
 * @example Merging by putting one after another
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { compacted } from "./compaction.ts";
 * const chunk = { part: "p", offset: 0, length: 1, keys: 1, deleted: 0 };
 * const read = () => Promise.resolve(new Uint8Array([7]));
 * const merge = (chunks: readonly Uint8Array[]) => new Uint8Array(chunks.flatMap((bytes) => [...bytes]));
 * assertEquals(await compacted([chunk, chunk], read, merge), new Uint8Array([7, 7]));
 * ```
 */
export async function compacted(
  chain: readonly Chunk[],
  read: (chunk: Chunk) => Promise<Uint8Array> | Uint8Array,
  merge: MergeChunks,
): Promise<Uint8Array> {
  if (chain.length === 0) throw new RangeError("Cannot merge a chain of no chunks");
  const chunks = await Promise.all(chain.map(read));
  return merge(chunks, { keepDeleted: false });
}
