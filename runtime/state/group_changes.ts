/**
 * What a checkpoint has found of a key group so far: keys that were about to change, as they were, and slots whose keys
 * are read together when the group's turn has come, column by column.
 *
 * @module
 */

import type { Key } from "../key.ts";
import { plantedBugs } from "../testing/planted_bugs.ts";
import type { KeyTimer } from "./group_timers.ts";
import type { ReadChanges } from "./key_changes.ts";
import type { KeyedState } from "./keyed_state.ts";
import type { StateSpec } from "./state.ts";
import { SLOT_MASK, SlotMark } from "./state_segment.ts";

/** A list as it was: the engine only appends to its array. */
class ListThen {
  readonly #items: readonly unknown[];
  readonly #length: number;

  constructor(items: readonly unknown[]) {
    this.#items = items;
    this.#length = items.length;
  }

  get items(): readonly unknown[] {
    return this.#items.length === this.#length ? this.#items : this.#items.slice(0, this.#length);
  }
}

/**
 * The changes of one key group.
 *
 * @example One key that changes early, and one that is read later
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { seededRandom } from "../random.ts";
 * import { GroupChanges } from "./group_changes.ts";
 * import { KeyedState } from "./keyed_state.ts";
 * import { store } from "./state.ts";
 * const state = new KeyedState({ sum: store.value(0) }, seededRandom(1));
 * state.restore(
 *   { states: ["sum"], deleted: [], keys: ["a", "b"], cells: [[1, 2]], timers: [] },
 *   () => 7,
 * );
 * const changes = new GroupChanges(state, 7);
 * changes.capture(1);
 * changes.add(0, state.marksOf(0));
 * const { keys, cells } = changes.read();
 * assertEquals([keys, cells], [["b", "a"], [new Float64Array([2, 1])]]);
 * ```
 */
export class GroupChanges {
  /** Slots that were to be read when they were put here. */
  readonly slots: number[] = [];
  readonly deleted = new Set<Key>();
  /** Those captured first. */
  readonly keys: Key[] = [];
  readonly #state: KeyedState;
  readonly #group: number;
  /** By state, what captured keys had; undefined as long as there are none. */
  #captured: unknown[][] | undefined;
  /** Slots of the other keys. */
  readonly #added: number[] = [];
  /** By key; shorter than those if the last ones have none. */
  readonly #timers: (readonly KeyTimer[] | undefined)[] = [];

  constructor(state: KeyedState, group: number) {
    this.#state = state;
    this.#group = group;
  }

  /** Takes a slot's key, with what it has now: it is about to change. Only before any is added. */
  capture(slot: number): void {
    const state = this.#state;
    this.#takeKey(slot, state.marksOf(slot));
    const captured = this.#captured ??= state.states.map(() => []);
    for (let column = 0; column < captured.length; column++) {
      captured[column]?.push(then(state.contentOf(slot, column), state.kinds[column]));
    }
  }

  /** Takes a slot's key: what it has is read by {@linkcode GroupChanges.read}, before anything changes. */
  add(slot: number, marks: number): void {
    this.#takeKey(slot, marks);
    this.#added.push(slot);
  }

  /** All of it. */
  read(): ReadChanges {
    const { states } = this.#state;
    const timers = this.#timers;
    if (timers.length > 0) timers.length = this.keys.length;
    const cells = states.map((_, column) => this.#numberColumn(column) ?? this.#column(column));
    return { states, deleted: [...this.deleted], keys: this.keys, cells, timers };
  }

  #takeKey(slot: number, marks: number): void {
    if ((marks & SlotMark.TIMED) !== 0 && !plantedBugs.has("timer left out of the snapshot")) {
      this.#timers[this.keys.length] = this.#state.timersOf(this.#group).of(slot);
    }
    this.keys.push(this.#state.readKey(slot));
  }

  /** The column of a state that mostly has numbers; undefined if it has anything else now. */
  #numberColumn(column: number): Float64Array<ArrayBuffer> | undefined {
    const state = this.#state;
    const { numberStride, stride } = state;
    const numberCell = state.numberCells[column] ?? -1;
    if (numberCell < 0) return undefined;
    const read = new Float64Array(this.keys.length);
    const captured = this.#captured?.[column] ?? [];
    let row = 0;
    for (; row < captured.length; row++) {
      const content = captured[row];
      if (content === undefined) read[row] = NaN;
      else if (typeof content === "number" && content === content) read[row] = content;
      else return undefined;
    }
    const added = this.#added;
    for (let i = 0; i < added.length; i++, row++) {
      const slot = added[i] ?? 0;
      const { cells, numbers } = state.segmentOf(slot);
      const index = slot & SLOT_MASK;
      const number = numbers[index * numberStride + 1 + numberCell] ?? NaN;
      if (number !== number && cells[index * stride + 1 + column] !== undefined) return undefined;
      read[row] = number;
    }
    return read;
  }

  #column(column: number): unknown[] {
    const state = this.#state;
    const added = this.#added;
    const captured = this.#captured?.[column] ?? [];
    // All of one kind of array for V8, whatever is put in: what encodes them then stays fast.
    const read: unknown[] = new Array(this.keys.length).fill(undefined);
    let row = 0;
    for (; row < captured.length; row++) read[row] = contentThen(captured[row]);
    if ((state.numberCells[column] ?? -1) >= 0) {
      for (let i = 0; i < added.length; i++, row++) {
        read[row] = state.contentOf(added[i] ?? 0, column);
      }
      return read;
    }
    const { stride } = state;
    for (let i = 0; i < added.length; i++, row++) {
      const slot = added[i] ?? 0;
      read[row] = state.segmentOf(slot).cells[(slot & SLOT_MASK) * stride + 1 + column];
    }
    return read;
  }
}

/** A content that stays as it is now: values do by contract. */
function then(content: unknown, kind: StateSpec<unknown>["kind"] | undefined): unknown {
  if (kind === "list" && Array.isArray(content)) return new ListThen(content);
  return kind === "map" && content instanceof Map ? new Map(content) : content;
}

/** What it was, as it is written. */
function contentThen(content: unknown): unknown {
  return content instanceof ListThen ? content.items : content;
}
