/**
 * A table of keys: linear hashing (Litwin, "Linear hashing: a new tool for file and table addressing", 1980). A table that
 * has become too full splits one bucket, the next in turn, and no growth is ever a pause. Buckets and entries are in
 * segments that are never moved.
 *
 * AssemblyScript, not TypeScript; `deno task build:wasm` compiles it.
 *
 * @module
 */

import { closeChunks, freeChunks, openChunks, storeChunks } from "./chunks";
import {
  copyInline,
  ENTRY_BYTES,
  FREE,
  GROUP,
  HASH,
  HEAD,
  hasKey,
  identityOf,
  INLINE_BYTES_MAX,
  KEY,
  lengthIn,
  NEXT,
  SLOT,
} from "./entry";
import { SEEDS } from "./hash";
import { giveSegment, SEGMENT_BYTES, takeSegment } from "./segments";

/** Where a table has its parts, in a segment of its own. Slots in use. */
export const SIZE: usize = 0;
/** Slots given out so far. */
export const CAPACITY: usize = 4;
const BUCKETS: usize = 8;
/** The bits of a hash that tell the bucket: one more than needed as long as not all buckets of the round are split. */
const BUCKET_MASK: usize = 12;
/** The entry that was given back last. */
const FREE_ENTRIES: usize = 16;
const CHUNKS: usize = 32;
/** Random numbers for the hash. */
export const TABLE_SEEDS: usize = 64;
/** Addresses of segments: as many as there could be in all of the memory. */
const BUCKET_DIRECTORY: usize = 4096;
const DIRECTORY_BYTES: usize = 4 * 8192;
const ENTRY_DIRECTORY: usize = BUCKET_DIRECTORY + DIRECTORY_BYTES;

const FIRST_BUCKETS: u32 = 1024;
/** More heads than entries, since a head takes 4 bytes and each further entry of a bucket a cache line. */
const BUCKETS_PER_ENTRY: u32 = 2;

/** A segment has 65,536 buckets, */
const BUCKET_BITS: u32 = 16;
const BUCKETS_MASK: u32 = (1 << BUCKET_BITS) - 1;
/** or 4,096 entries. */
const ENTRY_BITS: u32 = 12;
const ENTRIES_MASK: u32 = (1 << ENTRY_BITS) - 1;

/** Makes a table whose random numbers are at `seeds`; 0 if there is no memory left. */
export function openTable(seeds: usize): usize {
  const table = takeSegment();
  if (table == 0) return 0;
  const buckets = takeSegment();
  if (buckets == 0) {
    giveSegment(table);
    return 0;
  }
  memory.fill(table, 0, TABLE_SEEDS);
  memory.copy(table + TABLE_SEEDS, seeds, 8 * SEEDS);
  store<u32>(table, FIRST_BUCKETS, BUCKETS);
  store<u32>(table, FIRST_BUCKETS - 1, BUCKET_MASK);
  store<usize>(table, buckets, BUCKET_DIRECTORY);
  memory.fill(buckets, 0, 4 * FIRST_BUCKETS);
  openChunks(table + CHUNKS);
  return table;
}

/** Gives all memory of a table back. */
export function closeTable(table: usize): void {
  closeChunks(table + CHUNKS);
  giveSegments(table + BUCKET_DIRECTORY, load<u32>(table, BUCKETS), BUCKET_BITS);
  giveSegments(table + ENTRY_DIRECTORY, load<u32>(table, CAPACITY), ENTRY_BITS);
  giveSegment(table);
}

function giveSegments(directory: usize, count: u32, bits: u32): void {
  const segments = (count + (1 << bits) - 1) >> bits;
  for (let i: u32 = 0; i < segments; i++) giveSegment(load<usize>(directory + ((i as usize) << 2)));
}

@inline
/** Where the address of a bucket's first entry is. */
export function bucketFor(table: usize, hash: u32): usize {
  const mask = load<u32>(table, BUCKET_MASK);
  const bucket = hash & mask;
  return bucketAt(table, bucket < load<u32>(table, BUCKETS) ? bucket : bucket & (mask >> 1));
}

@inline
function bucketAt(table: usize, bucket: u32): usize {
  const segment = load<usize>(table + ((bucket >> BUCKET_BITS) << 2), BUCKET_DIRECTORY);
  return segment + ((bucket & BUCKETS_MASK) << 2);
}

@inline
/** The entry of a slot that has been given out. */
export function entryAt(table: usize, slot: u32): usize {
  const segment = load<usize>(table + ((slot >> ENTRY_BITS) << 2), ENTRY_DIRECTORY);
  return segment + ((slot & ENTRIES_MASK) as usize) * ENTRY_BYTES;
}

/** The entry of a slot in use, or 0. */
export function entryInUse(table: usize, slot: u32): usize {
  if (slot >= load<u32>(table, CAPACITY)) return 0;
  const entry = entryAt(table, slot);
  return load<u32>(entry, HEAD) == FREE ? 0 : entry;
}

