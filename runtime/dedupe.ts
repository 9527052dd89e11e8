/**
 * Letting each row pass once: what makes reading exactly once of a stream that is written at least once, where a row that
 * is written again has the id that it had.
 *
 * @module
 */

import { type Duration, milliseconds } from "./duration.ts";
import type { Key } from "./key.ts";
import { type MapState, type StateSpec, store } from "./state/state.ts";
import type { ProcessOptions } from "./stream.ts";

/** What `dedupe` goes by. */
export interface DedupeOptions<T> {
  /** The row's id, the same in each repeat of it. */
  readonly id: (row: T) => string;
  /** For how long after the first row with an id others with it are repeats, in processing time: longer than repeats take. */
  readonly keepFor: Duration;
}

/** When each id has passed, in that order. */
type Passed = { readonly passed: StateSpec<MapState<string, number>> };

const PRUNE = "prune";

/**
 * The handlers of `dedupe`. Each key has one timer, which comes once each `keepFor` while there are ids: so an id is kept
 * for twice that at most, and a key without any costs nothing.
 *
 * @throws {RangeError} if `keepFor` is no duration above 0
 *
 * @example What they are made of
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { dedupeHandlers } from "./dedupe.ts";
 * const { state } = dedupeHandlers("once", { id: (row: { id: string }) => row.id, keepFor: "1h" });
 * assertEquals(state.passed.kind, "map");
 * ```
 */
export function dedupeHandlers<K extends Key, T>(
  name: string,
  { id, keepFor }: DedupeOptions<T>,
): ProcessOptions<K, Passed, T, T, never> {
  const keepForMs = milliseconds(keepFor);
  if (!(keepForMs > 0)) {
    throw new RangeError(
      `Cannot drop repeats in "${name}" that come within ${keepForMs} ms: give keepFor a duration above 0`,
    );
  }
  return {
    state: { passed: store.map<string, number>() },
    onEvent(row: T, { state: { passed }, processingTime, setProcessingTimer }) {
      const of: unknown = id(row);
      if (typeof of !== "string") {
        throw new TypeError(
          `Cannot look for repeats in "${name}": id() gave a value of type ${typeof of}, expected a string`,
        );
      }
      const first = passed.get(of);
      if (first !== undefined) {
        if (processingTime - first < keepForMs) return;
        // Ids stay in order of passing.
        passed.delete(of);
      } else if (passed.size === 0) {
        setProcessingTimer(PRUNE, processingTime + keepForMs);
      }
      passed.set(of, processingTime);
      return [row];
    },
    onTimer(_name, { state: { passed }, processingTime, setProcessingTimer }) {
      const over: string[] = [];
      for (const [id, first] of passed.entries()) {
        if (processingTime - first < keepForMs) break;
        over.push(id);
      }
      for (const id of over) passed.delete(id);
      if (passed.size > 0) setProcessingTimer(PRUNE, processingTime + keepForMs);
    },
  };
}
