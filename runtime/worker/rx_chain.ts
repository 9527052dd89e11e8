/**
 * Users' RxJS operators inside a stage: subscribed once per actor and fed value by value. A throw in an operator ends
 * an RxJS subscription; here it costs the record, and the chain is subscribed anew.
 *
 * @module
 */

import {
  Observable,
  type OperatorFunction,
  type Subscriber,
  type Subscription,
} from "../../deps.ts";
import type { Emit } from "../../operators/fused.ts";
import { reasonOf } from "../dead_letter.ts";

/** What a chain tells its stage. */
export interface RxListener {
  readonly emit: Emit<unknown>;
  /** An operator threw while it handled `value`. */
  thrown(value: unknown, error: unknown): void;
  /**
   * An operator did something (`"emitted"`, or failed with `cause`) when no record was being handled:
   * it is asynchronous, and can't be used here.
   */
  outside(what: string, cause?: unknown): void;
}

/** One subscription of a run of operators. */
export class RxChain {
  readonly #operators: readonly OperatorFunction<unknown, unknown>[];
  readonly #listener: RxListener;
  #input = new ChainInput();
  #subscription: Subscription | undefined;
  #running = false;
  #current: unknown;
  #broken = false;

  constructor(operators: readonly OperatorFunction<unknown, unknown>[], listener: RxListener) {
    this.#operators = operators;
    this.#listener = listener;
    this.#subscribe();
  }

  next(value: unknown): void {
    this.#current = value;
    this.#running = true;
    this.#input.next(value);
    this.#running = false;
    if (this.#broken) this.#subscribe();
  }

  /** The input is over: operators that wait for the end, such as `reduce`, emit now. */
  complete(): void {
    this.#current = undefined;
    this.#running = true;
    this.#input.complete();
    this.#running = false;
  }

  close(): void {
    this.#subscription?.unsubscribe();
  }

  #subscribe(): void {
    this.#broken = false;
    this.#subscription?.unsubscribe();
    const input = this.#input = new ChainInput();
    const chain = this.#operators.reduce(
      (source, operator) => operator(source),
      input.observable,
    );
    this.#subscription = chain.subscribe({
      next: (value) => {
        if (this.#running) this.#listener.emit(value);
        else this.#listener.outside("emitted");
      },
      error: (error) => {
        this.#broken = true;
        if (this.#running) this.#listener.thrown(this.#current, error);
        else this.#listener.outside(`failed with "${reasonOf(error)}"`, error);
      },
    });
  }
}

/**
 * What a chain's first operator subscribes to: a Subject whose `next` is one call, since nearly always one operator
 * listens. Several get each value in the order in which they have subscribed.
 */
class ChainInput {
  readonly observable: Observable<unknown>;
  #listeners: readonly Subscriber<unknown>[] = [];
  #over = false;

  constructor() {
    this.observable = new Observable((listener) => {
      if (this.#over) return listener.complete();
      // A new array each time: one who comes or goes while a value is handed out changes nothing for the others.
      this.#listeners = [...this.#listeners, listener];
      return () => {
        this.#listeners = this.#listeners.filter((other) => other !== listener);
      };
    });
  }

  next(value: unknown): void {
    const listeners = this.#listeners;
    for (let at = 0; at < listeners.length; at++) listeners[at]?.next(value);
  }

  complete(): void {
    this.#over = true;
    for (const listener of this.#listeners) listener.complete();
  }
}
