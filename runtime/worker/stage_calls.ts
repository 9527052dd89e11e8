/**
 * The `mapAsync` operators of a stage on one worker.
 *
 * @module
 */

import type { NodeOf } from "../topology.ts";
import { AsyncOperator } from "./async_operator.ts";
import { Valve } from "./gate.ts";
import type { StageSurroundings } from "./stage_chain.ts";

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
