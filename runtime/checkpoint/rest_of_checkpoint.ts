/**
 * What a checkpoint keeps besides changed keys and positions: event time, calls under way, broadcast state, and what
 * transactional sinks need to commit. As bytes, by structured clone.
 *
 * @module
 */

import { deserialize, serialize } from "node:v8";
import type { StageTime } from "./stage_times.ts";

/** The rest. */
export interface RestOfCheckpoint {
  readonly stages: readonly StageTime[];
  /** By sink: what `prepare` gave on the workers. */
  readonly sinks: Readonly<Record<string, readonly unknown[]>>;
}

/**
 * As bytes.
 *
 * @throws {Error} if a value can't be cloned, such as a function in a record that a mapAsync had under way
 */
export function encodeRest(rest: RestOfCheckpoint): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(serialize(rest));
  } catch (cause) {
    const calls = rest.stages.flatMap(({ pending }) => pending.map(({ operator }) => operator));
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `Cannot keep calls under way of ${
        [...new Set(calls)].join(", ")
      } in a checkpoint: ${reason}; ` +
        "records in front of a mapAsync must be plain data",
      { cause },
    );
  }
}

/** What {@linkcode encodeRest} made; the bytes have been checked by whoever read them. */
export function decodeRest(bytes: Uint8Array): RestOfCheckpoint {
  return deserialize(bytes);
}
