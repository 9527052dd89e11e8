/**
 * A job that the simulator runs, with what must come out of it, computed one record after the other.
 *
 * @module
 */

import type { CommittedRow } from "../../runtime/testing/transactional_sink.ts";
import type { Subject } from "../../runtime/testing/simulation.ts";

/** By sink, what readers have seen. */
export type Outputs = ReadonlyMap<string, readonly CommittedRow<unknown>[]>;

/** A job with its oracle. */
export interface SimulatedJob extends Subject {
  readonly name: string;
  /** What is wrong with its output; undefined if nothing is. */
  check(outputs: Outputs): string | undefined;
}

/** The texts that a sink was given. */
export function textsOf(outputs: Outputs, sink: string): readonly string[] {
  return (outputs.get(sink) ?? []).map(({ value }) => String(value));
}

/** The first difference between what came out and what should have, in any order. */
export function differenceOf(
  what: string,
  found: readonly string[],
  expected: readonly string[],
): string | undefined {
  const counts = new Map<string, number>();
  for (const text of expected) counts.set(text, (counts.get(text) ?? 0) + 1);
  for (const text of found) {
    const left = counts.get(text) ?? 0;
    if (left === 0) return `${what}: "${text}" came ${expected.includes(text) ? "twice" : "out"}`;
    counts.set(text, left - 1);
  }
  for (const [text, left] of counts) if (left > 0) return `${what}: "${text}" is lost`;
  return undefined;
}

/** Whether the numbers of each name rise one by one from 1; what is wrong if not. */
export function disorderOf(
  what: string,
  numbered: Iterable<readonly [name: string, n: number]>,
): string | undefined {
  const last = new Map<string, number>();
  for (const [name, n] of numbered) {
    const before = last.get(name) ?? 0;
    if (n !== before + 1) return `${what}: ${n} of ${name} came behind ${before}`;
    last.set(name, n);
  }
  return undefined;
}
