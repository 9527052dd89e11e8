/**
 * The end of a stage's part, step by step.
 *
 * @module
 */

import type { NodeId } from "../topology.ts";

/** A part of an end: goes on with `then` when everything before has passed. */
export interface EndStep {
  readonly node: NodeId;
  pass(then: () => void): void;
}

/** Goes through the steps, upstream first: inputs have lower numbers than what they feed. */
export function passAll(steps: readonly EndStep[], then: () => void): void {
  const [first, ...rest] = steps.toSorted((a, b) => a.node - b.node);
  if (first === undefined) then();
  else first.pass(() => passAll(rest, then));
}
