/**
 * Dead letters: records that could not be processed, kept with the reason, so that one bad record costs itself and
 * nothing else.
 *
 * @module
 */

import type { RawRecord } from "../connectors/raw_record.ts";

/** A record that could not be processed. Plain data, fit for a sink. */
export interface DeadLetter {
  /** The operator, source or sink that could not go on with it. */
  readonly operator: string;
  /** The record's key, where it had one. */
  readonly key?: string | number;
  /** The source shard and position of the record that this came from; "" for a timer. */
  readonly origin: string;
  readonly reason: string;
  /** Event time, where it had one. */
  readonly timestamp?: number;
  /** The value as it came in, bytes as base64. */
  readonly value: unknown;
}

/** What the sink of dead letters is called among those of the job. */
export const DEAD_LETTERS = "dead letters";

/** What happens after a record failed: go on, restart the job, or stop it. */
export type ErrorPolicy = "resume" | "restart" | "stop";

/** A value in a form that can be sent and written: raw records as their fields, with the payload in base64. */
export function letterValue(value: unknown): unknown {
  if (!isRawRecord(value)) return value;
  const { partitionKey, sequenceNumber, approximateArrival, shardId, data } = value;
  return { partitionKey, sequenceNumber, approximateArrival, shardId, data: data.toBase64() };
}

function isRawRecord(value: unknown): value is RawRecord {
  return typeof value === "object" && value !== null && "data" in value &&
    value.data instanceof Uint8Array && "sequenceNumber" in value;
}

/** What went wrong, in a line. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
