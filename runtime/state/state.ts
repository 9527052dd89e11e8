/**
 * Keyed state as handlers see it. State is declared up front and by name, so that checkpoints, status and schema
 * changes know it; each key has its own, and a key whose state is all cleared costs nothing.
 *
 * Handles point at the key of the running turn: use them inside a handler, never keep what they point at. Values are
 * read-only by contract; assign a new value instead of changing an old one, or an undone turn can't be undone.
 *
 * @module
 */

/** One value a key. Reading a cleared or never written one gives the declared initial value. */
export interface ValueState<T> {
  value: T;
  /** Forgets the value: the next read gives the initial one. */
  clear(): void;
}

/** A list a key, in order of adding. */
export interface ListState<T> {
  add(item: T): void;
  [Symbol.iterator](): Iterator<T>;
  readonly size: number;
  clear(): void;
}

/** A map a key, in order of first setting. */
export interface MapState<K extends string | number, V> {
  get(key: K): V | undefined;
  has(key: K): boolean;
  set(key: K, value: V): void;
  delete(key: K): void;
  entries(): Iterable<[K, V]>;
  readonly size: number;
  clear(): void;
}

/**
 * How a piece of state changes over versions of a job. A job that starts from a checkpoint whose state has a lower
 * version has each key's content migrated; without `migrate` it does not start.
 */
export interface StateOptions<Content> {
  /** Raised with every change to the type of what is kept. A whole number from 1, which is the default. */
  readonly version?: number;
  /**
   * Makes content of this version from that of an older one: a value's, a list's items as an array, or a map as a `Map`.
   * Giving undefined, or nothing in a list or map, clears it.
   *
   * @param content what the checkpoint has for a key, or as broadcast state: then each worker migrates its own copy
   * @param version of the content, below this one
   */
  readonly migrate?: (content: unknown, version: number) => Content;
}

declare const handle: unique symbol;

/** Declares a piece of keyed state; `Handle` is what handlers see of it. Made by {@linkcode store}. */
export interface StateSpec<Handle> {
  readonly kind: "value" | "list" | "map";
  /** What an unset value reads as. */
  readonly initial?: unknown;
  /** 1 unless declared otherwise. */
  readonly version: number;
  readonly migrate: ((content: unknown, version: number) => unknown) | undefined;
  readonly [handle]?: Handle;
}

/** Declared state by name. */
export type StateSpecs = Readonly<Record<string, StateSpec<unknown>>>;

/** What handlers see of declared state. */
export type Handles<S extends StateSpecs> = {
  readonly [N in keyof S]: S[N] extends StateSpec<infer H> ? H : never;
};

function value<T>(): StateSpec<ValueState<T | undefined>>;
function value<T>(
  initial: undefined,
  options: StateOptions<T | undefined>,
): StateSpec<ValueState<T | undefined>>;
function value<T>(initial: T, options?: StateOptions<T>): StateSpec<ValueState<T>>;
function value(
  initial?: unknown,
  options?: StateOptions<unknown>,
): StateSpec<ValueState<unknown>> {
  // The initial value is shared by all keys: freezing it turns an accidental change into an error.
  return { kind: "value", initial: Object.freeze(initial), ...evolution(options) };
}

function evolution(
  { version = 1, migrate }: StateOptions<unknown> = {},
): Pick<StateSpec<unknown>, "version" | "migrate"> {
  if (!Number.isSafeInteger(version) || version < 1) {
    throw new RangeError(
      `Cannot declare state of version ${version}: give it a whole number from 1`,
    );
  }
  return { version, migrate };
}

/**
 * Declares keyed state.
 *
 * - `store.value<T>()` reads as `undefined` until set; `store.value(initial)` reads as `initial`, which is frozen.
 * - `store.list<T>()` is a list.
 * - `store.map<K, V>()` is a map with string or number keys.
 *
 * Options say how its content changes over versions of the job, see {@linkcode StateOptions}.
 *
 * @throws {RangeError} if a version is no whole number from 1
 *
 * @example State of a counter
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { store } from "./state.ts";
 * const state = { count: store.value(0), seen: store.list<string>() };
 * assertEquals([state.count.kind, state.seen.kind], ["value", "list"]);
 * ```
 *
 * @example A total that was a number once, and now has a currency
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { store } from "./state.ts";
 * const total = store.value({ sum: 0, currency: "EUR" }, {
 *   version: 2,
 *   migrate: (content) => ({ sum: Number(content), currency: "EUR" }),
 * });
 * assertEquals(total.migrate?.(7, 1), { sum: 7, currency: "EUR" });
 * ```
 */
export const store = {
  value,
  list: <T>(options?: StateOptions<readonly T[]>): StateSpec<ListState<T>> => ({
    kind: "list",
    ...evolution(options),
  }),
  map: <K extends string | number, V>(
    options?: StateOptions<ReadonlyMap<K, V>>,
  ): StateSpec<MapState<K, V>> => ({ kind: "map", ...evolution(options) }),
};
