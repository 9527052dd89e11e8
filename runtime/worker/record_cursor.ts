/**
 * The record that a turn is at. User operators pass values only; time, origin and key ride along here, which works
 * because a turn is synchronous.
 *
 * @module
 */

import type { Key } from "../key.ts";
import type { KeyReader } from "../state/key_reader.ts";
import { NO_ORIGIN, type Origin } from "../transport/origin.ts";
import { mixed } from "./output_id.ts";

/** Points at the record in hand. One a stage, changed in place. */
export class RecordCursor {
  /** Event time, ms since the epoch, or -Infinity. */
  timestamp = -Infinity;
  origin: Origin = NO_ORIGIN;
  /** The record's row within its origin. */
  row = 0;
  /** Which output of that record the row in hand is. */
  sub = 0;
  /** Of the stage: what makes the numbers of its outputs differ from those of others; 0 at a source. */
  salt = 0;
  /** How many things have left for the row in hand. */
  left = 0;
  /** Estimated payload of what the record makes: what credits count. */
  bytes = 0;
  /** Who knows the record's key by its slot; undefined for a record without a key. */
  keys: KeyReader | undefined = undefined;
  slot = 0;

  /** The record's key: looked up when asked for, since most turns never ask. */
  get key(): Key | undefined {
    return this.keys?.keyAt(this.slot);
  }

  /** Numbers a thing that leaves for the row in hand: over an edge, to a sink, into a call or as a dead letter. */
  leaving(): number {
    const first = this.salt === 0 ? this.sub : mixed(this.sub, this.salt);
    return first + this.left++;
  }

  /**
   * A cursor that stays at this record: its key is looked up now, as its slot may get another one. What leaves from
   * there is numbered as that of a stage with this salt.
   */
  kept(salt: number): RecordCursor {
    const { key } = this;
    const keys = key === undefined ? undefined : { keyAt: () => key };
    const sub = this.leaving();
    return Object.assign(new RecordCursor(), this, { keys, sub, salt, left: 0 });
  }

  /** Goes to where another cursor is. */
  goTo(other: RecordCursor): void {
    Object.assign(this, other);
  }

  /** Goes to no record: to what `origin` tells of. */
  leave(timestamp = -Infinity, origin: Origin = NO_ORIGIN): void {
    this.timestamp = timestamp;
    this.origin = origin;
    this.row = 0;
    this.sub = 0;
    this.left = 0;
    this.keys = undefined;
  }
}
