/**
 * Running keyed operators: what is done with a row or a timer of a key. One instance a stage and worker; actors come in
 * as arguments, with their state.
 *
 * @module
 */

import type { KeyedState } from "../state/keyed_state.ts";
import { handlesOf, StateCursor } from "../state/memory_state.ts";
import type { Handles, StateSpecs } from "../state/state.ts";
import type { Emits, Key, KeyedContext } from "../stream.ts";
import type { Timer } from "../time/timers.ts";
import type { KeyedOperator as KeyedOperatorSpec } from "../topology.ts";
import type { Failures } from "./failures.ts";
import type { PartitionActor } from "./partition_actor.ts";
import type { KeyReader, RecordCursor } from "./record_cursor.ts";
import type { Chain } from "./stage_outputs.ts";

/** Handles rows and timers. Never throws: failures become dead letters. */
export interface KeyedOperator {
  /** One row of the key in a slot; the cursor stands at it. */
  row(actor: PartitionActor, input: number, slot: number, value: unknown, chain: Chain): void;
  /** A timer that is due, of the key in a slot; the cursor stands at its time. */
  timer(actor: PartitionActor, timer: Timer, slot: number, chain: Chain): void;
  /** The input is over for this actor. */
  complete(actor: PartitionActor, chain: Chain): void;
  close(): void;
}

/** `process` and `coFlatMap`: handlers over state and timers. */
export class HandlerOperator implements KeyedOperator {
  readonly #name: string;
  readonly #handlers: Extract<KeyedOperatorSpec, { kind: "handlers" }>["handlers"];
  readonly #onTimer: Extract<KeyedOperatorSpec, { kind: "handlers" }>["onTimer"];
  readonly #state: StateCursor;
  readonly #context: HandlerContext;
  readonly #cursor: RecordCursor;
  readonly #failures: Failures;
  readonly #scratch: unknown[] = [];

  constructor(
    name: string,
    spec: Extract<KeyedOperatorSpec, { kind: "handlers" }>,
    state: KeyedState,
    cursor: RecordCursor,
    failures: Failures,
  ) {
    this.#name = name;
    this.#handlers = spec.handlers;
    this.#onTimer = spec.onTimer;
    this.#state = new StateCursor(state);
    this.#context = new HandlerContext(
      name,
      handlesOf(spec.state, this.#state),
      state,
      this.#state,
      spec.onTimer !== undefined,
    );
    this.#cursor = cursor;
    this.#failures = failures;
  }

  row(actor: PartitionActor, input: number, slot: number, value: unknown, chain: Chain): void {
    const handler = this.#handlers[input];
    if (handler === undefined) return;
    this.#state.begin(slot);
    this.#context.point(actor, slot, this.#cursor.timestamp);
    let outputs: readonly unknown[] | undefined;
    try {
      outputs = this.#collect(handler(value, this.#context));
    } catch (error) {
      this.#state.rollback();
      this.#failures.thrown(this.#name, value, error, this.#cursor);
      return;
    }
    this.#state.commit();
    if (outputs !== undefined) this.#emit(outputs, chain);
  }

  timer(actor: PartitionActor, timer: Timer, slot: number, chain: Chain): void {
    const { key, name } = timer;
    if (this.#onTimer === undefined) return;
    this.#state.begin(slot);
    this.#context.point(actor, slot, timer.at);
    let outputs: readonly unknown[] | undefined;
    try {
      outputs = this.#collect(this.#onTimer(name, this.#context));
    } catch (error) {
      this.#state.rollback();
      this.#failures.thrown(this.#name, { key, name, at: timer.at }, error, this.#cursor);
      return;
    }
    this.#state.commit();
    if (outputs !== undefined) this.#emit(outputs, chain);
  }

  complete(_actor: PartitionActor, chain: Chain): void {
    chain.end(true);
  }

  close(): void {}

  /** Outputs leave when all are there: a generator that throws half way has put out nothing. */
  #collect(emits: Emits<unknown>): readonly unknown[] | undefined {
    if (emits === undefined) return undefined;
    if (Array.isArray(emits)) return emits;
    if (
      typeof emits === "string" || typeof emits !== "object" || emits === null ||
      !(Symbol.iterator in emits)
    ) {
      throw new TypeError(
        `Cannot emit what the handler returned: found ${typeof emits}, expected nothing, an array or a sequence`,
      );
    }
    const scratch = this.#scratch;
    scratch.length = 0;
    for (const output of emits) scratch.push(output);
    return scratch;
  }

  #emit(outputs: readonly unknown[], chain: Chain): void {
    for (let i = 0; i < outputs.length; i++) chain.next(outputs[i]);
  }
}

/** What handlers get, pointed at one key after the other. Its methods need no `this`: handlers take it apart. */
class HandlerContext implements KeyedContext<Key, StateSpecs> {
  timestamp = -Infinity;
  watermark = -Infinity;
  readonly state: Handles<StateSpecs>;
  readonly setTimer: (name: string, at: number) => void;
  readonly clearTimer: (name: string) => void;
  readonly #keys: KeyReader;
  #slot = 0;
  #actor: PartitionActor | undefined;

  constructor(
    operator: string,
    state: Handles<StateSpecs>,
    keys: KeyReader,
    cursor: StateCursor,
    hasTimerHandler: boolean,
  ) {
    this.state = state;
    this.#keys = keys;
    this.setTimer = (name, at) => {
      const timers = this.#actor?.timers;
      if (timers === undefined) return;
      if (!hasTimerHandler) {
        throw new TypeError(
          `Cannot set timer "${name}" of "${operator}": the operator has no onTimer`,
        );
      }
      if (!Number.isFinite(at)) {
        throw new RangeError(
          `Cannot set timer "${name}" of "${operator}" for ${at}: expected a finite time; records have one after eventTime()`,
        );
      }
      this.#undoTimer(cursor, name);
      timers.set(this.key, name, at);
    };
    this.clearTimer = (name) => {
      if (this.#actor?.timers.at(this.key, name) === undefined) return;
      this.#undoTimer(cursor, name);
      this.#actor.timers.clear(this.key, name);
    };
  }

  get key(): Key {
    return this.#keys.keyAt(this.#slot);
  }

  point(actor: PartitionActor, slot: number, timestamp: number): void {
    this.#actor = actor;
    this.#slot = slot;
    this.timestamp = timestamp;
    this.watermark = actor.watermark;
  }

  #undoTimer(cursor: StateCursor, name: string): void {
    const { key } = this;
    const timers = this.#actor?.timers;
    const before = timers?.at(key, name);
    cursor.onRollback(() => {
      if (before === undefined) timers?.clear(key, name);
      else timers?.set(key, name, before);
    });
  }
}
