/**
 * What handlers call to set timers and to take them back, for timers of one kind. A turn that fails takes its calls back.
 *
 * @module
 */

import type { StateCursor } from "../state/memory_state.ts";
import { BY_TIMESTAMP, type TimeDomain, type TimerId, type TimerQueue } from "../time/timers.ts";
import type { PartitionActor } from "./partition_actor.ts";

/** The calls of one kind of timers; they need no `this`. */
export interface TimerCalls {
  /** Sets a timer with a name, or by its time. */
  readonly setTimer: (nameOrAt: TimerId, at?: number) => void;
  readonly clearTimer: (nameOrAt: TimerId) => void;
}

const KINDS: Readonly<Record<TimeDomain, { readonly of: string; readonly advice: string }>> = {
  event: { of: "timer", advice: "records have one after eventTime()" },
  processing: { of: "processing-time timer", advice: "processingTime is one" },
};

/**
 * Calls for the key of the running turn.
 *
 * @param cursor stands at the key
 * @param actor has the turn
 */
export function timerCalls(
  domain: TimeDomain,
  operator: string,
  hasTimerHandler: boolean,
  cursor: StateCursor,
  actor: () => PartitionActor | undefined,
): TimerCalls {
  const { of, advice } = KINDS[domain];
  const queue = () => domain === "event" ? actor()?.timers : actor()?.processing;
  const refusal = (id: TimerId) =>
    `Cannot set ${typeof id === "string" ? `${of} "${id}"` : `a ${of}`} of "${operator}"`;
  return {
    setTimer(nameOrAt, ofName) {
      const timers = queue();
      if (timers === undefined) return;
      if (!hasTimerHandler) {
        throw new TypeError(`${refusal(nameOrAt)}: the operator has no onTimer`);
      }
      const isNamed = typeof nameOrAt === "string";
      if (nameOrAt === BY_TIMESTAMP) {
        throw new TypeError(
          `${refusal(nameOrAt)}: found no name; give it one, or only a time`,
        );
      }
      const at = isNamed ? ofName : nameOrAt;
      if (at === undefined || !Number.isFinite(at)) {
        throw new RangeError(
          `${refusal(nameOrAt)} for ${at}: expected a finite time; ${advice}`,
        );
      }
      const name = isNamed ? nameOrAt : BY_TIMESTAMP;
      undoLater(cursor, timers, nameOrAt, name);
      timers.set(cursor.slot, name, at);
    },
    clearTimer(nameOrAt) {
      const timers = queue();
      if (timers?.at(cursor.slot, nameOrAt) === undefined) return;
      undoLater(cursor, timers, nameOrAt, typeof nameOrAt === "string" ? nameOrAt : BY_TIMESTAMP);
      timers.clear(cursor.slot, nameOrAt);
    },
  };
}

/** Should the turn fail, the timer will be as it is now. */
function undoLater(cursor: StateCursor, timers: TimerQueue, id: TimerId, name: string): void {
  const { slot } = cursor;
  const before = timers.at(slot, id);
  cursor.onRollback(() => {
    if (before === undefined) timers.clear(slot, id);
    else timers.set(slot, name, before);
  });
}
