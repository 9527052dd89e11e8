/**
 * An entry: what is known of one key, in one line of the processor's cache.
 *
 * ```
 *  0 next      u32  address of the next entry of the bucket, or of the next free one
 *  4 slot      u32
 *  8 hash      u32
 * 12 head      u32  length times 4 plus kind; FREE: not in use
 * 16 bytes          of a key of up to 46 bytes (a UUID as text has 36); of a longer one, the address of its first chunk
 * 62 group     u16
 * ```
 *
 * A chunk has 60 bytes of a key behind the address of the next one.
 *
 * AssemblyScript, not TypeScript; `deno task build:wasm` compiles it.
 *
 * @module
 */

import { maskOf } from "./hash";

/** Of an entry, and of a chunk. */
export const ENTRY_BYTES: usize = 64;
/** Of a key that stands in its entry. */
export const INLINE_BYTES_MAX: u32 = 46;
/** Of a key, in each chunk. */
export const CHUNK_BYTES: u32 = 60;

/** Where in an entry the address of the next one is, */
export const NEXT: usize = 0;
/** its slot, */
export const SLOT: usize = 4;
/** the hash of its key, */
export const HASH: usize = 8;
/** the key's length and kind, */
export const HEAD: usize = 12;
/** the key, */
export const KEY: usize = 16;
/** and the key's group. */
export const GROUP: usize = 62;
/** Where a chunk's bytes are. */
export const CHUNK_KEY: usize = 4;

/** Instead of kind and length: no key has this length. */
export const FREE: u32 = 0xffffffff;

@inline
/** The kind of a key, and its length in bytes. */
export function headOf(length: u32, kind: u32): u32 {
  return (length << 2) | kind;
}

@inline
/** The length in a head. */
export function lengthIn(head: u32): u32 {
  return head >> 2;
}

@inline
/** Hash and head, to be compared in one go. */
export function identityOf(hash: u32, head: u32): u64 {
  return (hash as u64) | ((head as u64) << 32);
}

@inline
/** Whether an entry with the same hash and head has the key at `key`. Reads up to 16 bytes behind it. */
export function hasKey(entry: usize, key: usize, length: u32): bool {
  const at = entry + KEY;
  if (length <= 16) {
    const difference = v128.xor(v128.load(at), v128.load(key));
    return !v128.any_true(v128.and(difference, v128.load(maskOf(length))));
  }
  return length <= INLINE_BYTES_MAX
    ? areEqual(at, key, length)
    : hasChunks(load<usize>(at), key, length);
}

/** Compares 16 to 64 bytes; the last 16 may overlap those before. */
@inline
function areEqual(a: usize, b: usize, length: u32): bool {
  const last = (length - 16) as usize;
  let difference = v128.xor(v128.load(a + last), v128.load(b + last));
  for (let at: usize = 0; at < last; at += 16) {
    difference = v128.or(difference, v128.xor(v128.load(a + at), v128.load(b + at)));
  }
  return !v128.any_true(difference);
}

function hasChunks(chunk: usize, key: usize, length: u32): bool {
  for (; length > CHUNK_BYTES; length -= CHUNK_BYTES) {
    if (!areEqual(chunk + CHUNK_KEY, key, CHUNK_BYTES)) return false;
    key += CHUNK_BYTES;
    chunk = load<usize>(chunk);
  }
  // The last chunk may have less than 16 bytes of the key, and those before them are in another chunk.
  if (length >= 16) return areEqual(chunk + CHUNK_KEY, key, length);
  const difference = v128.xor(v128.load(chunk + CHUNK_KEY), v128.load(key));
  return !v128.any_true(v128.and(difference, v128.load(maskOf(length))));
}

/** Copies a key of an entry to `to`; up to 60 bytes behind it are overwritten. */
export function copyKey(entry: usize, to: usize): void {
  const length = lengthIn(load<u32>(entry, HEAD));
  if (length <= INLINE_BYTES_MAX) {
    copyInline(entry + KEY, to);
    return;
  }
  let chunk = load<usize>(entry, KEY);
  for (let left: i32 = length; left > 0; left -= CHUNK_BYTES) {
    copyChunk(chunk + CHUNK_KEY, to);
    to += CHUNK_BYTES;
    chunk = load<usize>(chunk);
  }
}

@inline
/** Copies 48 bytes: for so few, an instruction that copies any number takes longer. */
export function copyInline(from: usize, to: usize): void {
  v128.store(to, v128.load(from));
  v128.store(to + 16, v128.load(from + 16));
  v128.store(to + 32, v128.load(from + 32));
}

@inline
/** Copies 60 bytes. */
export function copyChunk(from: usize, to: usize): void {
  copyInline(from, to);
  v128.store(to + CHUNK_BYTES - 16, v128.load(from + CHUNK_BYTES - 16));
}
