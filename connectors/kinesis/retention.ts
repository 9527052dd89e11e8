/**
 * Noticing what the service does not say: records that went out of retention before they were read. A position that is
 * older than the retention is answered with the oldest record there is, without a word.
 *
 * @module
 */

import type { ReadContext } from "../source.ts";
import type { KinesisConnection } from "./client.ts";
import { failureClass, messageOf } from "./errors.ts";
import { listShards } from "./list_shards.ts";

/** The least retention of a stream: a younger position can't have been trimmed, and needs no asking. */
export const RETENTION_MS_MIN = 24 * 3_600_000;
const HOUR_MS = 3_600_000;

/** A shard by name. */
export interface ShardName {
  readonly stream: string;
  readonly shard: string;
  readonly signal: AbortSignal;
}

/** How much older than the retention a position is, in ms; 0 if it is not. */
export function agedByMs(positionMs: number, retentionMs: number, nowMs: number): number {
  return Math.max(0, nowMs - retentionMs - positionMs);
}

/** What may be missing, if a position is older than the stream's retention. */
export interface RetentionGap {
  readonly fromMs: number;
  readonly toMs: number;
  readonly retentionHours: number;
}

/**
 * The gap if a shard is continued at a time that is older than the stream's retention; undefined if there is none, or
 * nobody can tell. What is in it may have been written: a shard without new records has an old position too, and misses
 * nothing.
 */
export async function retentionGap(
  { client, sdk }: KinesisConnection,
  { stream, shard, signal, context, positionMs }:
    & ShardName
    & { readonly context: ReadContext; readonly positionMs: number },
): Promise<RetentionGap | undefined> {
  const nowMs = context.clock.now();
  if (nowMs - positionMs <= RETENTION_MS_MIN) return undefined;
  const hours = await client.send(
    new sdk.DescribeStreamSummaryCommand({ StreamName: stream }),
    { abortSignal: signal },
  ).then(
    ({ StreamDescriptionSummary }) => StreamDescriptionSummary?.RetentionPeriodHours,
    (error) => {
      // Only the warning depends on it: a role without this permission reads all the same.
      const text = messageOf(error);
      context.logger.warn("Cannot tell whether a position is past retention", {
        stream,
        shard,
        text,
      });
      return undefined;
    },
  );
  if (hours === undefined) return undefined;
  const lostMs = agedByMs(positionMs, hours * HOUR_MS, nowMs);
  if (lostMs === 0) return undefined;
  return { fromMs: positionMs, toMs: positionMs + lostMs, retentionHours: hours };
}

/** Whether the service still lists a shard, after it said that something was not found. */
export async function shardExists(
  connection: KinesisConnection,
  { stream, shard, signal }: ShardName,
): Promise<"yes" | "no shard" | "no stream" | "unknown"> {
  try {
    const listed = await listShards(connection, { stream, filter: undefined, signal });
    return listed.some(({ ShardId }) => ShardId === shard) ? "yes" : "no shard";
  } catch (error) {
    const kind = failureClass(error);
    if (kind === "missing") return "no stream";
    if (kind === "passing" || kind === "expired") return "unknown";
    throw error;
  }
}
