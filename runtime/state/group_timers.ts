/**
 * The timers of a key group, of both kinds: a partition actor sets and fires them, checkpoints read them by slot.
 *
 * @module
 */

import { BY_TIMESTAMP, type TimeDomain, type TimerListener, TimerQueue } from "../time/timers.ts";

/** A timer of a key, as it is kept in a checkpoint. */
export interface KeyTimer {
  readonly domain: TimeDomain;
  /** `""` for a timer by timestamp. */
  readonly name: string;
  /** Of its clock, ms since the epoch. */
  readonly at: number;
}

/** Two queues that tell of their slots as one: a slot is timed while it has a timer in either. */
export class GroupTimers {
  readonly event: TimerQueue;
  readonly processing: TimerQueue;

  constructor(listener?: TimerListener) {
    this.event = new TimerQueue("event", listener && behind(listener, () => this.processing));
    this.processing = new TimerQueue("processing", listener && behind(listener, () => this.event));
  }

  /** Timers set, of both kinds. */
  get size(): number {
    return this.event.size + this.processing.size;
  }

  /** A slot's timers, the event-time ones first, each kind in order of firing. */
  of(slot: number): KeyTimer[] {
    return [...this.event.ofSlot(slot), ...this.processing.ofSlot(slot)]
      .map(({ domain, name, at }) => ({ domain, name, at }));
  }

  /** Takes all timers of a slot back. */
  clear(slot: number): void {
    for (const { domain, name, at } of this.of(slot)) {
      this[domain].clear(slot, name === BY_TIMESTAMP ? at : name);
    }
  }

  /** Sets timers of a slot that had none. */
  put(slot: number, timers: readonly KeyTimer[]): void {
    for (const { domain, name, at } of timers) this[domain].set(slot, name, at);
  }
}

/** The listener of one queue: a slot that has timers in the other is timed anyway. */
function behind(listener: TimerListener, other: () => TimerQueue): TimerListener {
  return {
    changing: (slot) => listener.changing(slot),
    timed: (slot, isTimed) => {
      if (!other().has(slot)) listener.timed(slot, isTimed);
    },
  };
}
