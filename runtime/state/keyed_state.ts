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

import type { Random } from "../random.ts";
import type { Key } from "../stream.ts";
import type { KeyReader } from "../worker/record_cursor.ts";
import type { TimerListener } from "../time/timers.ts";
import { GroupTimers, type KeyTimer } from "./group_timers.ts";
import { ColumnCodecs, type KeyChanges } from "./key_changes.ts";
import { KeyTable } from "./key_table.ts";
import { restoredColumns } from "./restored_columns.ts";
import { type DeletedKeys, StateChanges } from "./state_changes.ts";
import { HELD, SEGMENT_BITS, SLOT_MASK, SlotMark, StateSegment } from "./state_segment.ts";
import type { StateSpec, StateSpecs } from "./state.ts";

/** Changes below which it doesn't matter whether all keys are taken instead. */
export const WHOLE_CHANGES_MIN = 1000;

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
  readonly #segments: StateSegment[] = [];
  /** By state, which of the cells for numbers it has; -1 for none. */
  readonly #numberCells: readonly number[];
  /** By key group. */
  readonly #timers: (GroupTimers | undefined)[] = [];
  readonly #timerListener: TimerListener;
  /** Slots that are marked as changed. */
  #changed: number[] = [];
  /** Keys that have gone since changes were last taken, and that checkpoints know. */
  #deleted: DeletedKeys = { keys: [], groups: [] };
  /** Whether all keys are to be taken next, and not only those that have changed. */
  #isWholeNext = false;
  /** What was taken last, as long as nobody has said what became of it. */
  #taken: StateChanges | undefined;
  readonly #codecs = new ColumnCodecs();
  /** What `touch` has seen: without a use nothing would be read. */
  #seen = 0;

  constructor(specs: StateSpecs, random: Random) {
    const declared = Object.values(specs);
    this.states = Object.keys(specs);
    this.kinds = declared.map(({ kind }) => kind);
    let numbers = 0;
    this.#numberCells = declared.map((spec) => holdsNumber(spec) ? numbers++ : -1);
    this.stride = 1 + declared.length;
    this.numberStride = 1 + numbers;
    this.keys = new KeyTable(random);
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
    this.#taken?.capture(slot);
  }

  /** The key in a slot has changed. */
  change(slot: number): void {
    const { numbers } = this.segmentOf(slot);
    const at = (slot & SLOT_MASK) * this.numberStride;
    const marks = numbers[at] ?? 0;
    if ((marks & SlotMark.CHANGED) !== 0) return;
    numbers[at] = marks | SlotMark.CHANGED;
    this.#changed.push(slot);
  }

  /** Has the next changes taken be all keys: nothing that was kept before is built upon. */
  takeWholeNext(): void {
    this.#isWholeNext = true;
  }

  /**
   * Everything that has changed since changes were last taken, as it is now. Takes a few nanoseconds a key: what has
   * changed is read by {@linkcode StateChanges.step}, while turns go on. Where half of what there is has changed, or more,
   * all of it is taken: that is less than what has changed and what has gone, and needs no merging later.
   *
   * @throws {Error} if nobody has said what became of those taken before
   */
  takeChanges(): StateChanges {
    if (this.#taken !== undefined) {
      throw new Error(
        "Cannot take changes of state: those taken before are still open; call committed() or aborted() on them first",
      );
    }
    const slots = this.#changed;
    const deleted = this.#deleted;
    const changes = slots.length + deleted.keys.length;
    const isWhole = this.#isWholeNext || (changes >= WHOLE_CHANGES_MIN && 2 * changes > this.kept);
    this.#changed = [];
    this.#deleted = { keys: [], groups: [] };
    this.#isWholeNext = false;
    if (isWhole) return this.#taken = this.#takeAll(slots);
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i] ?? 0;
      const { numbers } = this.segmentOf(slot);
      const at = (slot & SLOT_MASK) * this.numberStride;
      const marks = (numbers[at] ?? 0) & ~SlotMark.CHANGED;
      // A key that is stored and has nothing any more, but rows that wait, will be read as deleted.
      numbers[at] = (marks & HELD) !== 0
        ? marks | SlotMark.PENDING | SlotMark.STORED
        : (marks & SlotMark.STORED) !== 0
        ? (marks | SlotMark.PENDING) & ~SlotMark.STORED
        : marks;
    }
    return this.#taken = new StateChanges(this, { slots, deleted, isWhole }, this.#codecs);
  }

  /** @param changed slots that are marked as changed */
  #takeAll(changed: readonly number[]): StateChanges {
    for (const slot of changed) {
      const { numbers } = this.segmentOf(slot);
      const at = (slot & SLOT_MASK) * this.numberStride;
      // A key that has nothing any more is not in what is taken: there is nothing to delete.
      numbers[at] = (numbers[at] ?? 0) & ~(SlotMark.CHANGED | SlotMark.STORED);
    }
    const slots: number[] = [];
    for (const [index, { numbers }] of this.#segments.entries()) {
      for (let slot = 0; slot <= SLOT_MASK; slot++) {
        const marks = numbers[slot * this.numberStride] ?? 0;
        if ((marks & HELD) === 0) continue;
        numbers[slot * this.numberStride] = marks | SlotMark.PENDING | SlotMark.STORED;
        slots.push((index << SEGMENT_BITS) + slot);
      }
    }
    const deleted: DeletedKeys = { keys: [], groups: [] };
    return new StateChanges(this, { slots, deleted, isWhole: true }, this.#codecs);
  }

  /** What was taken last needs nothing any more. */
  changesCommitted(): void {
    this.#taken = undefined;
  }

  /** What was taken last counts as changed again. */
  changesAborted(slots: readonly number[], { keys, groups }: DeletedKeys, isWhole: boolean): void {
    this.#taken = undefined;
    // What had gone before is not known any more: only another whole makes up for it.
    if (isWhole) this.#isWholeNext = true;
    for (const slot of slots) {
      const { numbers } = this.segmentOf(slot);
      const at = (slot & SLOT_MASK) * this.numberStride;
      const marks = numbers[at] ?? 0;
      if ((marks & SlotMark.PENDING) !== 0) {
        numbers[at] = (marks & HELD) !== 0
          ? marks & ~SlotMark.PENDING
          : (marks | SlotMark.STORED) & ~SlotMark.PENDING;
      }
      this.change(slot);
    }
    for (let i = 0; i < keys.length; i++) this.#delete(keys[i] ?? "", groups[i] ?? 0);
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
    const numberCell = this.#numberCells[state] ?? -1;
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
      this.#restoreKey(slot, columns, row, this.timersOf(group), changes.timers[row] ?? []);
    }
  }

  #restoreKey(
    slot: number,
    columns: readonly (readonly unknown[] | undefined)[],
    row: number,
    group: GroupTimers,
    timers: readonly KeyTimer[],
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
      const numberCell = this.#numberCells[state] ?? -1;
      if (numberCell >= 0 && typeof content === "number" && content === content) {
        numbers[at + 1 + numberCell] = content;
      } else cells[index * this.stride + 1 + state] = content;
    }
    numbers[at] = before | marks | SlotMark.STORED;
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
    if ((this.marksOf(slot) & SlotMark.STORED) === 0) return;
    this.#delete(this.readKey(slot), this.keys.groupAt(slot));
  }

  #delete(key: Key, group: number): void {
    this.#deleted.keys.push(key);
    this.#deleted.groups.push(group);
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
