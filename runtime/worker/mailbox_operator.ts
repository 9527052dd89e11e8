/**
 * `actor()` and `pipe()` of keyed streams: RxJS behind the key. An actor's behavior is called when its key becomes
 * active and gets the key's mailbox as an Observable; an inactive key's chain is dropped, its state stays.
 *
 * @module
 */

import { type Observable, Subject, type Subscription } from "../../deps.ts";
import type { Cancel, Clock } from "../clock.ts";
import { reasonOf } from "../dead_letter.ts";
import type { Key } from "../key.ts";
import { ACTIVE_MAILBOXES_MAX } from "../limits.ts";
import type { KeyReader } from "../state/key_reader.ts";
import type { KeyedState } from "../state/keyed_state.ts";
import { handlesOf, StateCursor } from "../state/memory_state.ts";
import type { Handles, StateSpecs } from "../state/state.ts";
import type { ActorContext, Keyed } from "../stream.ts";
import type { KeyedOperator as KeyedOperatorSpec } from "../topology.ts";
import type { Failures } from "./failures.ts";
import type { KeyedOperator } from "./keyed_operator.ts";
import { endOrigin } from "./output_id.ts";
import type { PartitionActor } from "./partition_actor.ts";
import type { RecordCursor } from "./record_cursor.ts";
import { RxChain } from "./rx_chain.ts";
import type { Chain } from "./stage_chain.ts";

/** An active key's mailbox. */
interface ActiveMailbox {
  readonly mailbox: Subject<unknown>;
  readonly context: MailboxContext;
  subscription: Subscription | undefined;
  /** The clock's time of the last record. */
  lastUsed: number;
  /** Whether the behavior's Observable has completed: the key's next record calls the behavior again. */
  done: boolean;
}

/** `actor()`: a mailbox Observable per active key. */
export class MailboxOperator implements KeyedOperator {
  readonly #name: string;
  readonly #spec: Extract<KeyedOperatorSpec, { kind: "actor" }>;
  readonly #clock: Clock;
  readonly #cursor: RecordCursor;
  readonly #failures: Failures;
  readonly #keyed: KeyedState;
  readonly #state: StateCursor;
  readonly #handles: Handles<StateSpecs>;
  /** By actor, then key, longest unused first. */
  readonly #active = new Map<PartitionActor, Map<Key, ActiveMailbox>>();
  readonly #scratch: unknown[] = [];
  /** Whose record is being handled. */
  #handled: ActiveMailbox | undefined;
  #thrown: { error: unknown } | undefined;
  #cancelSweep: Cancel | undefined;

  constructor(
    name: string,
    spec: Extract<KeyedOperatorSpec, { kind: "actor" }>,
    state: KeyedState,
    clock: Clock,
    cursor: RecordCursor,
    failures: Failures,
  ) {
    this.#name = name;
    this.#spec = spec;
    this.#clock = clock;
    this.#cursor = cursor;
    this.#failures = failures;
    this.#keyed = state;
    this.#state = new StateCursor(state);
    this.#handles = handlesOf(spec.state, this.#state);
  }

  row(actor: PartitionActor, _input: number, slot: number, value: unknown, chain: Chain): void {
    const key = this.#keyed.keyAt(slot);
    this.#state.begin(slot);
    this.#scratch.length = 0;
    this.#thrown = undefined;
    try {
      const active = this.#activate(actor, key);
      this.#handled = active;
      active.context.timestamp = this.#cursor.timestamp;
      active.context.watermark = actor.watermark;
      active.mailbox.next(value);
    } catch (error) {
      this.#thrown = { error };
    }
    const thrown = this.#settled();
    if (thrown !== undefined) {
      this.#state.rollback();
      this.#passivate(actor, key);
      this.#failures.thrown(this.#name, value, thrown.error, this.#cursor);
      return;
    }
    this.#state.commit();
    for (const output of this.#scratch) chain.next(output);
  }

  /** The handling is over; what was thrown in it. */
  #settled(): { error: unknown } | undefined {
    this.#handled = undefined;
    return this.#thrown;
  }

  timer(): void {}

  /** Mailboxes complete, so that operators which wait for the end emit. */
  complete(actor: PartitionActor, chain: Chain): void {
    for (const [key, active] of this.#active.get(actor) ?? []) {
      const slot = this.#keyed.enterKey(key, actor.group);
      this.#cursor.leave(-Infinity, endOrigin(this.#name, "key", key));
      this.#cursor.keys = this.#keyed;
      this.#cursor.slot = slot;
      this.#complete(slot, active, chain);
      this.#keyed.leave(slot);
    }
    this.#active.delete(actor);
    chain.end(true);
  }

