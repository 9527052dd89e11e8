/**
 * Side outputs (Flink's `OutputTag`): further streams that a keyed operator fills beside its main one, each with a name
 * and a type of its own.
 *
 * @module
 */

import type { Stream } from "./stream.ts";

declare const output: unique symbol;

/** Declares a side output of values of one type. Made by {@linkcode side}. */
export interface SideSpec<T> {
  readonly kind: "side";
  readonly [output]?: T;
}

/** Declared side outputs by name. */
export type SideSpecs = Readonly<Record<string, SideSpec<unknown>>>;

/** No side outputs. */
export type NoSides = Record<never, never>;

/**
 * What handlers see of declared side outputs: a function each. What is put out leaves when the call succeeds, with the
 * time and origin of the call's main outputs: in the order of the calls among what a generator yields, before the
 * elements of an array that is returned.
 */
export type Sides<O extends SideSpecs> = {
  readonly [N in keyof O]: O[N] extends SideSpec<infer T> ? (value: T) => void : never;
};

/** A stream for each side output. One that nobody uses is dropped. */
export type SideStreams<O extends SideSpecs> = {
  readonly [N in keyof O]: O[N] extends SideSpec<infer T> ? Stream<T> : never;
};

/** A stream, with its side outputs if there are any. */
export type Sided<Out, O extends SideSpecs> = [keyof O] extends [never] ? Stream<Out>
  : Stream<Out> & { readonly sides: SideStreams<O> };

/**
 * Declares a side output of a keyed operator.
 *
 * @example Orders, and an account of the large ones
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { defineJob, memory, runJob, side } from "../mod.ts";
 *
 * const job = defineJob({
 *   name: "orders",
 *   sources: { orders: memory.source([{ id: "a", total: 3 }, { id: "b", total: 900 }]) },
 *   sinks: { orders: memory.sink<string>(), audit: memory.sink<number>() },
 *   build({ orders }, sinks) {
 *     const checked = orders.keyBy((order) => order.id).process("check", {
 *       state: {},
 *       sides: { large: side<number>() },
 *       onEvent(order, { side }) {
 *         if (order.total > 100) side.large(order.total);
 *         return [order.id];
 *       },
 *     });
 *     checked.to(sinks.orders);
 *     checked.sides.large.to(sinks.audit);
 *   },
 * });
 * const run = await runJob(job);
 * assertEquals(run.output("orders").toSorted(), ["a", "b"]);
 * assertEquals(run.output("audit"), [900]);
 * ```
 */
export function side<T>(): SideSpec<T> {
  return { kind: "side" };
}

/**
 * An object with these entries that says so when it is asked for a name that is not there.
 *
 * @param unknown throws the error
 */
export function onlyNamed<T>(
  entries: readonly (readonly [name: string, value: T])[],
  unknown: (name: string) => never,
): Readonly<Record<string, T>> {
  // Names that are there are found before the proxy is asked.
  const strict = new Proxy({}, {
    get(target, name) {
      if (typeof name === "string" && !(name in target)) unknown(name);
      return Reflect.get(target, name);
    },
  });
  const properties = entries.map(([name, value]) => [name, { value, enumerable: true }]);
  return Object.create(strict, Object.fromEntries(properties));
}
