/**
 * The keys of a keyed stage on one worker, each with a slot: a small whole number by which its state is found. Keys are
 * kept as bytes in WebAssembly, where a batch is looked up in one call; none becomes a string before somebody asks.
 *
 * A table is a linear hash table (Litwin 1980), which grows by a bucket at a time, so that there is no pause however many
 * keys there are. Its hash is seeded: whoever sends keys can't choose them to collide.
 *
 * @module
 */

import type { Key } from "../key.ts";
import type { Random } from "../random.ts";
import { expectGroup, expectRows, noMemory, notInUse, tooLong } from "./key_table/key_errors.ts";
import { type KeyMemory, threadKeyMemory } from "./key_table/key_memory.ts";
import { KeyKind, readKey, writeKey, writeTexts } from "./key_table/key_text.ts";

/** What {@linkcode KeyTable.find} says of a key that has no slot. */
export const NO_SLOT = -1;

/** Slots released before the module is told: telling it of each one takes longer than what it does then. */
export const RELEASED_SLOTS_MAX = 4096;

const UINT32_VALUES = 2 ** 32;

/**
 * Keys and their slots. A key is a string or a finite number; `"1"` and `1` are two keys, `0` and `-0` are one. Slots
 * count from 0, and those that are free are given out again, the last one first.
 *
 * Any number of tables of a thread share one memory. Once that is full, whatever needs more throws a RangeError; keys that
 * had a slot before have it still.
 *
 * @example A batch of keys
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { seededRandom } from "../random.ts";
 * import { KeyTable } from "./key_table.ts";
 * const table = new KeyTable(seededRandom(1));
 * const slots = new Uint32Array(3);
 * table.slotsOf(["a", "b", "a"], [0, 7, 0], 3, slots);
 * assertEquals(slots, new Uint32Array([0, 1, 0]));
 * assertEquals([table.keyAt(1), table.groupAt(1)], ["b", 7]);
 * table.close();
 * ```
 */
export class KeyTable {
  readonly #memory: KeyMemory;
  readonly #released = new Uint32Array(RELEASED_SLOTS_MAX);
  #releasedCount = 0;
  /** Its address in the module's memory; 0 once it is closed. */
  #address = 0;

  /**
   * @param random seeds the hash
   * @throws {RangeError} if there is no memory left
   */
  constructor(random: Random, memory: KeyMemory = threadKeyMemory) {
    this.#memory = memory;
    const { module, areas } = memory;
    const seeds = new Uint32Array(areas.bytes.buffer, module.bytesStart(), 2 * module.seedCount());
    for (let i = 0; i < seeds.length; i++) seeds[i] = Math.floor(random() * UINT32_VALUES);
    const address = module.open();
    if (address === 0) throw noMemory("Cannot open a key table");
    this.#address = address;
  }

  /**
   * Slots of keys that stand as UTF-8 in `bytes`: key i is `bytes.subarray(starts[i], ends[i])`. A key that has no slot
   * gets one, and `groups[i]` is kept with it.
   *
   * @param count how many keys
   * @param slots where slot i is written to
   * @throws {RangeError} if a key is not within the bytes, or there is no memory left
   *
   * @example Keys cut from a text
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { seededRandom } from "../random.ts";
   * import { KeyTable } from "./key_table.ts";
   * const table = new KeyTable(seededRandom(1));
   * const bytes = new TextEncoder().encode("hotel-1hotel-2");
   * const slots = new Uint32Array(2);
   * table.stringSlots(bytes, new Uint32Array([0, 7]), new Uint32Array([7, 14]), [3, 4], 2, slots);
   * assertEquals([...slots].map((slot) => table.keyAt(slot)), ["hotel-1", "hotel-2"]);
   * table.close();
   * ```
   */
  stringSlots(
    bytes: Uint8Array,
    starts: Uint32Array,
    ends: Uint32Array,
    groups: ArrayLike<number>,
    count: number,
    slots: Uint32Array,
  ): void {
    const address = this.#current();
    expectRows(count, { starts, ends, groups, slots });
    const { module, bytesMax, rowsMax } = this.#memory;
    for (let from = 0; from < count;) {
      let rows = Math.min(count - from, rowsMax);
      const { areas } = this.#memory;
      areas.starts.set(starts.subarray(from, from + rows));
      areas.ends.set(ends.subarray(from, from + rows));
      this.#measure(rows, bytes);
      while (module.spanEnd() - module.spanStart() > bytesMax) {
        if (rows === 1) throw tooLong(module.spanEnd() - module.spanStart(), bytesMax);
        rows = rows >>> 1;
        this.#measure(rows, bytes);
      }
      const start = module.spanStart();
      areas.bytes.set(bytes.subarray(start, module.spanEnd()));
      this.#copyGroups(groups, from, rows);
      const done = module.byteSlots(address, module.bytesStart() - start, rows, KeyKind.UTF8);
      this.#copySlots(slots, from, rows, done);
      from += rows;
    }
  }

