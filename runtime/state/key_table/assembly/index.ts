/**
 * What the module exports: tables of keys, looked up a batch a call. A table is the address that `open` returned. Where
 * no memory is left, calls say so and leave tables as they were.
 *
 * AssemblyScript, not TypeScript; `deno task build:wasm` compiles it.
 *
 * @module
 */

import { BYTES, BYTES_MAX, ENDS, GROUPS, HASHES, ROWS_MAX, SLOTS, STARTS } from "./areas";
import { copyKey, GROUP, HASH, HEAD, headOf, lengthIn, SLOT } from "./entry";
import { hashBytes, hashWord, SEEDS } from "./hash";
import {
  bucketFor,
  CAPACITY,
  closeTable,
  entryInUse,
  findEntry,
  findNumber,
  insertEntry,
  openTable,
  removeEntry,
  SIZE,
  TABLE_SEEDS,
} from "./table";

export { closeTable as close };

const NO_SLOT: i32 = -1;
/** As in key_text.ts. */
const NUMBER_KIND: u32 = 1;

/** Few enough for what is touched to stay in the nearest cache. */
const TOUCHED_ROWS: u32 = 128;

/** Where the first key of the batch starts and the last one ends. */
let spanFrom: u32 = 0;
let spanTo: u32 = 0;

/** What was loaded early: nobody reads it, but loads whose values go nowhere would be left out. */
let touched: u32 = 0;

/** Where the bytes of keys are written. */
export function bytesStart(): usize {
  return BYTES;
}

/** How many there may be. */
export function bytesMax(): u32 {
  return BYTES_MAX;
}

/** How many rows a call may have. */
export function rowsMax(): u32 {
  return ROWS_MAX;
}

/** Where each key's start is written, u32. */
export function startsStart(): usize {
  return STARTS;
}

/** Where each key's end is written, u32. */
export function endsStart(): usize {
  return ENDS;
}

/** Where each key's group is written, u16. */
export function groupsStart(): usize {
  return GROUPS;
}

/** Where each key's slot is, u32. */
export function slotsStart(): usize {
  return SLOTS;
}

/** Random numbers that `open` takes from the bytes, 8 bytes each. */
export function seedCount(): u32 {
  return SEEDS;
}

/** Makes a table; 0 if there is no memory left. */
export function open(): usize {
  return openTable(BYTES);
}

/** Slots in use. */
export function size(table: usize): u32 {
  return load<u32>(table, SIZE);
}

/** Slots given out so far. */
export function capacity(table: usize): u32 {
  return load<u32>(table, CAPACITY);
}

/** Finds out which bytes the keys span; false if one ends before it starts. */
export function measure(count: u32): bool {
  let from: u32 = 0xffffffff;
  let to: u32 = 0;
  let isRight = true;
  for (let row: u32 = 0; row < count; row++) {
    const at = (row as usize) << 2;
    const start = load<u32>(at, STARTS);
    const end = load<u32>(at, ENDS);
    from = min(from, start);
    to = max(to, end);
    isRight = isRight && start <= end;
  }
  spanFrom = from;
  spanTo = to;
  return isRight;
}

/** Where the first key starts, counted as the starts are. */
export function spanStart(): u32 {
  return spanFrom;
}

/** Where the last key ends. */
export function spanEnd(): u32 {
  return spanTo;
}

/**
 * Slots of keys that are bytes, counted from `base`. How many keys have one: less than `count` without memory.
 *
 * First the hashes of some keys, then loads of what these keys need, then comparisons: so the loads need not wait for
 * each other, and a table that is too large for the processor's cache takes half the time.
 */
export function byteSlots(table: usize, base: usize, count: u32, kind: u32): u32 {
  const seeds = table + TABLE_SEEDS;
  for (let from: u32 = 0; from < count; from += TOUCHED_ROWS) {
    const to = min(from + TOUCHED_ROWS, count);
    for (let row = from; row < to; row++) {
      const at = (row as usize) << 2;
      const start = load<u32>(at, STARTS);
      const length = load<u32>(at, ENDS) - start;
      store<u32>(at, hashBytes(seeds, base + start, length, headOf(length, kind)), HASHES);
    }
    touch(table, from, to);
    for (let row = from; row < to; row++) {
      const at = (row as usize) << 2;
      const start = load<u32>(at, STARTS);
      const length = load<u32>(at, ENDS) - start;
      const head = headOf(length, kind);
      const hash = load<u32>(at, HASHES);
      let entry = findEntry(table, base + start, length, head, hash);
      if (entry == 0) {
        entry = insertEntry(table, base + start, length, head, hash, groupOf(row));
        if (entry == 0) return row;
      }
      store<u32>(at, load<u32>(entry, SLOT), SLOTS);
    }
  }
  return count;
}

