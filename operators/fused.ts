/**
 * Operators that the engine runs as plain functions. An operator of ours is an ordinary RxJS `OperatorFunction`, usable
 * in any pipe; it also carries the function that does the same for one value, and the engine calls that instead of
 * subscribing: about a tenth of the cost.
 *
 * @module
 */

import { Observable, type OperatorFunction } from "../deps.ts";

/** Takes one output of an operator. */
export type Emit<R> = (value: R) => void;

/** What happens to values that an operator refuses; the engine makes dead letters of them. */
export interface Refusals {
  refuse(value: unknown, reason: string): void;
}

/** Handles one value: calls `emit` for each output, in order. A throw is the record's failure, not the stream's. */
export type Step<T, R> = (value: T, emit: Emit<R>, refusals: Refusals) => void;

/** Registered, not only unique: a job imported from a URL brings its own copy of this module. */
const step: unique symbol = Symbol.for("penstock.step");

/** An operator with its plain function. */
export interface FusedOperator<T, R> extends OperatorFunction<T, R> {
  readonly [step]: Step<T, R>;
}

const throwing: Refusals = {
  refuse(_value, reason) {
    throw new TypeError(reason);
  },
};

/**
 * Makes an operator of a plain function. In a pipe outside the engine a refused value errors the stream, as RxJS users
 * expect.
 *
 * @example Doubling
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { of } from "npm:rxjs@7.8.2";
 * import { fused } from "./fused.ts";
 * const double = fused<number, number>((value, emit) => emit(value * 2));
 * const out: number[] = [];
 * of(1, 2).pipe(double).subscribe((value) => out.push(value));
 * assertEquals(out, [2, 4]);
 * ```
 */
export function fused<T, R>(run: Step<T, R>): FusedOperator<T, R> {
  const operator: OperatorFunction<T, R> = (source) =>
    new Observable((subscriber) => {
      const emit = (value: R) => subscriber.next(value);
      return source.subscribe({
        next(value) {
          try {
            run(value, emit, throwing);
          } catch (error) {
            subscriber.error(error);
          }
        },
        error: (error) => subscriber.error(error),
        complete: () => subscriber.complete(),
      });
    });
  return Object.assign(operator, { [step]: run });
}

/** The plain function of an operator that has one. */
export function stepOf<T, R>(operator: OperatorFunction<T, R>): Step<T, R> | undefined {
  return (operator as Partial<FusedOperator<T, R>>)[step];
}