@inline
/** The entry of a key, or 0. */
export function findEntry(table: usize, key: usize, length: u32, head: u32, hash: u32): usize {
  const identity = identityOf(hash, head);
  let entry = load<usize>(bucketFor(table, hash));
  while (entry != 0) {
    if (load<u64>(entry, HASH) == identity && hasKey(entry, key, length)) return entry;
    entry = load<usize>(entry, NEXT);
  }
  return 0;
}

@inline
/** The same for a number. */
export function findNumber(table: usize, bits: u64, head: u32, hash: u32): usize {
  const identity = identityOf(hash, head);
  let entry = load<usize>(bucketFor(table, hash));
  while (entry != 0) {
    if (load<u64>(entry, HASH) == identity && load<u64>(entry, KEY) == bits) return entry;
    entry = load<usize>(entry, NEXT);
  }
  return 0;
}

/** A new entry for a key that has none; 0 if there is no memory left, and then nothing has changed. */
export function insertEntry(
  table: usize,
  key: usize,
  length: u32,
  head: u32,
  hash: u32,
  group: u32,
): usize {
  const entry = takeEntry(table);
  if (entry == 0) return 0;
  if (length <= INLINE_BYTES_MAX) {
    copyInline(key, entry + KEY);
  } else {
    const chunks = storeChunks(table + CHUNKS, key, length);
    if (chunks == 0) {
      freeEntry(table, entry);
      return 0;
    }
    store<usize>(entry, chunks, KEY);
  }
  store<u16>(entry, group as u16, GROUP);
  store<u64>(entry, identityOf(hash, head), HASH);
  const bucket = bucketFor(table, hash);
  store<usize>(entry, load<usize>(bucket), NEXT);
  store<usize>(bucket, entry);
  const size = load<u32>(table, SIZE) + 1;
  store<u32>(table, size, SIZE);
  for (let i: u32 = 0; i < BUCKETS_PER_ENTRY; i++) {
    if (load<u32>(table, BUCKETS) < size * BUCKETS_PER_ENTRY) splitBucket(table);
  }
  return entry;
}

/** Forgets the key of a slot; false if it has none. */
export function removeEntry(table: usize, slot: u32): bool {
  const entry = entryInUse(table, slot);
  if (entry == 0) return false;
  let link = bucketFor(table, load<u32>(entry, HASH));
  while (load<usize>(link) != entry) link = load<usize>(link) + NEXT;
  store<usize>(link, load<usize>(entry, NEXT));
  if (lengthIn(load<u32>(entry, HEAD)) > INLINE_BYTES_MAX) {
    freeChunks(table + CHUNKS, load<usize>(entry, KEY));
  }
  freeEntry(table, entry);
  store<u32>(table, load<u32>(table, SIZE) - 1, SIZE);
  return true;
}

/** The entry given back last, which is likely to be in the cache still, or else one never used. */
function takeEntry(table: usize): usize {
  const free = load<usize>(table, FREE_ENTRIES);
  if (free != 0) {
    store<usize>(table, load<usize>(free, NEXT), FREE_ENTRIES);
    return free;
  }
  const slot = load<u32>(table, CAPACITY);
  if ((slot & ENTRIES_MASK) == 0) {
    const segment = takeSegment();
    if (segment == 0) return 0;
    store<usize>(table + ((slot >> ENTRY_BITS) << 2), segment, ENTRY_DIRECTORY);
  }
  store<u32>(table, slot + 1, CAPACITY);
  const entry = entryAt(table, slot);
  store<u32>(entry, slot, SLOT);
  return entry;
}

function freeEntry(table: usize, entry: usize): void {
  store<u32>(entry, FREE, HEAD);
  store<usize>(entry, load<usize>(table, FREE_ENTRIES), NEXT);
  store<usize>(table, entry, FREE_ENTRIES);
}

/** Cuts the next bucket in two. Without memory for it nothing is done: buckets may be fuller than they should be. */
function splitBucket(table: usize): void {
  const bucket = load<u32>(table, BUCKETS);
  if ((bucket & BUCKETS_MASK) == 0) {
    const segment = takeSegment();
    if (segment == 0) return;
    store<usize>(table + ((bucket >> BUCKET_BITS) << 2), segment, BUCKET_DIRECTORY);
  }
  let mask = load<u32>(table, BUCKET_MASK);
  if (bucket > mask) mask = 2 * mask + 1;
  let stay = bucketAt(table, bucket & (mask >> 1));
  let move = bucketAt(table, bucket);
  let entry = load<usize>(stay);
  while (entry != 0) {
    if ((load<u32>(entry, HASH) & mask) == bucket) {
      store<usize>(move, entry);
      move = entry + NEXT;
    } else {
      store<usize>(stay, entry);
      stay = entry + NEXT;
    }
    entry = load<usize>(entry, NEXT);
  }
  store<usize>(stay, 0);
  store<usize>(move, 0);
  store<u32>(table, mask, BUCKET_MASK);
  store<u32>(table, bucket + 1, BUCKETS);
}
