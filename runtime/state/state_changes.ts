/**
 * What a checkpoint takes of a stage's keyed state: all that has changed since the one before, as it was when it was
 * taken. It is read and encoded a piece at a time, between turns; a key that a turn is about to change before its piece
 * has come is read then (copy on write).
 *
 * @module
 */

import { type ColumnCodecs, encodeChanges } from "./key_changes.ts";
import type { KeyedState } from "./keyed_state.ts";
import type { Key } from "../key.ts";
import { plantedBugs } from "../testing/planted_bugs.ts";
import { GroupChanges } from "./group_changes.ts";
import { HELD, SLOT_MASK, SlotMark } from "./state_segment.ts";

/** Slots that are put with their groups in the time in which one is read and encoded. */
const SORTED_PER_KEY = 8;

/** Keys that have gone, with their key groups. */
export interface DeletedKeys {
  readonly keys: Key[];
  readonly groups: number[];
}

/** What was taken. */
export interface TakenChanges {
  /** Marked as pending; some may stand here twice. */
  readonly slots: readonly number[];
  readonly deleted: DeletedKeys;
  /** Whether it is all that there is. */
  readonly isWhole: boolean;
  /** Key groups of which it is all that there is. */
  readonly bases: ReadonlySet<number>;
}

/** What has changed in a key group. */
export interface StateChunk {
  readonly group: number;
  /** Keys in it that have state or timers. */
  readonly keys: number;
  /** Keys in it that have gone. */
  readonly deleted: number;
  /** Whether it is all that the group has. */
  readonly isBase: boolean;
  /** As `encodeChanges` makes them. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Changes that were taken, until somebody says what became of them: `committed` or `aborted`.
 *
 * @example A checkpoint of one key
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { seededRandom } from "../random.ts";
 * import { decodeChanges } from "./key_changes.ts";
 * import { KeyedState } from "./keyed_state.ts";
 * import { handlesOf, StateCursor } from "./memory_state.ts";
 * import { store } from "./state.ts";
 * const specs = { sum: store.value(0) };
 * const keyed = new KeyedState(specs, seededRandom(1));
 * const cursor = new StateCursor(keyed);
 * const { sum } = handlesOf(specs, cursor);
 * const turn = (value: number) => {
 *   const slot = keyed.enterKey("a", 7);
 *   cursor.begin(slot);
 *   sum.value = value;
 *   cursor.commit();
 *   keyed.leave(slot);
 * };
 * turn(5);
 * const changes = keyed.takeChanges();
 * turn(6);
 * while (!changes.step(1000));
 * const [chunk] = changes.chunks.map(({ group, bytes }) => ({ group, ...decodeChanges(bytes) }));
 * changes.committed();
 * assertEquals([chunk?.group, chunk?.keys, chunk?.cells], [7, ["a"], [[5]]]);
 * ```
 */
export class StateChanges {
  readonly #state: KeyedState;
  readonly #taken: TakenChanges;
  readonly #slots: readonly number[];
  /** Those found while slots are read come behind. */
  readonly #deleted: DeletedKeys;
  readonly #deletedAtFirst: number;
  readonly #codecs: ColumnCodecs;
  readonly #groups = new Map<number, GroupChanges>();
  readonly #chunks: StateChunk[] = [];
  /** Slots put with their groups so far. */
  #sorted = 0;
  /** Groups that are not encoded yet, the next one last; undefined until all slots are sorted. */
  #groupsLeft: number[] | undefined;
  #isOpen = true;

  /** Whether it is all that there is: chunks are bases, and a key group without one has nothing. */
  readonly isWhole: boolean;

  /** Made by {@linkcode KeyedState.takeChanges}, which has marked the slots. */
  constructor(state: KeyedState, taken: TakenChanges, codecs: ColumnCodecs) {
    this.#state = state;
    this.#taken = taken;
    this.isWhole = taken.isWhole;
    this.#slots = taken.slots;
    this.#deleted = taken.deleted;
    this.#deletedAtFirst = taken.deleted.keys.length;
    this.#codecs = codecs;
  }

  /** Whether all has been read and encoded. */
  get done(): boolean {
    return this.#groupsLeft?.length === 0;
  }

  /**
   * A chunk for each key group in which something has changed, in order of groups.
   *
   * @throws {Error} if `step` has not come to the end
   */
  get chunks(): readonly StateChunk[] {
    if (!this.done) {
      throw new Error(
        "Cannot give the chunks of changes that are not all read: call step() until it returns true",
      );
    }
    return this.#chunks;
  }

