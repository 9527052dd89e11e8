/**
 * Timers of one kind of one partition actor: those with a name, one per key and name, and those by timestamp, any number
 * per key, identified by their time. They fire in order of time, ties in order of setting. A timer set while timers fire
 * takes part in the same round if it is due (Flink's rule).
 *
 * @module
 */

/** Which clock a timer goes by: the watermark, or the worker's clock. */
export type TimeDomain = "event" | "processing";

/** What tells the timers of a key apart: a name, or for a timer by timestamp its time. */
export type TimerId = string | number;

/** The name of all timers by timestamp. */
export const BY_TIMESTAMP = "";

/** A timer that is set. */
export interface Timer {
  /** Of its key. */
  readonly slot: number;
  readonly domain: TimeDomain;
  /** `BY_TIMESTAMP` if it has none. */
  readonly name: string;
  /** Of its clock, ms since the epoch. */
  readonly at: number;
}

/** Who wants to know what becomes of a slot's timers. */
export interface TimerListener {
  /** They are about to change. */
  changing(slot: number): void;
  /** The slot has got its first timer of this queue, or lost its last one. */
  timed(slot: number, isTimed: boolean): void;
}

interface Entry extends Timer {
  readonly order: number;
  live: boolean;
}

const NOBODY: TimerListener = { changing() {}, timed() {} };

/** A binary heap with lazy removal. */
export class TimerQueue {
  readonly #domain: TimeDomain;
  readonly #listener: TimerListener;
  #heap: Entry[] = [];
  readonly #bySlot = new Map<number, Map<TimerId, Entry>>();
  #order = 0;
  #dead = 0;

  constructor(domain: TimeDomain = "event", listener: TimerListener = NOBODY) {
    this.#domain = domain;
    this.#listener = listener;
  }

  /** Timers set. */
  get size(): number {
    return this.#heap.length - this.#dead;
  }

  /** Time of the next timer; `Infinity` if there is none. */
  get nextAt(): number {
    this.#dropDead();
    return this.#heap[0]?.at ?? Infinity;
  }

  /** When the slot's timer is due; undefined if it is not set. */
  at(slot: number, id: TimerId): number | undefined {
    return this.#bySlot.get(slot)?.get(id)?.at;
  }

  /** Whether the slot has any timer. */
  has(slot: number): boolean {
    return this.#bySlot.has(slot);
  }

  /** All timers of a slot, in order of firing. */
  ofSlot(slot: number): readonly Timer[] {
    return [...this.#bySlot.get(slot)?.values() ?? []].sort(before);
  }

  /** Sets or moves the timer with a name; or with `BY_TIMESTAMP`, sees to it that there is one at this time. */
  set(slot: number, name: string, at: number): void {
    const id = name === BY_TIMESTAMP ? at : name;
    if (id === at && this.at(slot, id) !== undefined) return;
    this.#listener.changing(slot);
    const ids = this.#bySlot.get(slot);
    const moved = ids?.get(id);
    const order = this.#order++;
    const entry: Entry = { slot, domain: this.#domain, name, at, order, live: true };
    if (ids === undefined) this.#bySlot.set(slot, new Map([[id, entry]]));
    else ids.set(id, entry);
    this.#heap.push(entry);
    this.#rise(this.#heap.length - 1);
    if (moved !== undefined) this.#kill(moved);
    if (ids === undefined) this.#listener.timed(slot, true);
  }

  /** Takes a timer back. */
  clear(slot: number, id: TimerId): void {
    const entry = this.#bySlot.get(slot)?.get(id);
    if (entry === undefined) return;
    this.#listener.changing(slot);
    this.#kill(entry);
    this.#forget(entry);
  }

  /** Takes the next timer that is due at or before `time`. */
  takeDue(time: number): Timer | undefined {
    this.#dropDead();
    const first = this.#heap[0];
    if (first === undefined || first.at > time) return undefined;
    this.#listener.changing(first.slot);
    this.#takeFirst();
    this.#forget(first);
    return first;
  }

  #forget({ slot, name, at }: Entry): void {
    const ids = this.#bySlot.get(slot);
    if (ids === undefined) return;
    ids.delete(name === BY_TIMESTAMP ? at : name);
    if (ids.size > 0) return;
    this.#bySlot.delete(slot);
    this.#listener.timed(slot, false);
  }

  #kill(entry: Entry): void {
    entry.live = false;
    this.#dead++;
    // Timers that are moved often would leave the heap full of dead entries: rebuild when half of it is.
    if (this.#dead > 64 && this.#dead * 2 > this.#heap.length) this.#compact();
  }

  #dropDead(): void {
    while (this.#heap[0]?.live === false) {
      this.#takeFirst();
      this.#dead--;
    }
  }

  #compact(): void {
    // A sorted array is a heap.
    this.#heap = this.#heap.filter((entry) => entry.live).sort(before);
    this.#dead = 0;
  }

  #takeFirst(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink(0);
  }

  #rise(from: number): void {
    const heap = this.#heap;
    for (let at = from; at > 0;) {
      const up = (at - 1) >> 1;
      if (!this.#swapIfBefore(heap, at, up)) return;
      at = up;
    }
  }

  #sink(from: number): void {
    const heap = this.#heap;
    for (let at = from;;) {
      const left = 2 * at + 1;
      const [a, b] = [heap[left], heap[left + 1]];
      if (a === undefined) return;
      const least = b !== undefined && before(b, a) < 0 ? left + 1 : left;
      if (!this.#swapIfBefore(heap, least, at)) return;
      at = least;
    }
  }

  #swapIfBefore(heap: Entry[], lower: number, upper: number): boolean {
    const [a, b] = [heap[lower], heap[upper]];
    if (a === undefined || b === undefined || before(a, b) >= 0) return false;
    heap[upper] = a;
    heap[lower] = b;
    return true;
  }
}

function before(a: Entry, b: Entry): number {
  return a.at - b.at || a.order - b.order;
}
