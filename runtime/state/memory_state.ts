/**
 * Keyed state in memory, and the handles through which handlers reach it. A stage has one set of handles for all its
 * actors: they point at the cells of the running turn's key. Writes of a turn are undone when its handler throws.
 *
 * @module
 */

import type { Key } from "../key.ts";
import { holdsNumber, KeyedState } from "./keyed_state.ts";
import type { Handles, ListState, MapState, StateSpec, StateSpecs, ValueState } from "./state.ts";
import { SlotMark } from "./state_segment.ts";

/** What a turn wrote to a key that had state, for a way back after it was committed. */
export interface WrittenKey {
  readonly slot: number;
  readonly cells: readonly number[];
  readonly values: readonly unknown[];
  readonly numberCells: readonly number[];
  readonly numbers: readonly number[];
  readonly others: readonly (() => void)[];
}

/** Points at one key's cells while its turn runs, and can undo the turn. */
export class StateCursor {
  readonly #state: KeyedState;
  readonly #stride: number;
  readonly #numberStride: number;
  #cells: unknown[];
  #numbers: Float64Array;
  #slot = 0;
  /** Where the slot's key, and its marks, are among them: its cells come behind. */
  #base = 0;
  #numberBase = 0;
  /** Whether the key had no state before this turn: then undoing means to empty it, and no old values are kept. */
  #isFresh = true;
  #wrote = false;
  #cleared = false;
  /** Old values of cells, the first `#undoLength` of these. Never shortened: that would free and allocate each turn. */
  readonly #undoCells: number[] = [];
  readonly #undoValues: unknown[] = [];
  #undoLength = 0;
  readonly #undoNumberCells: number[] = [];
  readonly #undoNumbers: number[] = [];
  #undoNumbersLength = 0;
  readonly #undo: (() => void)[] = [];

  constructor(state: KeyedState) {
    this.#state = state;
    this.#stride = state.stride;
    this.#numberStride = state.numberStride;
    const { cells, numbers } = state.segmentOf(0);
    this.#cells = cells;
    this.#numbers = numbers;
    // A list that has begun with a fraction keeps numbers as they are, without an object for each.
    this.#undoNumbers.push(0.5);
  }

  /** Of the key that has the turn. */
  get slot(): number {
    return this.#slot;
  }

