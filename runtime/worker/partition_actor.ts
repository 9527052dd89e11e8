/**
 * A partition actor: one key group of one keyed stage. It owns a mailbox, the state of its keys (kept beside that of the
 * stage's other groups, by slot) and their timers; nothing but its turns touches them. Its mailbox holds ranges of batches, and marks that must not overtake what came before.
 *
 * @module
 */

import { GroupTimers } from "../state/group_timers.ts";
import type { TimerQueue } from "../time/timers.ts";
import type { Rows } from "../transport/rows.ts";
import type { InboundChannel } from "./channel.ts";
import { RowTime } from "./row_time.ts";
import type { TurnTaker } from "./turn_queue.ts";

/** An empty mailbox keeps room for so many entries. */
const MAILBOX_KEPT_LENGTH = 64;

/** A batch that came over a channel, shared by the actors that have rows of it. */
export interface ReceivedBatch {
  readonly rows: Rows;
  /** The slot of each row's key. */
  readonly slots: Uint32Array;
  /** Row numbers by key group. */
  readonly order: Uint32Array;
  /** Which input of the stage it came in by. */
  readonly input: number;
  readonly channel: InboundChannel;
  /** When it came, ms of the monotonic clock. */
  readonly at: number;
  /** Rows not yet handled. */
  left: number;
}

/** A point in the stage's input that all its actors must reach: a watermark, a barrier, or the end. */
export interface StageMark {
  /** The stage's clock from here on; undefined if it stays as it is, and no timer fires. */
  readonly watermark: number | undefined;
  /**
   * Of a stage with a broadcast input, where the clock moves: whether the broadcast records before it have been handled.
   * Timers fire behind those before the mark, and before those behind it, as in an operator that takes one thing at a time.
   */
  broadcast: "unhandled" | "handled" | undefined;
  /** Actors that have not reached it. */
  waiting: number;
  /** What happens when all have. */
  pass(): void;
}

/** What stands in a mailbox. */
export type MailboxEntry =
  | { readonly kind: "rows"; readonly batch: ReceivedBatch; next: number; readonly end: number }
  | { readonly kind: "mark"; readonly mark: StageMark };

/** The actor of a key group. */
export class PartitionActor {
  readonly group: number;
  /** Of event time. */
  readonly timers: TimerQueue;
  /** Timers of processing time. */
  readonly processing: TimerQueue;
  /** Event-time clock: the last mark it has reached. */
  watermark = -Infinity;
  /** Up to which time timers of processing time are due. */
  processingTime = -Infinity;
  /** Whether it stands in line for a turn. */
  inLine = false;
  /** Whether its keys are still on their way from another worker: it takes no turns. */
  awaited = false;
  /** Rows handled and timers fired so far. */
  handled = 0;
  /** Rows in its mailbox. */
  waiting = 0;
  /** Time within its turns so far, ms: estimated from those that were timed. */
  busyMs = 0;
  /** The time of a row in those. */
  readonly rowTime = new RowTime();
  /** Takes its turns. */
  readonly taker: TurnTaker;
  /** Entries stand from `#read` up to `#end`. Kept when it is empty: an actor's mailbox fills and empties all the time. */
  #mailbox: (MailboxEntry | undefined)[] = [];
  #read = 0;
  #end = 0;

  constructor(
    group: number,
    takeTurn: (actor: PartitionActor) => number = () => 0,
    timers: GroupTimers = new GroupTimers(),
  ) {
    this.group = group;
    this.taker = { takeTurn: () => takeTurn(this) };
    this.timers = timers.event;
    this.processing = timers.processing;
  }

  /** Whether it has anything to do in a turn. */
  get isBusy(): boolean {
    if (this.awaited) return false;
    return this.next !== undefined || this.processing.nextAt <= this.processingTime;
  }

  /** What it can handle now: undefined while its first entry waits for other actors. */
  get next(): MailboxEntry | undefined {
    const { first } = this;
    return first?.kind === "mark" && first.mark.broadcast === "unhandled" ? undefined : first;
  }

  get first(): MailboxEntry | undefined {
    return this.#mailbox[this.#read];
  }

  push(entry: MailboxEntry): void {
    this.#mailbox[this.#end++] = entry;
  }

  shift(): void {
    this.#mailbox[this.#read++] = undefined;
    if (this.#read === this.#end) {
      if (this.#end > MAILBOX_KEPT_LENGTH) this.#mailbox = [];
      this.#read = 0;
      this.#end = 0;
    } else if (this.#read >= MAILBOX_KEPT_LENGTH && this.#read * 2 >= this.#end) {
      this.#mailbox = this.#mailbox.slice(this.#read, this.#end);
      this.#end -= this.#read;
      this.#read = 0;
    }
  }
}
