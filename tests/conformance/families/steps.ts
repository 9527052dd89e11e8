/**
 * Steps of a case's input, as a scripted source delivers them.
 *
 * @module
 */

import type { ShardEvent } from "../../../connectors/source.ts";
import { type GoldenObject, textOf, timeOf } from "../golden_file.ts";

/** What a `watermark` or a `status` says. */
export function eventOf(step: GoldenObject): Exclude<ShardEvent, { kind: "settle" }> {
  if ("watermark" in step) return { kind: "advance", at: timeOf(step["watermark"]) };
  const status = textOf(step, "status");
  if (status === "idle" || status === "active") return { kind: status };
  throw new TypeError(`Cannot take status ${status}: expected idle or active`);
}

/** A record with its time; `ts` null or missing: it has none. */
export function recordOf<T>(value: T, step: GoldenObject): { value: T; timestamp?: number } {
  return typeof step["ts"] === "number" ? { value, timestamp: step["ts"] } : { value };
}
