/**
 * The state of a stage's keys on one worker, by slot: a key is looked up once a batch (`key_table.ts`), and from then
 * on its cells are found by arithmetic. Cells are kept in segments, so that growing never copies what is there.
 *
 * A slot belongs to its key as long as the key has state or timers, or rows of it are waiting; then it goes to another
 * key.
 *
 * ```
 *            enter            leave, with state or timers
 *   free ───────────> waiting ───────────────────────────> kept
 *    ^                 │   ^                                │
 *    └──── leave ──────┘   └───────────── enter ────────────┘
 * ```
 *
 * Checkpoints take what has changed since the one before ({@linkcode KeyedState.takeChanges}). Taking only marks slots:
 * what is in them is read later, or when a turn is about to change it.
 *
 * @module
 */

import type { Key } from "../key.ts";
import type { Random } from "../random.ts";
import type { TimerListener } from "../time/timers.ts";
import { GroupTimers, type KeyTimer } from "./group_timers.ts";
import { ChangedSlots } from "./changed_slots.ts";
import type { KeyChanges } from "./key_changes.ts";
import type { KeyReader } from "./key_reader.ts";
import { KeyTable, NO_SLOT } from "./key_table.ts";
import { restoredColumns } from "./restored_columns.ts";
import type { StateChanges } from "./state_changes.ts";
import { HELD, SEGMENT_BITS, SLOT_MASK, SlotMark, StateSegment } from "./state_segment.ts";
import type { StateSpec, StateSpecs } from "./state.ts";

/** Whether a piece of state mostly holds a number: a value whose initial one is. */
export function holdsNumber({ kind, initial }: StateSpec<unknown>): boolean {
  return kind === "value" && typeof initial === "number";
}

/** The keys of a stage on one worker, and their state. */
export class KeyedState implements KeyReader {
  readonly keys: KeyTable;
  /** Cells of a slot, its key included, and cells for numbers, its marks included. */
  readonly stride: number;
  readonly numberStride: number;
  /** Declared state, in the order of cells. */
  readonly states: readonly string[];
  readonly kinds: readonly StateSpec<unknown>["kind"][];
  /** Keys with state or timers. */
  kept = 0;
  /** Key groups some of whose keys are here, though they are another worker's: on their way to here, or from here. */
  readonly elsewhere = new Set<number>();
  /** What has changed since a checkpoint last took it. */
  readonly changed: ChangedSlots;
  readonly #segments: StateSegment[] = [];
  /** By state, which of the cells for numbers it has; -1 for none. */
  readonly numberCells: readonly number[];
  /** By key group. */
  readonly #timers: (GroupTimers | undefined)[] = [];
  readonly #timerListener: TimerListener;
  /** What `touch` has seen: without a use nothing would be read. */
  #seen = 0;

