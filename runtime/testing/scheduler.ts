/**
 * Virtual time and a seeded order: everything that would happen "soon" on some thread waits here, and one thing after
 * the other is picked. Messages of one channel stay in order; what comes first among channels is for the seed to say.
 * Time passes only when nothing is left to do.
 *
 * @module
 */

import { type Cancel, type Clock, systemClock } from "../clock.ts";
import type { Random } from "../random.ts";
import type { Outside } from "../worker/async_operator.ts";

/** How long the real world is waited for when a mapAsync call does not answer, ms of real time. */
const OUTSIDE_MS_MAX = 10_000;

interface VirtualTimer {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

/** What waits in a line of its own. */
interface Line {
  readonly tasks: (() => void)[];
}

/** A scheduler for everything in one process. */
export class Scheduler implements Outside {
  /** Called before each step: what a simulator does to the job, it does then. */
  onStep: (() => void) | undefined;
  /** Virtual time. Deferred calls take their turn with messages. */
  readonly clock: Clock;
  readonly #random: Random;
  readonly #ready: Line[] = [];
  readonly #timers = new Set<VirtualTimer>();
  #now: number;
  #order = 0;
  #outside = 0;

  /** @param start the time at the beginning, ms since the epoch */
  constructor(random: Random, start = 0) {
    this.#random = random;
    this.#now = start;
    this.clock = {
      now: () => this.#now,
      monotonic: () => this.#now,
      setTimer: (delayMs, callback) => this.#setTimer(delayMs, callback),
      defer: (callback) => this.#defer(callback),
    };
  }

  enter(): void {
    this.#outside++;
  }

  leave(): void {
    this.#outside--;
  }

  /** A channel: what is given to it is run later, in order. */
  channel(): (task: () => void) => void {
    const line: Line = { tasks: [] };
    return (task) => {
      line.tasks.push(task);
      if (line.tasks.length === 1) this.#ready.push(line);
    };
  }

  /**
   * Runs until the promise settles.
   *
   * @throws {Error} if nothing is left that could happen
   */
  async run<T>(outcome: Promise<T>): Promise<T> {
    let settled = false;
    outcome.then(() => settled = true, () => settled = true);
    let waitingSince: number | undefined;
    while (!settled) {
      if (this.#step()) {
        waitingSince = undefined;
        // Promises take their turns between tasks.
        await Promise.resolve();
        continue;
      }
      await new Promise<void>((resolve) => void systemClock.defer(resolve));
      if (settled || this.#ready.length > 0) continue;
      if (this.#outside > 0) {
        waitingSince ??= systemClock.monotonic();
        if (systemClock.monotonic() - waitingSince < OUTSIDE_MS_MAX && this.#timers.size === 0) {
          continue;
        }
        if (systemClock.monotonic() - waitingSince < OUTSIDE_MS_MAX / 10) continue;
      }
      if (!this.#fireNext(Infinity)) {
        throw new Error(
          this.#outside > 0
            ? `Cannot go on: a mapAsync call has not answered for ${OUTSIDE_MS_MAX} ms; give it a timeout`
            : "Cannot go on: nothing is left to do, and the job has not ended; does one of its sources never end?",
        );
      }
    }
    return await outcome;
  }

  /**
   * Runs until nothing is left to do at the present time, calls into the outside included; timers wait.
   *
   * @throws {Error} if such a call does not answer
   */
  async runUntilIdle(): Promise<void> {
    let waitingSince: number | undefined;
    for (;;) {
      if (this.#step()) {
        waitingSince = undefined;
        // Promises take their turns between tasks.
        await Promise.resolve();
        continue;
      }
      await new Promise<void>((resolve) => void systemClock.defer(resolve));
      if (this.#ready.length > 0) continue;
      if (this.#outside === 0) return;
      waitingSince ??= systemClock.monotonic();
      if (systemClock.monotonic() - waitingSince >= OUTSIDE_MS_MAX) {
        throw new Error(
          `Cannot go on: a mapAsync call has not answered for ${OUTSIDE_MS_MAX} ms; give it a timeout`,
        );
      }
    }
  }

  /**
   * Sets the time, and runs what is due then: timers in order of their times, each with all that follows from it. All
   * read `time` as the time, as after a wait in which nothing ran.
   *
   * @throws {RangeError} if `time` is over already
   */
  async advanceTo(time: number): Promise<void> {
    if (time < this.#now) {
      throw new RangeError(`Cannot set the time to ${time}: it is ${this.#now} already`);
    }
    await this.runUntilIdle();
    this.#now = time;
    while (this.#fireNext(time)) await this.runUntilIdle();
  }

  #step(): boolean {
    if (this.#ready.length === 0) return false;
    this.onStep?.();
    const pick = Math.floor(this.#random() * this.#ready.length);
    const line = this.#ready[pick];
    const task = line?.tasks.shift();
    if (line?.tasks.length === 0) {
      const last = this.#ready.pop();
      if (last !== undefined && last !== line) this.#ready[pick] = last;
    }
    task?.();
    return true;
  }

  /** Goes to the next timer's time, if that is not beyond `until`, and fires it. */
  #fireNext(until: number): boolean {
    let next: VirtualTimer | undefined;
    for (const timer of this.#timers) {
      if (
        next === undefined || timer.at < next.at ||
        (timer.at === next.at && timer.order < next.order)
      ) next = timer;
    }
    if (next === undefined || next.at > until) return false;
    this.#timers.delete(next);
    this.#now = Math.max(this.#now, next.at);
    next.callback();
    return true;
  }

  #setTimer(delayMs: number, callback: () => void): Cancel {
    const timer = {
      at: this.#now + Math.max(0, Math.ceil(delayMs)),
      order: this.#order++,
      callback,
    };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  #defer(callback: () => void): Cancel {
    let wanted = true;
    this.channel()(() => {
      if (wanted) callback();
    });
    return () => {
      wanted = false;
    };
  }
}
