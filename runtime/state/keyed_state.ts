/**
 * The state of a stage's keys on one worker, by slot: a key is looked up once a batch (`key_table.ts`), and from then
 * on its cells are found by arithmetic. Cells are kept in segments, so that growing never copies what is there.
 *
 * A slot belongs to its key as long as the key has state or rows of it are waiting; then it goes to another key.
 *
 * ```
 *            enter            leave, with state
 *   free ───────────> waiting ────────────────> kept
 *    ^                 │   ^                     │
 *    └──── leave ──────┘   └────── enter ────────┘
 * ```
 *
 * @module
 */

import type { Random } from "../random.ts";
import type { Key } from "../stream.ts";
import type { KeyReader } from "../worker/record_cursor.ts";
import { KeyTable } from "./key_table.ts";
import type { StateSpec, StateSpecs } from "./state.ts";

const SEGMENT_BITS = 12;
/** Slots whose cells are kept together. */
export const SEGMENT_SLOTS = 1 << SEGMENT_BITS;
const SLOT_MASK = SEGMENT_SLOTS - 1;

/** What is known of a slot beside its cells: a bit each, and above them how many rows of its key are waiting. */
export const SlotMark = {
  /** The key has state. */
  KEPT: 1,
  /** Its state has changed since the marks were last taken. */
  DIRTY: 2,
  /** A row that waits. */
  ROW: 4,
} as const;

/**
 * Slots that follow one another. What belongs to a slot stands together, since finding it in memory costs more than
 * anything that is done with it.
 */
export class StateSegment {
  /**
   * For each slot its key, if it has been asked for, then its cells: undefined where nothing was written.
   */
  readonly cells: unknown[];
  /**
   * For each slot its marks ({@linkcode SlotMark}), then its cells for numbers: NaN where the number, if there is any, is
   * among the others.
   */
  readonly numbers: Float64Array;

  /** @param stride of `cells` @param numberStride of `numbers` */
  constructor(stride: number, numberStride: number) {
    this.cells = new Array(SEGMENT_SLOTS * stride).fill(undefined);
    this.numbers = new Float64Array(SEGMENT_SLOTS * numberStride).fill(NaN);
    for (let slot = 0; slot < SEGMENT_SLOTS; slot++) this.numbers[slot * numberStride] = 0;
  }
}

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
  /** Keys with state. */
  kept = 0;
  readonly #segments: StateSegment[] = [];
  /** What `touch` has seen: without a use nothing would be read. */
  #seen = 0;

  constructor(specs: StateSpecs, random: Random) {
    const declared = Object.values(specs);
    this.stride = 1 + declared.length;
    this.numberStride = 1 + declared.filter(holdsNumber).length;
    this.keys = new KeyTable(random);
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

  /** What waited for a slot's key has been handled. */
  leave(slot: number): void {
    const { cells, numbers } = this.segmentOf(slot);
    const index = slot & SLOT_MASK;
    const at = index * this.numberStride;
    const left = (numbers[at] ?? 0) - SlotMark.ROW;
    numbers[at] = left;
    if (left >= SlotMark.ROW || (left & SlotMark.KEPT) !== 0) return;
    numbers[at] = 0;
    cells[index * this.stride] = undefined;
    this.keys.release(slot);
  }

  /** What {@linkcode SlotMark} says of a slot. */
  marksOf(slot: number): number {
    return this.segmentOf(slot).numbers[(slot & SLOT_MASK) * this.numberStride] ?? 0;
  }

  close(): void {
    this.#seen = 0;
    this.#segments.length = 0;
    this.keys.close();
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