  /**
   * The same for keys that are numbers.
   *
   * @throws {RangeError} if there is no memory left
   */
  numberSlots(
    numbers: Float64Array,
    groups: ArrayLike<number>,
    count: number,
    slots: Uint32Array,
  ): void {
    const address = this.#current();
    expectRows(count, { numbers, groups, slots });
    const { module, rowsMax } = this.#memory;
    for (let from = 0; from < count; from += rowsMax) {
      const rows = Math.min(count - from, rowsMax);
      this.#memory.areas.numbers.set(numbers.subarray(from, from + rows));
      this.#copyGroups(groups, from, rows);
      this.#copySlots(slots, from, rows, module.numberSlots(address, rows));
    }
  }

  /**
   * The same for keys as values, strings and numbers mixed; fastest for runs of one kind.
   *
   * @throws {RangeError} if a key is too long, or there is no memory left
   */
  slotsOf(
    keys: readonly Key[],
    groups: ArrayLike<number>,
    count: number,
    slots: Uint32Array,
  ): void {
    this.#current();
    expectRows(count, { keys, groups, slots });
    let from = 0;
    for (let rows = 1; from < count && rows > 0; from += rows) {
      rows = typeof keys[from] === "number"
        ? this.#numberRun(keys, groups, from, count, slots)
        : this.#textRun(keys, groups, from, count, slots);
    }
    // A string that has no UTF-8 or is very long: so rare that what follows may be slow as well.
    for (; from < count; from++) slots[from] = this.slotOf(keys[from] ?? "", groups[from] ?? 0);
  }

