/**
 * Where the state of keys is kept: segments of slots, each slot with its marks and its cells.
 *
 * @module
 */

/** Of a slot, those that say where in its segment it is. */
export const SEGMENT_BITS = 12;
/** Slots whose cells are kept together. */
export const SEGMENT_SLOTS = 1 << SEGMENT_BITS;
/** Cuts those out. */
export const SLOT_MASK = SEGMENT_SLOTS - 1;

/** What is known of a slot beside its cells: a bit each, and above them how many rows of its key are waiting. */
export const SlotMark = {
  /** The key has state. */
  KEPT: 1,
  /** The key has timers. */
  TIMED: 2,
  /** The slot stands in the list of those that have changed since changes were last taken, whoever has it now. */
  CHANGED: 4,
  /** What the key had has been taken for a checkpoint: when it goes, checkpoints must be told. */
  STORED: 8,
  /** What the key had when changes were last taken has still to be read. */
  PENDING: 16,
  /** A row that waits. */
  ROW: 32,
} as const;

/** A slot with one of these stays its key's. */
export const HELD = SlotMark.KEPT | SlotMark.TIMED;

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
