/**
 * Where a shard is read from: as options say it, as checkpoints keep it (text), and as GetShardIterator takes it.
 *
 * A start at "latest" is turned into a time once and stays that time. An iterator of type LATEST means "now" anew at every
 * call, so an expiry or a restart before the first record would skip what came in between, and a child shard found
 * later would lose its beginning. A time covers both: for shards that are born after it, it means their beginning.
 * Flink's connector does the same.
 *
 * @module
 */

/** Where to start when there is no position yet: an option of the Kinesis source. */
export type KinesisStart =
  /** What arrives from the job's start on. */
  | "latest"
  /** The oldest records that the stream still has. */
  | "trimHorizon"
  /** What arrived at this time, ms since the epoch, or later. A time to come is waited for. */
  | { readonly at: number }
  /** After these sequence numbers, by shard id, as another consumer left them; other shards from their beginning. */
  | { readonly after: Readonly<Record<string, string>> };

/** A place in a shard. */
export type Position =
  | { readonly kind: "trimHorizon" }
  | { readonly kind: "at"; readonly timestampMs: number }
  | { readonly kind: "after"; readonly sequenceNumber: string };

/**
 * The position as text: a sequence number, or `"at:<ms>"` and `"trimHorizon"` before the first record.
 *
 * @example There and back
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parsePosition, positionText } from "./position.ts";
 * assertEquals(positionText(parsePosition("at:1700000000000")), "at:1700000000000");
 * ```
 */
export function positionText(position: Position): string {
  switch (position.kind) {
    case "trimHorizon":
      return "trimHorizon";
    case "at":
      return `at:${position.timestampMs}`;
    case "after":
      return position.sequenceNumber;
  }
}

/**
 * Reads what {@linkcode positionText} wrote.
 *
 * @throws {SyntaxError} if it is something else
 */
export function parsePosition(text: string): Position {
  if (text === "trimHorizon") return { kind: "trimHorizon" };
  const at = /^at:(\d+)$/.exec(text);
  if (at) return { kind: "at", timestampMs: Number(at[1]) };
  if (/^\d+$/.test(text)) return { kind: "after", sequenceNumber: text };
  throw new SyntaxError(
    `Cannot continue a Kinesis shard after ${JSON.stringify(text)}: expected a sequence number, ` +
      `"at:<ms>" or "trimHorizon"; was the checkpoint made with another source under this name?`,
  );
}

/** Where a shard starts without a checkpoint. `startedAtMs` is what "latest" stands for. */
export function startPosition(start: KinesisStart, shard: string, startedAtMs: number): Position {
  if (start === "trimHorizon") return { kind: "trimHorizon" };
  if (start === "latest") return { kind: "at", timestampMs: startedAtMs };
  if ("at" in start) return { kind: "at", timestampMs: start.at };
  const sequenceNumber = start.after[shard];
  return sequenceNumber === undefined ? { kind: "trimHorizon" } : { kind: "after", sequenceNumber };
}

/** The part of a GetShardIterator request that says where. */
export type IteratorStart =
  | { readonly ShardIteratorType: "TRIM_HORIZON" }
  | { readonly ShardIteratorType: "AT_TIMESTAMP"; readonly Timestamp: Date }
  | {
    readonly ShardIteratorType: "AFTER_SEQUENCE_NUMBER";
    readonly StartingSequenceNumber: string;
  };

/** How GetShardIterator is asked for a position. */
export function iteratorStart(position: Position): IteratorStart {
  switch (position.kind) {
    case "trimHorizon":
      return { ShardIteratorType: "TRIM_HORIZON" };
    case "at":
      return { ShardIteratorType: "AT_TIMESTAMP", Timestamp: new Date(position.timestampMs) };
    case "after":
      return {
        ShardIteratorType: "AFTER_SEQUENCE_NUMBER",
        StartingSequenceNumber: position.sequenceNumber,
      };
  }
}

/**
 * Checks a start given by a user.
 *
 * @throws {RangeError} if a time is not a whole number of ms since the epoch
 * @throws {TypeError} if a sequence number is not one
 */
export function checkStart(stream: string, start: KinesisStart): void {
  if (typeof start === "string") return;
  if ("at" in start) {
    if (Number.isSafeInteger(start.at) && start.at >= 0) return;
    throw new RangeError(
      `Cannot start stream "${stream}" at ${start.at}: expected whole milliseconds since the epoch`,
    );
  }
  for (const [shard, sequenceNumber] of Object.entries(start.after)) {
    if (/^\d+$/.test(sequenceNumber)) continue;
    throw new TypeError(
      `Cannot start shard "${shard}" of stream "${stream}" after ${
        JSON.stringify(sequenceNumber)
      }: ` +
        `expected a sequence number in decimal digits`,
    );
  }
}