  constructor(specs: StateSpecs, random: Random) {
    const declared = Object.values(specs);
    this.states = Object.keys(specs);
    this.kinds = declared.map(({ kind }) => kind);
    let numbers = 0;
    this.numberCells = declared.map((spec) => holdsNumber(spec) ? numbers++ : -1);
    this.stride = 1 + declared.length;
    this.numberStride = 1 + numbers;
    this.keys = new KeyTable(random);
    this.changed = new ChangedSlots(this);
    this.#timerListener = {
      changing: (slot) => {
        if ((this.marksOf(slot) & SlotMark.PENDING) !== 0) this.capture(slot);
        this.change(slot);
      },
      timed: (slot, isTimed) => this.#timed(slot, isTimed),
    };
  }

  /** The segment that has a slot's cells. */
  segmentOf(slot: number): StateSegment {
    return this.#segments[slot >>> SEGMENT_BITS] ?? this.#grow(slot);
  }

  /** Where in its segment a slot is. */
  static indexOf(slot: number): number {
    return slot & SLOT_MASK;
  }

  /** The key of a slot, the same value each time as long as the slot is its. */
  keyAt(slot: number): Key {
    const { cells } = this.segmentOf(slot);
    const at = (slot & SLOT_MASK) * this.stride;
    const known = cells[at];
    // Not asked for its type, which stands in the string: that may be far away, and often nobody needs it.
    if (known !== undefined) return known as Key;
    const key = this.keys.keyAt(slot);
    cells[at] = key;
    return key;
  }

  /**
   * Reads a little of what belongs to each of these slots, one look after the other with nothing between: the memory's
   * answers to all of them are waited for at once, and are at hand when they are needed.
   */
  touch(slots: Uint32Array, order: Uint32Array, from: number, to: number): void {
    let seen = 0;
    for (let at = from; at < to; at++) {
      const slot = slots[order[at] ?? 0] ?? 0;
      const { cells, numbers } = this.segmentOf(slot);
      const index = slot & SLOT_MASK;
      if (cells[index * this.stride] === undefined) seen++;
      seen += numbers[index * this.numberStride] ?? 0;
    }
    this.#seen = seen;
  }

  /** All slots that have cells are below it. */
  get slotsEnd(): number {
    return this.#segments.length << SEGMENT_BITS;
  }

  /** Rows of these keys wait from now on. */
  enter(slots: Uint32Array): void {
    for (let row = 0; row < slots.length; row++) this.#wait(slots[row] ?? 0);
  }

  /** The slot of one key, for which something waits from now on. */
  enterKey(key: Key, group: number): number {
    const slot = this.keys.slotOf(key, group);
    this.#wait(slot);
    return slot;
  }

  /** Something waits for the key that has this slot. */
  enterSlot(slot: number): void {
    this.#wait(slot);
  }

  /** What waited for a slot's key has been handled. */
  leave(slot: number): void {
    const { cells, numbers } = this.segmentOf(slot);
    const index = slot & SLOT_MASK;
    const at = index * this.numberStride;
    const left = (numbers[at] ?? 0) - SlotMark.ROW;
    numbers[at] = left;
    if (left >= SlotMark.ROW || (left & HELD) !== 0) return;
    if ((left & (SlotMark.PENDING | SlotMark.STORED)) !== 0) this.#remember(slot);
    numbers[at] = left & SlotMark.CHANGED;
    cells[index * this.stride] = undefined;
    this.keys.release(slot);
  }

  /** What {@linkcode SlotMark} says of a slot. */
  marksOf(slot: number): number {
    return this.segmentOf(slot).numbers[(slot & SLOT_MASK) * this.numberStride] ?? 0;
  }

  /** Timers that are set. */
  get timers(): number {
    return this.#timers.reduce((sum, of) => sum + (of?.size ?? 0), 0);
  }

  /** The timers of a key group: always the same object, which tells this state of changes. */
  timersOf(group: number): GroupTimers {
    return this.#timers[group] ??= new GroupTimers(this.#timerListener);
  }

  /** The key in a slot is about to change, and a checkpoint still has to read what it has: that is done now. */
  capture(slot: number): void {
    this.changed.capture(slot);
  }

  /** The key in a slot has changed. */
  change(slot: number): void {
    const { numbers } = this.segmentOf(slot);
    const at = (slot & SLOT_MASK) * this.numberStride;
    const marks = numbers[at] ?? 0;
    if ((marks & SlotMark.CHANGED) !== 0) return;
    numbers[at] = marks | SlotMark.CHANGED;
    this.changed.add(slot);
  }

  /** Everything that has changed since changes were last taken, as it is now: see {@linkcode ChangedSlots.take}. */
  takeChanges(): StateChanges {
    return this.changed.take();
  }

  /** Whether what the slot's key had is still to be read: it is, from now on, taken as read. */
  takePending(slot: number): boolean {
    const { numbers } = this.segmentOf(slot);
    const at = (slot & SLOT_MASK) * this.numberStride;
    const marks = numbers[at] ?? 0;
    if ((marks & SlotMark.PENDING) === 0) return false;
    numbers[at] = marks & ~SlotMark.PENDING;
    return true;
  }

  /** The key of a slot, without keeping it at hand. */
  readKey(slot: number): Key {
    const known = this.segmentOf(slot).cells[(slot & SLOT_MASK) * this.stride];
    return known === undefined ? this.keys.keyAt(slot) : known as Key;
  }

  /** What a piece of state holds for a slot's key: a value, the array of a list or a Map; undefined if nothing is set. */
  contentOf(slot: number, state: number): unknown {
    const { cells, numbers } = this.segmentOf(slot);
    const index = slot & SLOT_MASK;
    const numberCell = this.numberCells[state] ?? -1;
    if (numberCell >= 0) {
      const number = numbers[index * this.numberStride + 1 + numberCell];
      if (number === number) return number;
    }
    return cells[index * this.stride + 1 + state];
  }

  /**
   * Puts keys back as a checkpoint has them, timers included. They count as stored and as unchanged; what is deleted
   * in the changes was never there. Lists and maps become the state's own: don't use `changes` afterwards.
   *
   * @throws {RangeError} if there is state that is not declared
   * @throws {TypeError} if a list or map is declared where the content is something else
   * @throws {Error} if a key has state or timers already
   */
  restore(changes: KeyChanges, groupOf: (key: Key) => number): void {
    const columns = restoredColumns(changes, this.states, this.kinds);
    const { keys } = changes;
    const groups = keys.map(groupOf);
    const slots = new Uint32Array(keys.length);
    this.keys.slotsOf(keys, groups, keys.length, slots);
    for (let row = 0; row < keys.length; row++) {
      const [key = "", group = 0, slot = 0] = [keys[row], groups[row], slots[row]];
      if ((this.marksOf(slot) & HELD) !== 0) {
        throw new Error(
          `Cannot restore key ${
            JSON.stringify(key)
          }: it has state already; restore each key once, before any rows`,
        );
      }
      const timers = changes.timers[row] ?? [];
      this.#restoreKey(slot, columns, row, this.timersOf(group), timers, SlotMark.STORED);
    }
  }

  /**
   * Puts keys that come from another worker, in place of what they have here. They count as changed, and as not stored.
   * Lists and maps become the state's own.
   *
   * @param groups the key group of each of `changes.keys`
   */
  put(changes: KeyChanges, groups: ArrayLike<number>): void {
    const columns = restoredColumns(changes, this.states, this.kinds);
    const { deleted, keys, timers } = changes;
    for (const key of deleted) {
      const slot = this.keys.find(key);
      if (slot !== NO_SLOT) this.forget(slot);
    }
    const slots = new Uint32Array(keys.length);
    this.keys.slotsOf(keys, groups, keys.length, slots);
    for (let row = 0; row < keys.length; row++) {
      const slot = slots[row] ?? 0;
      this.#clear(slot);
      this.change(slot);
      this.#restoreKey(slot, columns, row, this.timersOf(groups[row] ?? 0), timers[row] ?? [], 0);
    }
  }

  /** A slot's key leaves for another worker, with all it has: checkpoints are not told. */
  forget(slot: number): void {
    this.#clear(slot);
    const { cells, numbers } = this.segmentOf(slot);
    const index = slot & SLOT_MASK;
    const marks = numbers[index * this.numberStride] ?? 0;
    if (marks >= SlotMark.ROW) return;
    cells[index * this.stride] = undefined;
    this.keys.release(slot);
  }

  /** Takes all that a slot's key has. */
  #clear(slot: number): void {
    const { cells, numbers } = this.segmentOf(slot);
    const index = slot & SLOT_MASK;
    const at = index * this.numberStride;
    if (((numbers[at] ?? 0) & SlotMark.TIMED) !== 0) {
      this.timersOf(this.keys.groupAt(slot)).clear(slot);
    }
    const marks = numbers[at] ?? 0;
    if ((marks & SlotMark.KEPT) !== 0) this.kept--;
    numbers[at] = marks & ~(SlotMark.KEPT | SlotMark.STORED);
    cells.fill(undefined, index * this.stride + 1, (index + 1) * this.stride);
    numbers.fill(NaN, at + 1, at + this.numberStride);
  }

  #restoreKey(
    slot: number,
    columns: readonly (readonly unknown[] | undefined)[],
    row: number,
    group: GroupTimers,
    timers: readonly KeyTimer[],
    stored: number,
  ): void {
    const { cells, numbers } = this.segmentOf(slot);
    const index = slot & SLOT_MASK;
    const at = index * this.numberStride;
    // What is marked as changed is not listed: what is restored has not changed.
    const before = numbers[at] ?? 0;
    numbers[at] = before | SlotMark.CHANGED;
    group.put(slot, timers);
    let marks = timers.length > 0 ? SlotMark.TIMED : 0;
    for (let state = 0; state < columns.length; state++) {
      const content = columns[state]?.[row];
      if (content === undefined) continue;
      if (marks === 0) this.kept++;
      marks |= SlotMark.KEPT;
      const numberCell = this.numberCells[state] ?? -1;
      if (numberCell >= 0 && typeof content === "number" && content === content) {
        numbers[at + 1 + numberCell] = content;
      } else cells[index * this.stride + 1 + state] = content;
    }
    numbers[at] = before | marks | stored;
    if (marks !== 0) return;
    // Nothing of it is declared any more: the next checkpoint drops the key.
    this.#wait(slot);
    this.leave(slot);
  }

  close(): void {
    this.#seen = 0;
    this.#segments.length = 0;
    this.keys.close();
  }

  /** The key in a slot goes: what checkpoints have to know of that. */
  #remember(slot: number): void {
    if ((this.marksOf(slot) & SlotMark.PENDING) !== 0) this.capture(slot);
    if ((this.marksOf(slot) & SlotMark.STORED) === 0 || this.changed.isWholeNext) return;
    this.changed.addDeleted(this.readKey(slot), this.keys.groupOf(slot));
  }

  #timed(slot: number, isTimed: boolean): void {
    const { numbers } = this.segmentOf(slot);
    const at = (slot & SLOT_MASK) * this.numberStride;
    const marks = numbers[at] ?? 0;
    if ((marks & SlotMark.KEPT) === 0) this.kept += isTimed ? 1 : -1;
    numbers[at] = isTimed ? marks | SlotMark.TIMED : marks & ~SlotMark.TIMED;
  }

  #wait(slot: number): void {
    const { numbers } = this.segmentOf(slot);
    const at = (slot & SLOT_MASK) * this.numberStride;
    numbers[at] = (numbers[at] ?? 0) + SlotMark.ROW;
  }

  #grow(slot: number): StateSegment {
    for (;;) {
      const segment = new StateSegment(this.stride, this.numberStride);
      if (this.#segments.push(segment) > slot >>> SEGMENT_BITS) return segment;
    }
  }
}
