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

/** Slots that follow one another. */
export class StateSegment {
  /** Cell `c` of the segment's slot `i` is at `i * width + c`; undefined where nothing was written. */
  readonly cells: unknown[];
  /** The same for cells that mostly hold a number: NaN where the number, if there is any, is among the others. */
  readonly numbers: Float64Array;
  /** Of each slot, see {@linkcode SlotMark}. */
  readonly marks = new Uint32Array(SEGMENT_SLOTS);

  constructor(width: number, numberWidth: number) {
    this.cells = new Array(SEGMENT_SLOTS * width).fill(undefined);
    this.numbers = new Float64Array(SEGMENT_SLOTS * numberWidth).fill(NaN);
  }
}

/** Whether a piece of state mostly holds a number: a value whose initial one is. */
export function holdsNumber({ kind, initial }: StateSpec<unknown>): boolean {
  return kind === "value" && typeof initial === "number";
}

/** The keys of a stage on one worker, and their state. */
export class KeyedState {
  readonly keys: KeyTable;
  /** Cells of a key, and cells for numbers. */
  readonly width: number;
  readonly numberWidth: number;
  /** Keys with state. */
  kept = 0;
  readonly #segments: StateSegment[] = [];

  constructor(specs: StateSpecs, random: Random) {
    const declared = Object.values(specs);
    this.width = declared.length;
    this.numberWidth = declared.filter(holdsNumber).length;
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
    const { marks } = this.segmentOf(slot);
    const index = slot & SLOT_MASK;
    const left = (marks[index] ?? 0) - SlotMark.ROW;
    marks[index] = left;
    if (left >= SlotMark.ROW || (left & SlotMark.KEPT) !== 0) return;
    marks[index] = 0;
    this.keys.release(slot);
  }

  close(): void {
    this.#segments.length = 0;
    this.keys.close();
  }

  #wait(slot: number): void {
    const { marks } = this.segmentOf(slot);
    const index = slot & SLOT_MASK;
    marks[index] = (marks[index] ?? 0) + SlotMark.ROW;
  }

  #grow(slot: number): StateSegment {
    for (;;) {
      const segment = new StateSegment(this.width, this.numberWidth);
      if (this.#segments.push(segment) > slot >>> SEGMENT_BITS) return segment;
    }
  }
}