  leave(actor: PartitionActor): void {
    for (const key of [...this.#active.get(actor)?.keys() ?? []]) this.#passivate(actor, key);
    this.#active.delete(actor);
  }

  #complete(slot: number, active: ActiveMailbox, chain: Chain): void {
    this.#state.begin(slot);
    this.#scratch.length = 0;
    this.#thrown = undefined;
    this.#handled = active;
    active.mailbox.complete();
    const thrown = this.#settled();
    if (thrown !== undefined) {
      this.#state.rollback();
      this.#failures.thrown(this.#name, undefined, thrown.error, this.#cursor);
      return;
    }
    this.#state.commit();
    for (const output of this.#scratch) chain.next(output);
  }

  close(): void {
    this.#cancelSweep?.();
    for (const [actor, keys] of this.#active) {
      for (const key of [...keys.keys()]) this.#passivate(actor, key);
    }
  }

  #activate(actor: PartitionActor, key: Key): ActiveMailbox {
    let keys = this.#active.get(actor);
    if (keys === undefined) this.#active.set(actor, keys = new Map());
    const now = this.#clock.now();
    let active = keys.get(key);
    if (active === undefined) {
      active = this.#start(actor, key, now);
      const oldest = keys.size >= ACTIVE_MAILBOXES_MAX ? keys.keys().next().value : undefined;
      if (oldest !== undefined) this.#passivate(actor, oldest);
    } else if (active.lastUsed !== now) {
      keys.delete(key);
      active.lastUsed = now;
    }
    if (!active.done) keys.set(key, active);
    this.#sweepLater();
    return active;
  }

  #start(actor: PartitionActor, key: Key, now: number): ActiveMailbox {
    const mailbox = new Subject<unknown>();
    const context = new MailboxContext(
      key,
      this.#handles,
      this.#clock,
      actor.watermark,
      this.#cursor.timestamp,
    );
    const outputs: Observable<unknown> = this.#spec.behavior(mailbox.asObservable(), context);
    const active: ActiveMailbox = {
      mailbox,
      context,
      subscription: undefined,
      lastUsed: now,
      done: false,
    };
    this.#handled = active;
    active.subscription = outputs.subscribe({
      next: (output) => {
        if (this.#handled === active) this.#scratch.push(output);
        else this.#outside("emitted");
      },
      error: (error) => {
        if (this.#handled === active) this.#thrown = { error };
        else this.#outside(`failed with "${reasonOf(error)}"`, error);
      },
      complete: () => {
        active.done = true;
        this.#active.get(actor)?.delete(key);
      },
    });
    return active;
  }

  #passivate(actor: PartitionActor, key: Key): void {
    const keys = this.#active.get(actor);
    keys?.get(key)?.subscription?.unsubscribe();
    keys?.delete(key);
  }

  /** Looks for inactive keys once each passivation time, while there are active ones. */
  #sweepLater(): void {
    this.#cancelSweep ??= this.#clock.setTimer(this.#spec.passivateAfterMs, () => {
      this.#cancelSweep = undefined;
      const before = this.#clock.now() - this.#spec.passivateAfterMs;
      let left = 0;
      for (const [actor, keys] of this.#active) {
        for (const [key, active] of keys) {
          if (active.lastUsed > before) break;
          this.#passivate(actor, key);
        }
        left += keys.size;
      }
      if (left > 0) this.#sweepLater();
    });
  }

  /** A behavior did something while no record of its key was being handled. */
  #outside(what: string, cause?: unknown): void {
    this.#failures.fatal(
      new Error(
        `Cannot go on with actor "${this.#name}": its behavior ${what} after the call; use mapAsync for what takes time`,
        { cause },
      ),
    );
  }
}

class MailboxContext implements ActorContext<Key, StateSpecs> {
  readonly key: Key;
  readonly state: Handles<StateSpecs>;
  watermark: number;
  timestamp: number;
  readonly #clock: Clock;

  constructor(
    key: Key,
    state: Handles<StateSpecs>,
    clock: Clock,
    watermark: number,
    timestamp: number,
  ) {
    this.key = key;
    this.state = state;
    this.#clock = clock;
    this.watermark = watermark;
    this.timestamp = timestamp;
  }

  get processingTime(): number {
    return this.#clock.now();
  }
}

/** `pipe()` of a keyed stream: one subscription per actor. */
export class PipeOperator implements KeyedOperator {
  readonly #name: string;
  readonly #spec: Extract<KeyedOperatorSpec, { kind: "pipe" }>;
  readonly #keys: KeyReader;
  readonly #cursor: RecordCursor;
  readonly #failures: Failures;
  readonly #chains = new Map<PartitionActor, RxChain>();

  constructor(
    name: string,
    spec: Extract<KeyedOperatorSpec, { kind: "pipe" }>,
    keys: KeyReader,
    cursor: RecordCursor,
    failures: Failures,
  ) {
    this.#name = name;
    this.#spec = spec;
    this.#keys = keys;
    this.#cursor = cursor;
    this.#failures = failures;
  }

  row(actor: PartitionActor, _input: number, slot: number, value: unknown, chain: Chain): void {
    let rx = this.#chains.get(actor);
    if (rx === undefined) this.#chains.set(actor, rx = this.#subscribe(chain));
    const key = this.#keys.keyAt(slot);
    const keyed: Keyed<Key, unknown> = { key, value, timestamp: this.#cursor.timestamp };
    rx.next(keyed);
  }

  timer(): void {}

  complete(actor: PartitionActor, chain: Chain): void {
    this.#chains.get(actor)?.complete();
    chain.end(true);
  }

  leave(actor: PartitionActor): void {
    this.#chains.get(actor)?.close();
    this.#chains.delete(actor);
  }

  close(): void {
    for (const rx of this.#chains.values()) rx.close();
  }

  #subscribe(chain: Chain): RxChain {
    return new RxChain([this.#spec.operator], {
      emit: chain.next,
      thrown: (value, error) => this.#failures.thrown(this.#name, value, error, this.#cursor),
      outside: (what, cause) =>
        this.#failures.fatal(
          new Error(
            `Cannot go on with "${this.#name}": an operator ${what} after the call; use mapAsync for what takes time`,
            { cause },
          ),
        ),
    });
  }
}
