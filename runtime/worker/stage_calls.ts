/**
 * The `mapAsync` operators of a stage on one worker, and the calls that a checkpoint had of them.
 *
 * @module
 */

import type { PendingCall } from "../checkpoint/worker_snapshot.ts";
import type { NodeOf } from "../topology.ts";
import { AsyncOperator } from "./async_operator.ts";
import { Valve } from "./gate.ts";
import type { Compiling, StageSurroundings } from "./stage_chain.ts";

/** One of them, with the valve that stops its results. */
export interface OpenCalls {
  readonly operator: AsyncOperator;
  readonly downstream: Valve;
}

/** Opens one. `handedOn`: called when answers have gone on. */
export function openAsync(
  { name, call }: NodeOf<"mapAsync">,
  { clock, queue, failures, outside, cursor, halted }: StageSurroundings,
  handedOn: () => void,
): OpenCalls {
  const downstream = new Valve(() => operator.resume());
  halted.join(downstream);
  const operator = new AsyncOperator({
    ...{ name, call, clock, queue, failures, outside, cursor, downstream, handedOn },
  });
  return { operator, downstream };
}

/** Records that had no answer at the checkpoint that the job starts from. */
export class PendingCalls {
  #calls: readonly PendingCall[];

  constructor(calls: readonly PendingCall[] = []) {
    this.#calls = calls;
  }

  /** Calls for those of an owner, once: an owner that moves here later has none. */
  again({ owner, answers }: Compiling, operators: readonly AsyncOperator[]): void {
    const calls = this.#calls.filter((of) => of.owner === owner);
    this.drop(owner);
    for (const call of calls) {
      const operator = operators.find(({ name }) => name === call.operator);
      const emit = answers.get(call.operator);
      if (emit !== undefined) operator?.pushAgain(call, emit);
    }
  }

  /** Forgets those of an owner: another worker has had them answered. */
  drop(owner: string | number): void {
    this.#calls = this.#calls.filter((of) => of.owner !== owner);
  }
}
