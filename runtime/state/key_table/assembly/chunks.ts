/**
 * Keys that do not fit into their entries, in chunks of one size: those of keys that are gone serve any other key.
 *
 * AssemblyScript, not TypeScript; `deno task build:wasm` compiles it.
 *
 * @module
 */

import { CHUNK_BYTES, CHUNK_KEY, copyChunk, ENTRY_BYTES } from "./entry";
import { giveSegment, SEGMENT_BYTES, takeSegment } from "./segments";

/** Where a pool has its parts: free chunks, those never used and where they end, and its segments; 16 bytes. */
const FREE_CHUNKS: usize = 0;
const FRESH: usize = 4;
const FRESH_END: usize = 8;
const SEGMENTS: usize = 12;

/** Makes an empty pool. */
export function openChunks(pool: usize): void {
  v128.store(pool, i64x2.splat(0));
}

/** Gives the memory of a pool back. */
export function closeChunks(pool: usize): void {
  let segment = load<usize>(pool, SEGMENTS);
  while (segment != 0) {
    const next = load<usize>(segment);
    giveSegment(segment);
    segment = next;
  }
}

/** Stores a key of any length but 0; the address of its first chunk, or 0 if there is no memory left. */
export function storeChunks(pool: usize, key: usize, length: u32): usize {
  let first: usize = 0;
  let last: usize = 0;
  for (let left: i32 = length; left > 0; left -= CHUNK_BYTES) {
    const chunk = takeChunk(pool);
    if (chunk == 0) {
      if (first != 0) freeChunks(pool, first);
      return 0;
    }
    // Of the last one, what follows the key comes along.
    copyChunk(key, chunk + CHUNK_KEY);
    store<usize>(chunk, 0);
    if (first == 0) first = chunk;
    else store<usize>(last, chunk);
    last = chunk;
    key += CHUNK_BYTES;
  }
  return first;
}

/** Takes the chunks of a key back. */
export function freeChunks(pool: usize, first: usize): void {
  let last = first;
  while (load<usize>(last) != 0) last = load<usize>(last);
  store<usize>(last, load<usize>(pool, FREE_CHUNKS));
  store<usize>(pool, first, FREE_CHUNKS);
}

function takeChunk(pool: usize): usize {
  let chunk = load<usize>(pool, FREE_CHUNKS);
  if (chunk != 0) {
    store<usize>(pool, load<usize>(chunk), FREE_CHUNKS);
    return chunk;
  }
  chunk = load<usize>(pool, FRESH);
  if (chunk == load<usize>(pool, FRESH_END)) {
    const segment = takeSegment();
    if (segment == 0) return 0;
    // The place of the first chunk is for the list of segments.
    store<usize>(segment, load<usize>(pool, SEGMENTS));
    store<usize>(pool, segment, SEGMENTS);
    store<usize>(pool, segment + SEGMENT_BYTES, FRESH_END);
    chunk = segment + ENTRY_BYTES;
  }
  store<usize>(pool, chunk + ENTRY_BYTES, FRESH);
  return chunk;
}
