/**
 * Running keyed operators: what is done with a row or a timer of a key. One instance a stage and worker; actors come in
 * as arguments, with their state.
 *
 * @module
 */

import type { KeyedBroadcastContext } from "../broadcast.ts";
import type { Clock } from "../clock.ts";
import type { Key } from "../key.ts";
import type { Sides, SideSpecs } from "../side.ts";
import type { BroadcastState } from "../state/broadcast_state.ts";
import type { KeyReader } from "../state/key_reader.ts";
import type { KeyedState } from "../state/keyed_state.ts";
import { handlesOf, StateCursor } from "../state/memory_state.ts";
import type { ReadonlyHandles } from "../state/readonly_state.ts";
import type { Handles, StateSpecs } from "../state/state.ts";
import type { Emits } from "../stream.ts";
import type { TimeDomain, Timer } from "../time/timers.ts";
import type { KeyedHandlers, KeyedOperator as KeyedOperatorSpec } from "../topology.ts";
import { CallOutputs, emitted } from "./call_outputs.ts";
import type { Failures } from "./failures.ts";
import type { PartitionActor } from "./partition_actor.ts";
import type { RecordCursor } from "./record_cursor.ts";
import type { Chain } from "./stage_chain.ts";
import { type TimerCalls, timerCalls } from "./timer_calls.ts";

/** Handles rows and timers. Never throws: failures become dead letters. */
export interface KeyedOperator {
  /** One row of the key in a slot; the cursor stands at it. */
  row(actor: PartitionActor, input: number, slot: number, value: unknown, chain: Chain): void;
  /** A timer that is due; the cursor stands at its key and time. */
  timer(actor: PartitionActor, timer: Timer, chain: Chain): void;
  /** One row of the broadcast input, if it has one; the cursor stands at it. */
  broadcast?(actor: PartitionActor, value: unknown, chain: Chain): void;
  /** This worker's copy of broadcast state, if it has any. */
  readonly broadcastState?: BroadcastState;
  /** The input is over for this actor. */
  complete(actor: PartitionActor, chain: Chain): void;
  /** The actor's keys have gone to another worker: nothing of them is remembered here. */
  leave?(actor: PartitionActor): void;
  close(): void;
}

/** `process` and `coFlatMap`: handlers over state and timers. */
export class HandlerOperator implements KeyedOperator {
  readonly #name: string;
  readonly #handlers: KeyedHandlers["handlers"];
  readonly #onTimer: KeyedHandlers["onTimer"];
  readonly #state: StateCursor;
  readonly #context: HandlerContext;
  readonly #cursor: RecordCursor;
  readonly #failures: Failures;
  readonly #scratch: unknown[] = [];
  readonly #keys: KeyReader;
  /** All outputs of a call, if there are sides. */
  readonly #sided: CallOutputs | undefined;

  /** @param broadcast what handlers see of broadcast state */
  constructor(
    name: string,
    spec: Extract<KeyedOperatorSpec, KeyedHandlers>,
    state: KeyedState,
    clock: Clock,
    cursor: RecordCursor,
    failures: Failures,
    broadcast: ReadonlyHandles<StateSpecs> = {},
  ) {
    this.#name = name;
    this.#handlers = spec.handlers;
    this.#onTimer = spec.onTimer;
    this.#keys = state;
    this.#state = new StateCursor(state);
    const outputs = new CallOutputs(name, spec.sides ?? []);
    this.#sided = spec.sides === undefined || spec.sides.length === 0 ? undefined : outputs;
    this.#context = new HandlerContext(
      name,
      handlesOf(spec.state, this.#state),
      state,
      clock,
      this.#state,
      spec.onTimer !== undefined,
      outputs.side,
      broadcast,
    );
    this.#cursor = cursor;
    this.#failures = failures;
  }

  row(actor: PartitionActor, input: number, slot: number, value: unknown, chain: Chain): void {
    const handler = this.#handlers[input];
    if (handler === undefined) return;
    this.#state.begin(slot);
    this.#context.point(actor, slot, this.#cursor.timestamp);
    this.#sided?.begin();
    let outputs: readonly unknown[] | undefined;
    try {
      outputs = this.#collect(handler(value, this.#context));
    } catch (error) {
      this.#state.rollback();
      this.#sided?.end();
      this.#failures.thrown(this.#name, value, error, this.#cursor);
      return;
    }
    this.#state.commit();
    if (outputs !== undefined) this.#emit(outputs, chain);
  }

