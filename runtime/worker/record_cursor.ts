/**
 * The record that a turn is at. User operators pass values only; time, origin and key ride along here, which works
 * because a turn is synchronous.
 *
 * @module
 */

import type { Key } from "../stream.ts";

/** Where rows came from: a batch of a shard. Shared by all rows of the batch. */
export interface Origin {
  /** `<source>/<shard>`, or "" for rows that no record caused. */
  readonly shard: string;
  positionAt(row: number): string;
}

/** The origin of what a timer emits. */
export const NO_ORIGIN: Origin = { shard: "", positionAt: () => "" };

/** `<source>/<shard>@<position>`: for dead letters and output ids. */
export function originText(origin: Origin, row: number): string {
  return origin.shard === "" ? "" : `${origin.shard}@${origin.positionAt(row)}`;
}

/** Points at the record in hand. One a stage, changed in place. */
export class RecordCursor {
  /** Event time, ms since the epoch, or -Infinity. */
  timestamp = -Infinity;
  origin: Origin = NO_ORIGIN;
  /** The record's row within its origin. */
  row = 0;
  key: Key | undefined = undefined;
  /** Estimated payload of what the record makes: what credits count. */
  bytes = 0;
}
