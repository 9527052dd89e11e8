/**
 * Keyed state in memory, and the handles through which handlers reach it. A stage has one set of handles for all its
 * actors: they point at the cells of the running turn's key. Writes of a turn are undone when its handler throws.
 *
 * @module
 */

import type { Key } from "../stream.ts";
import type { Handles, ListState, MapState, StateSpec, StateSpecs, ValueState } from "./state.ts";

/** What a cell holds that was never written, or was cleared. */
const UNSET = Symbol("unset");

/** The state of one key: a cell for each declared piece, in order of declaration. */
type Cells = unknown[];

/** The state of one partition actor: cells by key. Keys without state are not there. */
export type KeyedCells = Map<Key, Cells>;

/** Points at one key's cells while its turn runs, and can undo the turn. */
export class StateCursor {
  readonly #width: number;
  #keyed: KeyedCells = new Map();
  #key: Key = "";
  #cells: Cells | undefined;
  #cleared = false;
  /** Whether this turn made the key's cells: then undoing means to drop them, and no old values are kept. */
  #created = false;
  /** Old values of cells, the first `#undoLength` of these. Never shortened: that would free and allocate each turn. */
  readonly #undoCells: number[] = [];
  readonly #undoValues: unknown[] = [];
  #undoLength = 0;
  readonly #undo: (() => void)[] = [];

  constructor(width: number) {
    this.#width = width;
  }

  /** Starts a turn for a key. */
  begin(keyed: KeyedCells, key: Key): void {
    this.#keyed = keyed;
    this.#key = key;
    this.#created = false;
    this.#cells = this.#width === 0 ? undefined : keyed.get(key);
  }

  /** The turn succeeded: its writes stay. */
  commit(): void {
    this.#undoLength = 0;
    if (this.#undo.length > 0) this.#undo.length = 0;
    if (this.#cleared) this.#dropIfEmpty();
  }

  /** The turn failed: everything is as it was before. */
  rollback(): void {
    for (let i = this.#undo.length - 1; i >= 0; i--) this.#undo[i]?.();
    this.#undo.length = 0;
    const cells = this.#cells;
    if (this.#created) this.#drop();
    else if (cells !== undefined) {
      for (let i = this.#undoLength - 1; i >= 0; i--) {
        cells[this.#undoCells[i] ?? 0] = this.#undoValues[i];
      }
    }
    this.#undoLength = 0;
    this.#cleared = false;
  }

  read(cell: number): unknown {
    const cells = this.#cells;
    return cells === undefined ? UNSET : cells[cell];
  }

  write(cell: number, value: unknown): void {
    const cells = this.#cells ?? this.#create();
    if (!this.#created) {
      const undo = this.#undoLength++;
      this.#undoCells[undo] = cell;
      this.#undoValues[undo] = cells[cell];
    }
    cells[cell] = value;
  }

  clear(cell: number): void {
    if (this.#cells === undefined || this.#cells[cell] === UNSET) return;
    this.write(cell, UNSET);
    this.#cleared = true;
  }

  /** Something outside the cells that a failed turn must take back. */
  onRollback(undo: () => void): void {
    this.#undo.push(undo);
  }

  #create(): Cells {
    const cells: Cells = [];
    for (let cell = 0; cell < this.#width; cell++) cells.push(UNSET);
    this.#cells = cells;
    this.#created = true;
    this.#keyed.set(this.#key, cells);
    return cells;
  }

  #dropIfEmpty(): void {
    this.#cleared = false;
    const cells = this.#cells;
    if (cells === undefined) return;
    for (let cell = 0; cell < cells.length; cell++) if (cells[cell] !== UNSET) return;
    this.#drop();
  }

  #drop(): void {
    this.#keyed.delete(this.#key);
    this.#cells = undefined;
    this.#created = false;
  }
}

/** The handles of declared state, over a cursor. */
export function handlesOf<S extends StateSpecs>(specs: S, cursor: StateCursor): Handles<S> {
  const handles = Object.entries(specs).map((
    [name, spec],
    cell,
  ) => [name, handleOf(spec, cell, cursor)]);
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
    return value === UNSET ? this.#initial : value;
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