  timer(actor: PartitionActor, timer: Timer, chain: Chain): void {
    const { slot, name, at } = timer;
    if (this.#onTimer === undefined) return;
    this.#state.begin(slot);
    this.#context.point(actor, slot, at);
    this.#context.timeDomain = timer.domain;
    this.#sided?.begin();
    let outputs: readonly unknown[] | undefined;
    try {
      outputs = this.#collect(this.#onTimer(name, this.#context));
    } catch (error) {
      this.#state.rollback();
      this.#sided?.end();
      const key = this.#keys.keyAt(slot);
      this.#failures.thrown(this.#name, { key, name, at }, error, this.#cursor);
      return;
    } finally {
      this.#context.timeDomain = undefined;
    }
    this.#state.commit();
    if (outputs === undefined) return;
    // Flink's rule: what is emitted at a time of the clock has no event time; sides have the timer's.
    if (timer.domain === "processing") this.#cursor.timestamp = -Infinity;
    this.#emit(outputs, chain, at);
  }

  complete(_actor: PartitionActor, chain: Chain): void {
    chain.end(true);
  }

  close(): void {}

  /** Outputs leave when all are there: a generator that throws half way has put out nothing. */
  #collect(emits: Emits<unknown>): readonly unknown[] | undefined {
    if (this.#sided !== undefined) return this.#sided.collect(emits);
    if (emits === undefined) return undefined;
    if (Array.isArray(emits)) return emits;
    const scratch = this.#scratch;
    scratch.length = 0;
    for (const output of emitted(emits)) scratch.push(output);
    return scratch;
  }

  #emit(outputs: readonly unknown[], chain: Chain, sideTime = this.#cursor.timestamp): void {
    if (this.#sided !== undefined) {
      this.#sided.end();
      return this.#sided.emit(chain, this.#cursor, this.#keys, sideTime);
    }
    for (let i = 0; i < outputs.length; i++) chain.next(outputs[i]);
  }
}

/** What handlers get, pointed at one key after the other. Its methods need no `this`: handlers take it apart. */
class HandlerContext implements KeyedBroadcastContext<Key, StateSpecs, StateSpecs, SideSpecs> {
  timestamp = -Infinity;
  watermark = -Infinity;
  readonly state: Handles<StateSpecs>;
  timeDomain: TimeDomain | undefined = undefined;
  readonly side: Sides<SideSpecs>;
  readonly broadcast: ReadonlyHandles<StateSpecs>;
  readonly setTimer: TimerCalls["setTimer"];
  readonly clearTimer: TimerCalls["clearTimer"];
  readonly setProcessingTimer: TimerCalls["setTimer"];
  readonly clearProcessingTimer: TimerCalls["clearTimer"];
  readonly #keys: KeyReader;
  readonly #clock: Clock;
  #slot = 0;
  #actor: PartitionActor | undefined;

  constructor(
    operator: string,
    state: Handles<StateSpecs>,
    keys: KeyReader,
    clock: Clock,
    cursor: StateCursor,
    hasTimerHandler: boolean,
    side: Sides<SideSpecs>,
    broadcast: ReadonlyHandles<StateSpecs>,
  ) {
    this.state = state;
    this.side = side;
    this.broadcast = broadcast;
    this.#keys = keys;
    this.#clock = clock;
    const calls = (domain: TimeDomain) =>
      timerCalls(domain, operator, hasTimerHandler, cursor, () => this.#actor);
    ({ setTimer: this.setTimer, clearTimer: this.clearTimer } = calls("event"));
    ({ setTimer: this.setProcessingTimer, clearTimer: this.clearProcessingTimer } = calls(
      "processing",
    ));
  }

  get key(): Key {
    return this.#keys.keyAt(this.#slot);
  }

  get processingTime(): number {
    return this.#clock.now();
  }

  point(actor: PartitionActor, slot: number, timestamp: number): void {
    this.#actor = actor;
    this.#slot = slot;
    this.timestamp = timestamp;
    this.watermark = actor.watermark;
  }
}
