/**
 * Which shards of a stream are to be read, and which of them wait for which. A parent counts only while it is listed:
 * the service drops it when its last record is past retention, and then nothing of it can be missed.
 *
 * A start at a time leaves out the shards that ended before it. The service is asked for that by a filter, but
 * emulators ignore filters, so it is done here again from the time in the ending sequence number.
 *
 * @module
 */

import type { ListedShard, ShardFilter } from "../../deps.ts";
import type { Shard } from "../source.ts";
import type { KinesisStart } from "./position.ts";
import { sequenceTime } from "./sequence_number.ts";

/** Sequence numbers carry whole seconds, so that a shard may have ended this much later than its number says. */
const SEQUENCE_TIME_MS_RESOLUTION = 1000;

/** The filter for ListShards: everything that can hold records from the start on. */
export function shardFilter(start: KinesisStart, startedAtMs: number): ShardFilter | undefined {
  const fromMs = startTime(start, startedAtMs);
  return fromMs === undefined ? undefined : { Type: "FROM_TIMESTAMP", Timestamp: new Date(fromMs) };
}

/**
 * The shards to read, in the order listed.
 *
 * @param startedAtMs what a start at "latest" stands for
 *
 * @example A split
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { shardTree } from "./shard_tree.ts";
 * const range = { HashKeyRange: undefined, SequenceNumberRange: undefined };
 * const listed = [{ ...range, ShardId: "a" }, { ...range, ShardId: "b", ParentShardId: "a" }];
 * assertEquals(shardTree(listed, "trimHorizon", 0), [{ id: "a", parents: [] }, { id: "b", parents: ["a"] }]);
 * ```
 */
export function shardTree(
  listed: readonly ListedShard[],
  start: KinesisStart,
  startedAtMs: number,
): Shard[] {
  const done = doneBefore(listed, start, startedAtMs);
  const wanted = listed.filter((shard) => !done.has(shard.ShardId ?? ""));
  const ids = new Set(wanted.map((shard) => shard.ShardId));
  return wanted.map((shard) => ({
    id: shard.ShardId ?? "",
    parents: parentsOf(shard).filter((parent) => ids.has(parent)),
  }));
}

/** The shards that the start leaves behind. */
function doneBefore(
  listed: readonly ListedShard[],
  start: KinesisStart,
  startedAtMs: number,
): ReadonlySet<string> {
  if (typeof start === "object" && "after" in start) {
    return ancestors(listed, Object.keys(start.after));
  }
  const fromMs = startTime(start, startedAtMs);
  const done = new Set<string>();
  if (fromMs === undefined) return done;
  for (const { ShardId, SequenceNumberRange } of listed) {
    const last = SequenceNumberRange?.EndingSequenceNumber;
    const lastMs = last === undefined ? undefined : sequenceTime(last);
    if (ShardId !== undefined && lastMs !== undefined) {
      if (lastMs + SEQUENCE_TIME_MS_RESOLUTION <= fromMs) done.add(ShardId);
    }
  }
  return done;
}

/** Shards from which the given ones descend; one that is itself given is none, it still has records to read. */
function ancestors(listed: readonly ListedShard[], of: readonly string[]): Set<string> {
  const byId = new Map(listed.map((shard) => [shard.ShardId ?? "", shard]));
  const given = new Set(of);
  const found = new Set<string>();
  const open = [...of];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const shard = byId.get(id);
    if (shard === undefined) continue;
    for (const parent of parentsOf(shard)) {
      if (found.has(parent) || given.has(parent)) continue;
      found.add(parent);
      open.push(parent);
    }
  }
  return found;
}

function parentsOf(shard: ListedShard): string[] {
  return [shard.ParentShardId, shard.AdjacentParentShardId].filter((id) => id !== undefined);
}

function startTime(start: KinesisStart, startedAtMs: number): number | undefined {
  if (start === "latest") return startedAtMs;
  return typeof start === "object" && "at" in start ? start.at : undefined;
}
