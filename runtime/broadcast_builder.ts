/**
 * Writes down keyed operators with a broadcast input: the engine of `broadcast.ts`.
 *
 * @module
 */

import type { BroadcastOptions, BroadcastStream } from "./broadcast.ts";
import type { Key } from "./key.ts";
import type { NoSides, Sided, SideSpecs } from "./side.ts";
import type { StateSpecs } from "./state/state.ts";
import type { BroadcastHandler, Handler, KeyedOperator, TimerHandler } from "./topology.ts";

/** Adds the operator to the graph, behind its keyBy and its broadcast. */
export type AddOperator = <R, O extends SideSpecs>(
  name: string,
  operator: Extract<KeyedOperator, { kind: "broadcast" }>,
  sides: O | undefined,
) => Sided<R, O>;

/** A keyed stream and a broadcast one, waiting for their operator. */
export class BuiltBroadcastStream<K extends Key, T, R> implements BroadcastStream<K, T, R> {
  readonly #add: AddOperator;

  constructor(add: AddOperator) {
    this.#add = add;
  }

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
  ): Sided<Out | OutB | OutT | OutK, O> {
    const { state, broadcast, sides, onEvent, onBroadcast, onTimer } = options;
    return this.#add(name, {
      kind: "broadcast",
      state,
      broadcast,
      handlers: [onEvent.bind(options) as Handler],
      onBroadcast: onBroadcast.bind(options) as BroadcastHandler,
      onTimer: onTimer?.bind(options) as TimerHandler | undefined,
    }, sides);
  }
}
