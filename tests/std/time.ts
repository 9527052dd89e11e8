/**
 * `@std/testing/time` by name and signature, over `@sinonjs/fake-timers`: for code outside our control that reads the
 * machine's time. Our own code takes a `Clock` and never needs it.
 *
 * @module
 */

import { FakeTimers } from "../deps.ts";

/** Replaces `Date`, timers and `performance.now` until restored; only one at a time. */
export class FakeTime {
  readonly start: number;
  readonly #clock: ReturnType<typeof FakeTimers.install>;
  #restored = false;
  static #current: FakeTime | undefined;

  constructor(start: number | string | Date = Date.now()) {
    if (FakeTime.#current !== undefined) {
      throw new TypeError("Cannot fake time: it is already faked");
    }
    this.start = new Date(start).getTime();
    if (Number.isNaN(this.start)) {
      throw new TypeError(`Cannot fake time: start ${JSON.stringify(start)} is not a time`);
    }
    this.#clock = FakeTimers.install({ now: this.start });
    FakeTime.#current = this;
  }

  /** Ends the faking that is going on. */
  static restore(): void {
    if (FakeTime.#current === undefined) {
      throw new TypeError("Cannot restore time: it is not faked");
    }
    FakeTime.#current.restore();
  }

  /** The fake time, ms since the epoch. */
  get now(): number {
    return this.#clock.now;
  }

  /** Moves time on, running what falls due. */
  tick(ms = 0): void {
    this.#clock.tick(ms);
  }

  /** As {@linkcode tick}, with promise jobs run between timers. */
  async tickAsync(ms = 0): Promise<void> {
    await this.#clock.tickAsync(ms);
  }

  /** Moves time on to the next timer; false if there is none. */
  next(): boolean {
    if (this.#clock.countTimers() === 0) return false;
    this.#clock.next();
    return true;
  }

  /** As {@linkcode next}, with promise jobs run. */
  async nextAsync(): Promise<boolean> {
    if (this.#clock.countTimers() === 0) return false;
    await this.#clock.nextAsync();
    return true;
  }

  /** Runs timers until none is left. */
  runAll(): void {
    this.#clock.runAll();
  }

  /** As {@linkcode runAll}, with promise jobs run between timers. */
  async runAllAsync(): Promise<void> {
    await this.#clock.runAllAsync();
  }

  /** Runs the promise jobs that are waiting. */
  async runMicrotasks(): Promise<void> {
    await this.#clock.tickAsync(0);
  }

  /** Puts the machine's time back. */
  restore(): void {
    if (this.#restored) throw new TypeError("Cannot restore time: it is not faked");
    this.#restored = true;
    FakeTime.#current = undefined;
    this.#clock.uninstall();
  }

  [Symbol.dispose](): void {
    this.restore();
  }
}
