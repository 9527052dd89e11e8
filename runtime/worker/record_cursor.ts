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

/** Where the keys of slots can be looked up. */
export interface KeyReader {
  keyAt(slot: number): Key;
}

/** Points at the record in hand. One a stage, changed in place. */
export class RecordCursor {
  /** Event time, ms since the epoch, or -Infinity. */
  timestamp = -Infinity;
  origin: Origin = NO_ORIGIN;
  /** The record's row within its origin. */
  row = 0;
  /** Estimated payload of what the record makes: what credits count. */
  bytes = 0;
  /** Who knows the record's key by its slot; undefined for a record without a key. */
  keys: KeyReader | undefined = undefined;
  slot = 0;

  /** The record's key: looked up when asked for, since most turns never ask. */
  get key(): Key | undefined {
    return this.keys?.keyAt(this.slot);
  }

  /** A cursor that stays at this record: its key is looked up now, as its slot may get another one. */
  kept(): RecordCursor {
    const { key } = this;
    const keys = key === undefined ? undefined : { keyAt: () => key };
    return Object.assign(new RecordCursor(), this, { keys });
  }

  /** Goes to where another cursor is. */
  goTo(other: RecordCursor): void {
    Object.assign(this, other);
  }

  /** Goes to no record. */
  leave(timestamp = -Infinity): void {
    this.timestamp = timestamp;
    this.origin = NO_ORIGIN;
    this.row = 0;
    this.keys = undefined;
  }
}