  /**
   * The slot of one key; a key that has none gets one.
   *
   * @throws {RangeError} if it is too long, or there is no memory left
   */
  slotOf(key: Key, group: number): number {
    const address = this.#current();
    expectGroup(group);
    const head = writeKey(this.#memory.areas, key);
    const slot = this.#memory.module.slotOf(address, head, group);
    if (slot === NO_SLOT) throw this.#full();
    return slot;
  }

  /** The slot of a key, or `NO_SLOT`. */
  find(key: Key): number {
    const address = this.#current();
    return this.#memory.module.find(address, writeKey(this.#memory.areas, key));
  }

  /**
   * The key of a slot: a string is made each time.
   *
   * @throws {RangeError} if the slot is not in use
   */
  keyAt(slot: number): Key {
    const head = this.#memory.module.readKey(this.#current(), slot);
    if (head === NO_SLOT) throw notInUse("tell the key of", slot);
    return readKey(this.#memory.areas, head);
  }

  /**
   * The key group that was given with the key when it got this slot.
   *
   * @throws {RangeError} if the slot is not in use
   */
  groupAt(slot: number): number {
    const group = this.#memory.module.groupAt(this.#current(), slot);
    if (group === NO_SLOT) throw notInUse("tell the key group of", slot);
    return group;
  }

  /**
   * The same for a slot that is known to be in use: cheaper, since the module need not be told first of what was released.
   *
   * @throws {RangeError} if the slot has never been in use, or was told to be free
   */
  groupOf(slot: number): number {
    const group = this.#memory.module.groupAt(this.#opened(), slot);
    if (group === NO_SLOT) throw notInUse("tell the key group of", slot);
    return group;
  }

  /**
   * Forgets a key; its slot goes to a key that has none. Cheap: slots are collected, and the module is told of all in the
   * next call. That call throws a RangeError if one of them had no key.
   */
  release(slot: number): void {
    if (this.#releasedCount === RELEASED_SLOTS_MAX) this.#current();
    this.#released[this.#releasedCount++] = slot;
  }

  /** Slots in use. */
  get size(): number {
    return this.#memory.module.size(this.#current());
  }

  /** All slots given out so far are below it. */
  get capacity(): number {
    return this.#memory.module.capacity(this.#opened());
  }

  /** Slots in use, in order. Those released, or given out, while they are being gone through may come or not. */
  *slots(): Generator<number, void> {
    const { module } = this.#memory;
    let slot = module.nextSlot(this.#current(), 0);
    while (slot !== NO_SLOT) {
      yield slot;
      slot = module.nextSlot(this.#current(), slot + 1);
    }
  }

  /** Frees its memory for other tables. Nothing can be asked of it any more; closing it again does nothing. */
  close(): void {
    if (this.#address === 0) return;
    this.#memory.module.close(this.#address);
    this.#address = 0;
    this.#releasedCount = 0;
  }

  #opened(): number {
    if (this.#address === 0) {
      throw new TypeError("Cannot use a key table that is closed: open another one");
    }
    return this.#address;
  }

  /** The address of the table, from which all that was released is gone. */
  #current(): number {
    const address = this.#opened();
    const count = this.#releasedCount;
    if (count === 0) return address;
    this.#releasedCount = 0;
    const { module, areas } = this.#memory;
    areas.slots.set(this.#released.subarray(0, count));
    const done = module.release(address, count);
    if (done < count) throw notInUse("release", this.#released[done]);
    return address;
  }

  #measure(rows: number, bytes: Uint8Array): void {
    const { module } = this.#memory;
    if (module.measure(rows) === 0 || module.spanEnd() > bytes.length) {
      throw new RangeError(
        `Cannot look up keys that are not within ${bytes.length} bytes: give starts and ends that are`,
      );
    }
  }

  #copyGroups(groups: ArrayLike<number>, from: number, rows: number): void {
    const { areas } = this.#memory;
    if (groups instanceof Uint16Array) {
      areas.groups.set(groups.subarray(from, from + rows));
      return;
    }
    for (let row = 0; row < rows; row++) {
      areas.groups[row] = expectGroup(groups[from + row]);
    }
  }

  /** @param done how many rows have a slot */
  #copySlots(slots: Uint32Array, from: number, rows: number, done: number): void {
    if (done < rows) throw this.#full();
    slots.set(this.#memory.areas.slots.subarray(0, rows), from);
  }

  /** Looks up the numbers from a row on up to the next key that is none; how many. */
  #numberRun(
    keys: readonly Key[],
    groups: ArrayLike<number>,
    from: number,
    count: number,
    slots: Uint32Array,
  ): number {
    const { areas, module, rowsMax } = this.#memory;
    const end = Math.min(count, from + rowsMax);
    let rows = 0;
    for (; from + rows < end; rows++) {
      const key = keys[from + rows];
      if (typeof key !== "number") break;
      areas.numbers[rows] = key;
    }
    this.#copyGroups(groups, from, rows);
    this.#copySlots(slots, from, rows, module.numberSlots(this.#address, rows));
    return rows;
  }

  /** The same for strings; 0 if the first can only be looked up alone. */
  #textRun(
    keys: readonly Key[],
    groups: ArrayLike<number>,
    from: number,
    count: number,
    slots: Uint32Array,
  ): number {
    const { areas, module } = this.#memory;
    const rows = writeTexts(areas, keys, from, count);
    if (rows === 0) return 0;
    this.#copyGroups(groups, from, rows);
    const done = module.byteSlots(this.#address, module.bytesStart(), rows, KeyKind.UTF8);
    this.#copySlots(slots, from, rows, done);
    return rows;
  }

  #full(): RangeError {
    return noMemory(`Cannot keep another key beside ${this.size}`);
  }
}
