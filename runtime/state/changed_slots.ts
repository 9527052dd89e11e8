/**
 * What has changed of a stage's keyed state: the slots whose keys have changed and the keys that have gone, since a
 * checkpoint last took them. A key group that moves to another worker asks the same of the time in which it was copied.
 *
 * @module
 */

import type { Key } from "../key.ts";
import { ColumnCodecs } from "./key_changes.ts";
import type { KeyedState } from "./keyed_state.ts";
import { type DeletedKeys, StateChanges, type TakenChanges } from "./state_changes.ts";
import { HELD, SEGMENT_SLOTS, SLOT_MASK, SlotMark } from "./state_segment.ts";

/** Changes below which it doesn't matter whether all keys are taken instead. */
export const WHOLE_CHANGES_MIN = 1000;

/** Keys that go between two looks at whether all keys will be taken in any case. */
const WHOLE_LOOK_KEYS = 256;

/** The changes of one {@linkcode KeyedState}. */
export class ChangedSlots {
  /** Whether anybody takes changes. */
  isTaken = true;
  readonly #state: KeyedState;
  /** Slots that are marked as changed. */
  #slots: number[] = [];
  /** Slots that have changed before a copy began, and are not marked any more, or again. */
  #older: number[] = [];
  /** Keys that have gone since changes were last taken, and that checkpoints know. */
  #deleted: DeletedKeys = { keys: [], groups: [] };
  /** How many of those had gone before the last copy began. */
  #deletedBefore = 0;
  /** Whether all keys are to be taken next, and not only those that have changed. */
  #isWholeNext = false;
  /** Whether a copy has begun since changes were last taken: it must know what has gone, whatever is taken next. */
  #isCopied = false;
  /** Key groups of which nothing that was kept before is built upon: all their keys are marked as changed. */
  #bases = new Set<number>();
  /** What was taken last, as long as nobody has said what became of it. */
  #taken: StateChanges | undefined;
  /** Those of all that is encoded of the state: what they learn of its shapes is code, which is not to be made anew. */
  readonly codecs = new ColumnCodecs();

  constructor(state: KeyedState) {
    this.#state = state;
  }

  /** A slot has been marked as changed. */
  add(slot: number): void {
    this.#slots.push(slot);
  }

  /** Whether nobody asks which keys have gone: all keys are taken next, and nothing is being copied. */
  get isWholeNext(): boolean {
    return this.#isWholeNext && !this.#isCopied;
  }

  /** A key that checkpoints know has gone. */
  addDeleted(key: Key, group: number): void {
    const { keys, groups } = this.#deleted;
    keys.push(key);
    groups.push(group);
    if (keys.length % WHOLE_LOOK_KEYS === 0) this.#look();
  }

  /** The key in a slot is about to change, and a checkpoint still has to read what it has: that is done now. */
  capture(slot: number): void {
    this.#taken?.capture(slot);
  }

  /** Has the next changes taken be all keys: nothing that was kept before is built upon. */
  takeWholeNext(): void {
    this.#isWholeNext = true;
  }

  /** The same for one key group, whose keys are all marked as changed: it has come from another worker. */
  takeBaseNext(group: number): void {
    this.#bases.add(group);
  }