  /**
   * Reads and encodes more: about so many keys, but whole key groups, so that maps need no copies.
   *
   * @param keys at least 1
   * @returns whether all is done
   * @throws {TypeError} if a content can't be cloned, naming state and key: then call `aborted`
   * @throws {Error} after `committed` or `aborted`
   */
  step(keys: number): boolean {
    this.#expectOpen("read");
    let left = keys - this.#sort(keys * SORTED_PER_KEY) / SORTED_PER_KEY;
    while (this.#groupsLeft !== undefined && left > 0) {
      const group = this.#groupsLeft.at(-1);
      if (group === undefined) break;
      left -= this.#encode(group);
      this.#groupsLeft.pop();
    }
    return this.done;
  }

  /** Reads what a slot's key has, which is about to change, or to go. The slot is marked as pending. */
  capture(slot: number): void {
    if (!this.#state.takePending(slot)) return;
    const group = this.#state.keys.groupOf(slot);
    const changes = this.#groupAt(group);
    if ((this.#state.marksOf(slot) & HELD) === 0) this.#gone(slot, group, changes);
    else changes.capture(slot);
  }

  /**
   * The checkpoint is complete: what has been taken needs not be taken again.
   *
   * @throws {Error} if not all has been read, or after `committed` or `aborted`
   */
  committed(): void {
    this.#expectOpen("commit");
    if (!this.done) {
      throw new Error(
        "Cannot commit changes that are not all read: call step() until it returns true, or aborted()",
      );
    }
    this.#isOpen = false;
    this.#state.changed.committed();
  }

  /**
   * There will be no checkpoint: what has been taken counts as changed again.
   *
   * @throws {Error} after `committed` or `aborted`
   */
  aborted(): void {
    this.#expectOpen("abort");
    this.#isOpen = false;
    this.#groups.clear();
    this.#state.changed.aborted(this.#taken);
  }

  #expectOpen(what: string): void {
    if (this.#isOpen) return;
    throw new Error(
      `Cannot ${what} changes that were committed or aborted: take others with takeChanges()`,
    );
  }

  /** Puts up to so many slots, and all keys that have gone, with their groups; how many. */
  #sort(most: number): number {
    if (this.#groupsLeft !== undefined) return 0;
    const state = this.#state;
    const from = this.#sorted;
    const end = Math.min(this.#slots.length, from + most);
    for (; this.#sorted < end; this.#sorted++) {
      const slot = this.#slots[this.#sorted] ?? 0;
      if ((state.marksOf(slot) & SlotMark.PENDING) === 0) continue;
      if (this.#sorted % 3 === 2 && plantedBugs.has("dirty key missed")) {
        state.takePending(slot);
        continue;
      }
      this.#groupAt(state.keys.groupOf(slot)).slots.push(slot);
    }
    if (end < this.#slots.length) return end - from;
    const { keys, groups } = this.#deleted;
    for (let i = 0; i < this.#deletedAtFirst; i++) {
      this.#groupAt(groups[i] ?? 0).deleted.add(keys[i] ?? "");
    }
    for (const group of this.#taken.bases) this.#groupAt(group);
    this.#groupsLeft = [...this.#groups.keys()].sort((a, b) => b - a);
    return end - from;
  }

  #groupAt(group: number): GroupChanges {
    let changes = this.#groups.get(group);
    if (changes === undefined) {
      this.#groups.set(group, changes = new GroupChanges(this.#state, group));
    }
    return changes;
  }

  /** Encodes what has changed in a group; how many keys. */
  #encode(group: number): number {
    const changes = this.#groupAt(group);
    const { slots, keys, deleted } = changes;
    const state = this.#state;
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i] ?? 0;
      const { numbers } = state.segmentOf(slot);
      const at = (slot & SLOT_MASK) * state.numberStride;
      const marks = numbers[at] ?? 0;
      if ((marks & SlotMark.PENDING) === 0) continue;
      numbers[at] = marks & ~SlotMark.PENDING;
      if ((marks & HELD) !== 0) changes.add(slot, marks);
      else this.#gone(slot, group, changes);
    }
    // A key that is back says itself what it has.
    if (deleted.size > 0) { for (const key of keys) deleted.delete(key); }
    const handled = keys.length + deleted.size;
    const isBase = this.isWhole || this.#taken.bases.has(group);
    if (handled > 0 || isBase) {
      const bytes = encodeChanges(changes.read(), this.#codecs);
      this.#chunks.push({ group, keys: keys.length, deleted: deleted.size, isBase, bytes });
    }
    this.#groups.delete(group);
    return handled;
  }

  /** A slot's key has nothing any more. */
  #gone(slot: number, group: number, changes: GroupChanges): void {
    const key = this.#state.readKey(slot);
    changes.deleted.add(key);
    this.#deleted.keys.push(key);
    this.#deleted.groups.push(group);
  }
}
