/**
 * Broadcast state for keyed operators (Flink's `KeyedBroadcastProcessFunction`): rules, prices, settings that every key
 * looks at, kept on every worker, and changed by a stream of their own.
 *
 * @module
 */

import type { Key } from "./key.ts";
import type { NoSides, Sided, Sides, SideSpecs } from "./side.ts";
import type { ReadonlyHandles } from "./state/readonly_state.ts";
import type { Handles, StateSpecs } from "./state/state.ts";
import type { Emits, KeyedContext } from "./stream.ts";

/** What handlers of keyed records and of timers see: broadcast state is there to look at. */
export interface KeyedBroadcastContext<
  K,
  S extends StateSpecs,
  B extends StateSpecs,
  O extends SideSpecs = NoSides,
> extends KeyedContext<K, S, O> {
  /** Writing it throws a TypeError: only `onBroadcast` may. */
  readonly broadcast: ReadonlyHandles<B>;
}

/** What the handler of a broadcast record sees. Valid during the call only. */
export interface BroadcastContext<
  K,
  S extends StateSpecs,
  B extends StateSpecs,
  O extends SideSpecs = NoSides,
  Out = never,
> {
  /** This worker's copy. */
  readonly broadcast: Handles<B>;
  /** Event time of the record, ms since the epoch; `-Infinity` for a record without one. */
  readonly timestamp: number;
  /** The operator's event-time clock: as in {@linkcode KeyedContext}. */
  readonly watermark: number;
  /** The worker's clock, ms since the epoch. */
  readonly processingTime: number;
  readonly side: Sides<O>;
  /**
   * Calls a function for every key of this operator that has state, in no particular order: on each worker for the keys
   * that are there, so that each key comes once. It may change the key's state; what it returns is put out for that
   * key, with the record's time, and must be of the type that `onEvent` puts out. A key that has only timers is left
   * out. All outputs of the call are kept until it ends.
   *
   * @throws {TypeError} if it is called after the handler has returned, or within itself
   */
  forEachKey(apply: (key: K, state: Handles<S>) => Emits<Out>): void;
}

/**
 * How a keyed operator with a broadcast input handles records. Declare `state`, `broadcast` and `sides` first and
 * `onEvent` before `onBroadcast`, so that the handlers' types follow.
 */
export interface BroadcastOptions<
  K,
  S extends StateSpecs,
  B extends StateSpecs,
  T,
  R,
  Out,
  OutB,
  OutT,
  O extends SideSpecs,
  OutK,
> {
  readonly state: S;
  /** State without keys: a copy on every worker. */
  readonly broadcast: B;
  readonly sides?: O;
  onEvent(value: T, context: KeyedBroadcastContext<K, S, B, O>): Emits<Out>;
  /**
   * Called once on each worker that has keys of the operator, for each broadcast record: what it returns comes once from
   * each, as in Flink. Workers may get the records of different shards in different orders: copies stay alike as long
   * as what it does hangs on nothing else than the record and broadcast state, and not on that order.
   *
   * If it throws, what the call did on this worker is undone, broadcast state and keys, and there is a dead letter from
   * this worker; the others have their own call.
   */
  onBroadcast(value: R, context: BroadcastContext<K, S, B, O, OutK>): Emits<OutB>;
  /** A timer's outputs carry the timer's time. */
  onTimer?(name: string, context: KeyedBroadcastContext<K, S, B, O>): Emits<OutT>;
}

/** A keyed stream with a stream that goes to all of its workers. */
export interface BroadcastStream<K extends Key, T, R> {
  /**
   * State per key as in `process`, and broadcast state beside it. Nothing is promised about the order between the two
   * inputs; the operator's clock is the lesser of both watermarks, as for `connect`.
   *
   * @example Alerts by limits that change
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { defineJob, memory, runJob, store } from "../mod.ts";
   *
   * const job = defineJob({
   *   name: "limits",
   *   sources: { limits: memory.source([{ name: "low", most: 5 }]), payments: memory.source([3, 4]) },
   *   sinks: { over: memory.sink<string>() },
   *   build({ limits, payments }, { over }) {
   *     payments.keyBy(() => "ann").connectBroadcast(limits).process("check", {
   *       state: { sum: store.value(0) },
   *       broadcast: { limits: store.map<string, number>() },
   *       onEvent(amount, { key, state }): string[] {
   *         state.sum.value += amount;
   *         return [`${key} has paid ${amount}`];
   *       },
   *       onBroadcast({ name, most }, { broadcast, forEachKey }) {
   *         broadcast.limits.set(name, most);
   *         forEachKey((key, { sum }) => sum.value > most ? [`${key} is over ${name}`] : []);
   *       },
   *     }).to(over);
   *   },
   * });
   * const payments = (await runJob(job)).output("over").filter((line) => line.includes("paid"));
   * assertEquals(payments, ["ann has paid 3", "ann has paid 4"]);
   * ```
   */
  process<
    const S extends StateSpecs,
    const B extends StateSpecs,
    Out = never,
    OutB = never,
    OutT = never,
    const O extends SideSpecs = NoSides,
    OutK = Out,
  >(
    name: string,
    options: BroadcastOptions<K, S, B, T, R, Out, OutB, OutT, O, OutK>,
  ): Sided<Out | OutB | OutT | OutK, O>;
}