  /**
   * Everything that has changed since changes were last taken, as it is now. Takes a few nanoseconds a key: what has
   * changed is read by {@linkcode StateChanges.step}, while turns go on. Where half of what there is has changed, or more,
   * all of it is taken: that is less than what has changed and what has gone, and needs no merging later.
   *
   * @throws {Error} if nobody has said what became of those taken before
   */
  take(): StateChanges {
    if (this.#taken !== undefined) {
      throw new Error(
        "Cannot take changes of state: those taken before are still open; call committed() or aborted() on them first",
      );
    }
    const { kept } = this.#state;
    const slots = this.#older.length === 0 ? this.#slots : [...this.#older, ...this.#slots];
    const deleted = this.#deleted;
    const bases = this.#bases;
    const changes = slots.length + deleted.keys.length;
    const isWhole = this.#isWholeNext || (changes >= WHOLE_CHANGES_MIN && 2 * changes > kept);
    this.#older = [];
    this.#slots = [];
    this.#deleted = { keys: [], groups: [] };
    this.#bases = new Set();
    this.#isWholeNext = false;
    this.#isCopied = false;
    if (isWhole) {
      return this.#open({
        slots: this.#markAll(slots),
        deleted: { keys: [], groups: [] },
        isWhole,
        bases: new Set<number>(),
      });
    }
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i] ?? 0;
      const { numbers } = this.#state.segmentOf(slot);
      const at = (slot & SLOT_MASK) * this.#state.numberStride;
      const marks = (numbers[at] ?? 0) & ~SlotMark.CHANGED;
      // A key that is stored and has nothing any more, but rows that wait, will be read as deleted.
      numbers[at] = (marks & HELD) !== 0
        ? marks | SlotMark.PENDING | SlotMark.STORED
        : (marks & SlotMark.STORED) !== 0
        ? (marks | SlotMark.PENDING) & ~SlotMark.STORED
        : marks;
    }
    return this.#open({ slots, deleted, isWhole, bases });
  }

  /** What was taken last needs nothing any more. */
  committed(): void {
    this.#taken = undefined;
  }

  /** What was taken last counts as changed again. */
  aborted({ slots, deleted: { keys, groups }, isWhole, bases }: TakenChanges): void {
    this.#taken = undefined;
    // What had gone before is not known any more: only another whole makes up for it.
    if (isWhole) this.#isWholeNext = true;
    for (const group of bases) this.#bases.add(group);
    for (const slot of slots) {
      const { numbers } = this.#state.segmentOf(slot);
      const at = (slot & SLOT_MASK) * this.#state.numberStride;
      const marks = numbers[at] ?? 0;
      if ((marks & SlotMark.PENDING) !== 0) {
        numbers[at] = (marks & HELD) !== 0
          ? marks & ~SlotMark.PENDING
          : (marks | SlotMark.STORED) & ~SlotMark.PENDING;
      }
      this.#state.change(slot);
    }
    for (let i = 0; i < keys.length; i++) this.addDeleted(keys[i] ?? "", groups[i] ?? 0);
  }

  /**
   * Puts some of what has changed among what had changed before a copy, so that little is left to do when that begins.
   *
   * @param most slots
   * @returns whether there may be as many again
   */
  age(most: number): boolean {
    const some = this.#slots.splice(-most);
    const state = this.#state;
    for (const slot of some) {
      const { numbers } = state.segmentOf(slot);
      const at = (slot & SLOT_MASK) * state.numberStride;
      numbers[at] = (numbers[at] ?? 0) & ~SlotMark.CHANGED;
      if (this.isTaken) this.#older.push(slot);
    }
    return this.#slots.length >= most;
  }

  /** A copy of some keys begins: what changes from now on can be told from what has changed before. */
  beginCopy(): void {
    this.#isCopied = true;
    if (this.#slots.length > 0) this.age(this.#slots.length);
    if (!this.isTaken) this.#deleted = { keys: [], groups: [] };
    this.#deletedBefore = this.#deleted.keys.length;
  }

  /** What a slot has has been copied: when its key goes that is to be told. */
  copied(slot: number): void {
    const { numbers } = this.#state.segmentOf(slot);
    const at = (slot & SLOT_MASK) * this.#state.numberStride;
    numbers[at] = (numbers[at] ?? 0) | SlotMark.STORED;
  }

  /** Slots that have changed since the last copy began. */
  get sinceCopy(): readonly number[] {
    return this.#slots;
  }

  /** Keys of these groups that have gone since the last copy began; some may be back. */
  deletedSinceCopy(of: ReadonlySet<number>): Key[] {
    const { keys, groups } = this.#deleted;
    const gone: Key[] = [];
    for (let i = this.#deletedBefore; i < keys.length; i++) {
      if (of.has(groups[i] ?? 0)) gone.push(keys[i] ?? "");
    }
    return gone;
  }

  /** Key groups have gone to another worker: what has gone of them before is that worker's business. */
  forget(of: ReadonlySet<number>): void {
    const { keys, groups } = this.#deleted;
    const left: DeletedKeys = { keys: [], groups: [] };
    let before = this.#deletedBefore;
    for (const [at, group] of groups.entries()) {
      if (of.has(group)) {
        if (at < this.#deletedBefore) before--;
        continue;
      }
      left.keys.push(keys[at] ?? "");
      left.groups.push(group);
    }
    this.#deleted = left;
    this.#deletedBefore = before;
    for (const group of of) this.#bases.delete(group);
  }

  /**
   * Whether all keys will be taken next, whatever comes: then the names of those that have gone are of no use any more.
   * Each key that is kept has either not changed, and such keys only become fewer, or is in a slot that is listed. So once
   * the changed slots, and the gone keys twice, are more than all that is kept, half of it will have changed.
   */
  #look(): void {
    const gone = this.#deleted.keys.length;
    const listed = this.#older.length + this.#slots.length;
    if (this.#isCopied || !this.isTaken || listed + gone < WHOLE_CHANGES_MIN) return;
    if (listed + 2 * gone <= this.#state.kept) return;
    this.#isWholeNext = true;
    this.#deleted = { keys: [], groups: [] };
  }

  #open(taken: TakenChanges): StateChanges {
    return this.#taken = new StateChanges(this.#state, taken, this.codecs);
  }

  /** Marks all keys to be read; their slots. `changed`: slots that are marked as changed. */
  #markAll(changed: readonly number[]): number[] {
    const state = this.#state;
    const { numberStride } = state;
    for (const slot of changed) {
      const { numbers } = state.segmentOf(slot);
      const at = (slot & SLOT_MASK) * numberStride;
      // A key that has nothing any more is not in what is taken: there is nothing to delete.
      numbers[at] = (numbers[at] ?? 0) & ~(SlotMark.CHANGED | SlotMark.STORED);
    }
    const slots: number[] = [];
    for (let first = 0; first < state.slotsEnd; first += SEGMENT_SLOTS) {
      const { numbers } = state.segmentOf(first);
      for (let index = 0; index < SEGMENT_SLOTS; index++) {
        const marks = numbers[index * numberStride] ?? 0;
        if ((marks & HELD) === 0) continue;
        numbers[index * numberStride] = marks | SlotMark.PENDING | SlotMark.STORED;
        slots.push(first + index);
      }
    }
    return slots;
  }
}
