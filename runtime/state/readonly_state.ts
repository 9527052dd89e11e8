/**
 * Declared state that can be looked at and not be written: what handlers see of broadcast state where only the other
 * input may change it.
 *
 * @module
 */

import type { ListState, MapState, StateSpec, StateSpecs, ValueState } from "./state.ts";

/** A value to look at. */
export type ReadonlyValueState<T> = Readonly<Pick<ValueState<T>, "value">>;

/** A list to look at. */
export type ReadonlyListState<T> = Pick<ListState<T>, "size" | typeof Symbol.iterator>;

/** A map to look at. */
export type ReadonlyMapState<K extends string | number, V> = Pick<
  MapState<K, V>,
  "get" | "has" | "entries" | "size"
>;

type ReadonlyHandle<H> = H extends MapState<infer K, infer V> ? ReadonlyMapState<K, V>
  : H extends ListState<infer T> ? ReadonlyListState<T>
  : H extends ValueState<infer T> ? ReadonlyValueState<T>
  : never;

/** What handlers see of declared state that they must not write. */
export type ReadonlyHandles<S extends StateSpecs> = {
  readonly [N in keyof S]: S[N] extends StateSpec<infer H> ? ReadonlyHandle<H> : never;
};

/**
 * A view of handles through which nothing can be written: what compiles by a cast throws.
 *
 * @param refuse throws the error for a write to the state of a name
 *
 * @example A number that stays
 * ```ts
 * import { assertEquals, assertThrows } from "@std/assert";
 * import type { StateSpecs, ValueState } from "./state.ts";
 * import { readonlyHandlesOf } from "./readonly_state.ts";
 *
 * const limit: ValueState<number> = { value: 3, clear() {} };
 * const view = readonlyHandlesOf<StateSpecs>({ limit }, (name) => {
 *   throw new TypeError(`Cannot write "${name}"`);
 * });
 * assertEquals(Reflect.get(view["limit"] ?? {}, "value"), 3);
 * assertThrows(() => Reflect.set(view["limit"] ?? {}, "value", 4), TypeError, '"limit"');
 * ```
 */
export function readonlyHandlesOf<S extends StateSpecs>(
  handles: Readonly<Record<string, unknown>>,
  refuse: (name: string) => never,
): ReadonlyHandles<S> {
  const views = Object.entries(handles).map(([name, handle]) => [
    name,
    readonlyView(handle, () => refuse(name)),
  ]);
  return Object.freeze(Object.fromEntries(views)) as ReadonlyHandles<S>;
}

function readonlyView(handle: unknown, refuse: () => never): object {
  if (typeof handle === "object" && handle !== null) {
    if (isMap(handle)) return new MapView(handle, refuse);
    if (isList(handle)) return new ListView(handle, refuse);
    if (isValue(handle)) return new ValueView(handle, refuse);
  }
  throw new TypeError("Cannot make a view of state: it is no value, list or map");
}

const isMap = (handle: object): handle is MapState<string | number, unknown> => "entries" in handle;
const isList = (handle: object): handle is ListState<unknown> => Symbol.iterator in handle;
const isValue = (handle: object): handle is ValueState<unknown> => "value" in handle;

class ValueView implements ValueState<unknown> {
  readonly #handle: ValueState<unknown>;
  readonly clear: () => never;
  readonly #refuse: () => never;

  constructor(handle: ValueState<unknown>, refuse: () => never) {
    this.#handle = handle;
    this.#refuse = refuse;
    this.clear = refuse;
  }

  get value(): unknown {
    return this.#handle.value;
  }

  set value(_value: unknown) {
    this.#refuse();
  }
}

class ListView implements ListState<unknown> {
  readonly #handle: ListState<unknown>;
  readonly add: () => never;
  readonly clear: () => never;

  constructor(handle: ListState<unknown>, refuse: () => never) {
    this.#handle = handle;
    this.add = refuse;
    this.clear = refuse;
  }

  get size(): number {
    return this.#handle.size;
  }

  [Symbol.iterator](): Iterator<unknown> {
    return this.#handle[Symbol.iterator]();
  }
}

class MapView implements MapState<string | number, unknown> {
  readonly #handle: MapState<string | number, unknown>;
  readonly set: () => never;
  readonly delete: () => never;
  readonly clear: () => never;

  constructor(handle: MapState<string | number, unknown>, refuse: () => never) {
    this.#handle = handle;
    this.set = refuse;
    this.delete = refuse;
    this.clear = refuse;
  }

  get size(): number {
    return this.#handle.size;
  }

  get(key: string | number): unknown {
    return this.#handle.get(key);
  }

  has(key: string | number): boolean {
    return this.#handle.has(key);
  }

  entries(): Iterable<[string | number, unknown]> {
    return this.#handle.entries();
  }
}