/** Slots of numbers, which stand one after the other. As {@linkcode byteSlots}. */
export function numberSlots(table: usize, count: u32): u32 {
  const seeds = table + TABLE_SEEDS;
  const head = headOf(8, NUMBER_KIND);
  for (let from: u32 = 0; from < count; from += TOUCHED_ROWS) {
    const to = min(from + TOUCHED_ROWS, count);
    for (let row = from; row < to; row++) {
      const number = BYTES + ((row as usize) << 3);
      // 0 and -0 are one key.
      const value = load<f64>(number) + 0.0;
      store<f64>(number, value);
      store<u32>((row as usize) << 2, hashWord(seeds, reinterpret<u64>(value), head), HASHES);
    }
    touch(table, from, to);
    for (let row = from; row < to; row++) {
      const key = BYTES + ((row as usize) << 3);
      const hash = load<u32>((row as usize) << 2, HASHES);
      let entry = findNumber(table, load<u64>(key), head, hash);
      if (entry == 0) {
        entry = insertEntry(table, key, 8, head, hash, groupOf(row));
        if (entry == 0) return row;
      }
      store<u32>((row as usize) << 2, load<u32>(entry, SLOT), SLOTS);
    }
  }
  return count;
}

/** Loads what the keys will be compared with. */
function touch(table: usize, from: u32, to: u32): void {
  let sum: u32 = 0;
  for (let row = from; row < to; row++) {
    sum ^= load<u32>(load<usize>(bucketFor(table, load<u32>((row as usize) << 2, HASHES))), HASH);
  }
  touched = sum;
}

@inline
function groupOf(row: u32): u32 {
  return load<u16>((row as usize) << 1, GROUPS);
}

/** The hash of the key that the bytes begin with; `head` is its kind, plus 4 times its length. */
export function hashOf(table: usize, head: u32): u32 {
  return hashBytes(table + TABLE_SEEDS, BYTES, lengthIn(head), head);
}

/** The slot of the key that the bytes begin with, or -1. */
export function find(table: usize, head: u32): i32 {
  const entry = findEntry(table, BYTES, lengthIn(head), head, hashOf(table, head));
  return entry == 0 ? NO_SLOT : load<i32>(entry, SLOT);
}

/** The slot of the key that the bytes begin with, a new one if it had none; -1 without memory. */
export function slotOf(table: usize, head: u32, group: u32): i32 {
  const length = lengthIn(head);
  const hash = hashOf(table, head);
  let entry = findEntry(table, BYTES, length, head, hash);
  if (entry == 0) entry = insertEntry(table, BYTES, length, head, hash, group);
  return entry == 0 ? NO_SLOT : load<i32>(entry, SLOT);
}

/** Forgets the keys of slots. How many: less than `count` if the next has no key. */
export function release(table: usize, count: u32): u32 {
  for (let row: u32 = 0; row < count; row++) {
    if (!removeEntry(table, load<u32>((row as usize) << 2, SLOTS))) return row;
  }
  return count;
}

/** Copies the key of a slot to the bytes. Its kind, plus 4 times its length; -1 if the slot is not in use. */
export function readKey(table: usize, slot: u32): i32 {
  const entry = entryInUse(table, slot);
  if (entry == 0) return -1;
  copyKey(entry, BYTES);
  return load<i32>(entry, HEAD);
}

/** The group of a slot's key; -1 if the slot is not in use. */
export function groupAt(table: usize, slot: u32): i32 {
  const entry = entryInUse(table, slot);
  return entry == 0 ? -1 : load<u16>(entry, GROUP) as i32;
}

/** The first slot in use that is not below `from`, or -1. */
export function nextSlot(table: usize, from: u32): i32 {
  const end = load<u32>(table, CAPACITY);
  for (let slot = from; slot < end; slot++) if (entryInUse(table, slot) != 0) return slot;
  return NO_SLOT;
}