  /** Starts a turn for a key. What a checkpoint still has to read of it is read first. */
  begin(slot: number): void {
    this.#slot = slot;
    const { cells, numbers } = this.#state.segmentOf(slot);
    const index = KeyedState.indexOf(slot);
    this.#slot = slot;
    this.#cells = cells;
    this.#numbers = numbers;
    this.#base = index * this.#stride;
    this.#numberBase = index * this.#numberStride;
    const marks = numbers[this.#numberBase] ?? 0;
    this.#isFresh = (marks & SlotMark.KEPT) === 0;
    if ((marks & SlotMark.PENDING) !== 0) this.#state.capture(slot);
  }

  /** The turn succeeded: its writes stay. */
  commit(): void {
    if (!this.#wrote) return;
    if (this.#undo.length > 0) this.#undo.length = 0;
    const numbers = this.#numbers;
    const marks = this.#numberBase;
    const isKept = this.#cleared || this.#isFresh ? this.#isAnySet() : true;
    const before = numbers[marks] ?? 0;
    if (isKept === this.#isFresh) {
      if ((before & SlotMark.TIMED) === 0) this.#state.kept += isKept ? 1 : -1;
      numbers[marks] = isKept ? before | SlotMark.KEPT : before & ~SlotMark.KEPT;
    }
    if ((before & SlotMark.CHANGED) === 0) this.#state.change(this.#slot);
    this.#forgetTurn();
  }

  /** The turn failed: everything is as it was before. */
  rollback(): void {
    if (!this.#wrote) return;
    for (let i = this.#undo.length - 1; i >= 0; i--) this.#undo[i]?.();
    this.#undo.length = 0;
    const cells = this.#cells;
    const numbers = this.#numbers;
    if (this.#isFresh) {
      cells.fill(undefined, this.#base + 1, this.#base + this.#stride);
      numbers.fill(NaN, this.#numberBase + 1, this.#numberBase + this.#numberStride);
    }
    for (let i = this.#undoLength - 1; i >= 0; i--) {
      cells[this.#undoCells[i] ?? 0] = this.#undoValues[i];
    }
    for (let i = this.#undoNumbersLength - 1; i >= 0; i--) {
      numbers[this.#undoNumberCells[i] ?? 0] = this.#undoNumbers[i] ?? NaN;
    }
    this.#forgetTurn();
  }

  /**
   * As `commit`, with a way back: what the turn wrote, if anything. For a key that has had state; its slot must be held
   * until there is no way back any more.
   */
  commitUndoable(): WrittenKey | undefined {
    if (!this.#wrote) return undefined;
    const written: WrittenKey = {
      slot: this.#slot,
      cells: this.#undoCells.slice(0, this.#undoLength),
      values: this.#undoValues.slice(0, this.#undoLength),
      numberCells: this.#undoNumberCells.slice(0, this.#undoNumbersLength),
      numbers: this.#undoNumbers.slice(0, this.#undoNumbersLength),
      others: [...this.#undo],
    };
    this.commit();
    return written;
  }

  /** Undoes turns that were committed: the last one first. */
  undo({ slot, cells, values, numberCells, numbers, others }: WrittenKey): void {
    this.begin(slot);
    for (const other of others.toReversed()) other();
    for (let i = cells.length - 1; i >= 0; i--) this.#cells[cells[i] ?? 0] = values[i];
    for (let i = numberCells.length - 1; i >= 0; i--) {
      this.#numbers[numberCells[i] ?? 0] = numbers[i] ?? NaN;
    }
    if (!this.#isFresh) return;
    // It was cleared: it has state again.
    this.#numbers[this.#numberBase] = (this.#numbers[this.#numberBase] ?? 0) | SlotMark.KEPT;
    this.#state.kept++;
  }

  #forgetTurn(): void {
    this.#undoLength = 0;
    this.#undoNumbersLength = 0;
    this.#wrote = false;
    this.#cleared = false;
  }

  /** A cell of the key; undefined if nothing was written. */
  read(cell: number): unknown {
    return this.#cells[this.#base + 1 + cell];
  }

  write(cell: number, value: unknown): void {
    const at = this.#base + 1 + cell;
    if (!this.#isFresh) {
      const undo = this.#undoLength++;
      this.#undoCells[undo] = at;
      this.#undoValues[undo] = this.#cells[at];
    }
    this.#cells[at] = value;
    this.#wrote = true;
  }

  clear(cell: number): void {
    if (this.read(cell) === undefined) return;
    this.write(cell, undefined);
    this.#cleared = true;
  }

  /** A cell for a number; NaN if there is none. */
  readNumber(cell: number): number {
    return this.#numbers[this.#numberBase + 1 + cell] ?? NaN;
  }

  /** NaN clears. */
  writeNumber(cell: number, value: number): void {
    const at = this.#numberBase + 1 + cell;
    const numbers = this.#numbers;
    if (!this.#isFresh) {
      const undo = this.#undoNumbersLength++;
      this.#undoNumberCells[undo] = at;
      this.#undoNumbers[undo] = numbers[at] ?? NaN;
    }
    numbers[at] = value;
    this.#wrote = true;
    if (value !== value) this.#cleared = true;
  }

  /** Something outside the cells has changed, which a failed turn must take back. */
  onRollback(undo: () => void): void {
    this.#wrote = true;
    this.#undo.push(undo);
  }

  #isAnySet(): boolean {
    for (let cell = 1; cell < this.#stride; cell++) {
      if (this.#cells[this.#base + cell] !== undefined) return true;
    }
    for (let cell = 1; cell < this.#numberStride; cell++) {
      const value = this.#numbers[this.#numberBase + cell];
      if (value === value) return true;
    }
    return false;
  }
}

/** The handles of declared state, over a cursor. */
export function handlesOf<S extends StateSpecs>(specs: S, cursor: StateCursor): Handles<S> {
  let numbers = 0;
  const handles = Object.entries(specs).map(([name, spec], cell) => {
    const handle = holdsNumber(spec)
      ? new NumberValue(cell, numbers++, cursor, spec.initial)
      : handleOf(spec, cell, cursor);
    return [name, handle];
  });
  return Object.freeze(Object.fromEntries(handles)) as Handles<S>;
}

function handleOf(spec: StateSpec<unknown>, cell: number, cursor: StateCursor): unknown {
  switch (spec.kind) {
    case "value":
      return new CellValue(cell, cursor, spec.initial);
    case "list":
      return new CellList(cell, cursor);
    case "map":
      return new CellMap(cell, cursor);
  }
}

class CellValue implements ValueState<unknown> {
  readonly #cell: number;
  readonly #cursor: StateCursor;
  readonly #initial: unknown;

  constructor(cell: number, cursor: StateCursor, initial: unknown) {
    this.#cell = cell;
    this.#cursor = cursor;
    this.#initial = initial;
  }

  get value(): unknown {
    const value = this.#cursor.read(this.#cell);
    return value === undefined ? this.#initial : value;
  }

  /** Setting `undefined` clears: a value that reads as unset is not kept. */
  set value(value: unknown) {
    if (value === undefined) this.clear();
    else this.#cursor.write(this.#cell, value);
  }

  clear(): void {
    this.#cursor.clear(this.#cell);
  }
}

/** A value that is mostly a number: kept as one, without an object for it. Anything else, and NaN, is in the cell. */
class NumberValue implements ValueState<unknown> {
  readonly #cell: number;
  readonly #number: number;
  readonly #cursor: StateCursor;
  readonly #initial: unknown;

  constructor(cell: number, number: number, cursor: StateCursor, initial: unknown) {
    this.#cell = cell;
    this.#number = number;
    this.#cursor = cursor;
    this.#initial = initial;
  }

  get value(): unknown {
    const number = this.#cursor.readNumber(this.#number);
    if (number === number) return number;
    const value = this.#cursor.read(this.#cell);
    return value === undefined ? this.#initial : value;
  }

  set value(value: unknown) {
    if (typeof value === "number" && value === value) this.#cursor.writeNumber(this.#number, value);
    else if (value === undefined) this.clear();
    else {
      this.#cursor.writeNumber(this.#number, NaN);
      this.#cursor.write(this.#cell, value);
    }
  }

  clear(): void {
    if (!Number.isNaN(this.#cursor.readNumber(this.#number))) {
      this.#cursor.writeNumber(this.#number, NaN);
    }
    this.#cursor.clear(this.#cell);
  }
}

class CellList implements ListState<unknown> {
  readonly #cell: number;
  readonly #cursor: StateCursor;

  constructor(cell: number, cursor: StateCursor) {
    this.#cell = cell;
    this.#cursor = cursor;
  }

  get size(): number {
    return this.#items()?.length ?? 0;
  }

  add(item: unknown): void {
    const items = this.#items();
    if (items === undefined) this.#cursor.write(this.#cell, [item]);
    else {
      items.push(item);
      this.#cursor.onRollback(() => items.pop());
    }
  }

  [Symbol.iterator](): Iterator<unknown> {
    return (this.#items() ?? []).values();
  }

  clear(): void {
    this.#cursor.clear(this.#cell);
  }

  #items(): unknown[] | undefined {
    const cell = this.#cursor.read(this.#cell);
    return Array.isArray(cell) ? cell : undefined;
  }
}

class CellMap implements MapState<Key, unknown> {
  readonly #cell: number;
  readonly #cursor: StateCursor;

  constructor(cell: number, cursor: StateCursor) {
    this.#cell = cell;
    this.#cursor = cursor;
  }

  get size(): number {
    return this.#map()?.size ?? 0;
  }

  get(key: Key): unknown {
    return this.#map()?.get(key);
  }

  has(key: Key): boolean {
    return this.#map()?.has(key) ?? false;
  }

  set(key: Key, value: unknown): void {
    const map = this.#map();
    if (map === undefined) return this.#cursor.write(this.#cell, new Map([[key, value]]));
    if (map.has(key)) {
      const before = map.get(key);
      this.#cursor.onRollback(() => map.set(key, before));
    } else this.#cursor.onRollback(() => map.delete(key));
    map.set(key, value);
  }

  delete(key: Key): void {
    const map = this.#map();
    if (map === undefined || !map.has(key)) return;
    if (map.size === 1) return this.clear();
    // Undone, the entry stands last: keeping its place would cost a copy of the map for every delete.
    const before = map.get(key);
    this.#cursor.onRollback(() => map.set(key, before));
    map.delete(key);
  }

  entries(): Iterable<[Key, unknown]> {
    return this.#map()?.entries() ?? [];
  }

  clear(): void {
    this.#cursor.clear(this.#cell);
  }

  #map(): Map<Key, unknown> | undefined {
    const cell = this.#cursor.read(this.#cell);
    return cell instanceof Map ? cell : undefined;
  }
}
