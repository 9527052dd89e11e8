/**
 * Keyed operators with a broadcast input: handlers over keyed state that look at broadcast state, and one that changes
 * it, and may go through all keys.
 *
 * @module
 */

import type { BroadcastContext } from "../broadcast.ts";
import type { Clock } from "../clock.ts";
import type { Key } from "../key.ts";
import type { Sides, SideSpecs } from "../side.ts";
import type { BroadcastState } from "../state/broadcast_state.ts";
import type { KeyedState } from "../state/keyed_state.ts";
import { readonlyHandlesOf } from "../state/readonly_state.ts";
import type { Handles, StateSpecs } from "../state/state.ts";
import type { Emits } from "../stream.ts";
import type { Timer } from "../time/timers.ts";
import { type KeyedOperator as KeyedOperatorSpec, sidesOf } from "../topology.ts";
import { CallOutputs } from "./call_outputs.ts";
import type { Failures } from "./failures.ts";
import { KeyVisits } from "./key_visits.ts";
import { HandlerOperator, type KeyedOperator } from "./keyed_operator.ts";
import type { PartitionActor } from "./partition_actor.ts";
import type { RecordCursor } from "./record_cursor.ts";
import type { Chain } from "./stage_chain.ts";

type Spec = Extract<KeyedOperatorSpec, { kind: "broadcast" }>;

/** `connectBroadcast().process()`. */
export class BroadcastOperator implements KeyedOperator {
  /** This worker's copy. */
  readonly broadcastState: BroadcastState;
  readonly #name: string;
  readonly #worker: number;
  readonly #onBroadcast: Spec["onBroadcast"];
  readonly #keyed: HandlerOperator;
  readonly #state: KeyedState;
  readonly #visits: KeyVisits;
  readonly #outputs: CallOutputs;
  readonly #context: CallContext;
  readonly #cursor: RecordCursor;
  readonly #failures: Failures;
  #visiting: "not now" | "possible" | "under way" = "not now";
  /** What a visit threw, and whose it was. */
  #failedVisit: { readonly error: unknown; readonly slot: number } | undefined;

  constructor(
    name: string,
    spec: Spec,
    state: KeyedState,
    broadcastState: BroadcastState,
    { clock, cursor, failures, worker }: {
      readonly clock: Clock;
      readonly cursor: RecordCursor;
      readonly failures: Failures;
      readonly worker: number;
    },
  ) {
    this.#name = name;
    this.#worker = worker;
    this.#onBroadcast = spec.onBroadcast;
    this.broadcastState = broadcastState;
    const view = readonlyHandlesOf(broadcastState.handles, (of) => {
      throw new TypeError(
        `Cannot write broadcast state "${of}" of "${name}" in onEvent or onTimer, as it must stay alike on all workers: write it in onBroadcast`,
      );
    });
    this.#keyed = new HandlerOperator(name, spec, state, clock, cursor, failures, view);
    this.#state = state;
    this.#visits = new KeyVisits(spec.state, state);
    this.#outputs = new CallOutputs(name, sidesOf(spec));
    this.#cursor = cursor;
    this.#failures = failures;
    this.#context = new CallContext(
      clock,
      broadcastState.handles,
      this.#outputs.side,
      (apply) => this.#forEachKey(apply),
    );
  }

  row(actor: PartitionActor, input: number, slot: number, value: unknown, chain: Chain): void {
    this.#keyed.row(actor, input, slot, value, chain);
  }

  timer(actor: PartitionActor, timer: Timer, chain: Chain): void {
    this.#keyed.timer(actor, timer, chain);
  }

  broadcast(actor: PartitionActor, value: unknown, chain: Chain): void {
    const outputs = this.#outputs;
    this.#context.timestamp = this.#cursor.timestamp;
    this.#context.watermark = actor.watermark;
    outputs.begin();
    this.#visiting = "possible";
    try {
      outputs.collect(this.#onBroadcast(value, this.#context));
    } catch (error) {
      this.#visits.undo();
      this.broadcastState.rollback();
      this.#fail(value, error);
      outputs.truncate(0);
    }
    this.#visiting = "not now";
    outputs.end();
    this.broadcastState.commit();
    outputs.emit(chain, this.#cursor, this.#state);
    this.#visits.end();
  }

  complete(actor: PartitionActor, chain: Chain): void {
    this.#keyed.complete(actor, chain);
  }

  close(): void {
    this.#keyed.close();
    this.broadcastState.close();
  }

  #forEachKey(apply: (key: Key, state: Handles<StateSpecs>) => Emits<unknown>): void {
    if (this.#visiting !== "possible") {
      const found = this.#visiting === "under way" ? "within itself" : "after the call";
      throw new TypeError(
        `Cannot go through the keys of "${this.#name}" ${found}: call forEachKey in onBroadcast, once it is done with the last one`,
      );
    }
    const outputs = this.#outputs;
    this.#failedVisit = undefined;
    this.#visiting = "under way";
    try {
      this.#visits.each((slot) => {
        const before = outputs.length;
        outputs.point(slot);
        try {
          outputs.collect(apply(this.#state.keyAt(slot), this.#visits.handles));
        } catch (error) {
          outputs.truncate(before);
          this.#failedVisit = { error, slot };
          throw error;
        }
      });
    } finally {
      outputs.point();
      this.#visiting = "possible";
    }
  }

  /** Each worker that fails says so: it may be the only one, and what it has not done is missing there. */
  #fail(value: unknown, error: unknown): void {
    const visit = this.#failedVisit;
    if (visit !== undefined && visit.error === error) {
      this.#cursor.keys = this.#state;
      this.#cursor.slot = visit.slot;
    }
    this.#failures.thrown(`${this.#name}/onBroadcast@${this.#worker}`, value, error, this.#cursor);
    this.#failedVisit = undefined;
    this.#cursor.keys = undefined;
  }
}

/** What `onBroadcast` gets. Its methods need no `this`: handlers take it apart. */
class CallContext implements BroadcastContext<Key, StateSpecs, StateSpecs, SideSpecs, unknown> {
  timestamp = -Infinity;
  watermark = -Infinity;
  readonly broadcast: Handles<StateSpecs>;
  readonly side: Sides<SideSpecs>;
  readonly forEachKey: (
    apply: (key: Key, state: Handles<StateSpecs>) => Emits<unknown>,
  ) => void;

  readonly #clock: Clock;

  constructor(
    clock: Clock,
    broadcast: Handles<StateSpecs>,
    side: Sides<SideSpecs>,
    forEachKey: CallContext["forEachKey"],
  ) {
    this.#clock = clock;
    this.broadcast = broadcast;
    this.side = side;
    this.forEachKey = forEachKey;
  }

  get processingTime(): number {
    return this.#clock.now();
  }
}
