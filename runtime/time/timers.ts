/**
 * Event-time timers of one partition actor: named, one per key and name, fired in order of time, ties in order of
 * setting. A timer set while timers fire takes part in the same round if it is due (Flink's rule).
 *
 * @module
 */

import type { Key } from "../stream.ts";

/** A timer that is set. */
export interface Timer {
  readonly key: Key;
  readonly name: string;
  /** Event time, ms since the epoch. */
  readonly at: number;
}

interface Entry extends Timer {
  readonly order: number;
  live: boolean;
}

/** A binary heap with lazy removal. */
export class TimerQueue {
  #heap: Entry[] = [];
  readonly #byKey = new Map<Key, Map<string, Entry>>();
  #order = 0;
  #dead = 0;

  /** Timers set. */
  get size(): number {
    return this.#heap.length - this.#dead;
  }

  /** Event time of the next timer; `Infinity` if there is none. */
  get nextAt(): number {
    this.#dropDead();
    return this.#heap[0]?.at ?? Infinity;
  }

  /** When the key's timer is due; undefined if it is not set. */
  at(key: Key, name: string): number | undefined {
    return this.#byKey.get(key)?.get(name)?.at;
  }

  /** Sets or moves a timer. */
  set(key: Key, name: string, at: number): void {
    this.clear(key, name);
    const entry: Entry = { key, name, at, order: this.#order++, live: true };
    let names = this.#byKey.get(key);
    if (names === undefined) this.#byKey.set(key, names = new Map());
    names.set(name, entry);
    this.#heap.push(entry);
    this.#rise(this.#heap.length - 1);
  }

  /** Takes a timer back. */
  clear(key: Key, name: string): void {
    const names = this.#byKey.get(key);
    const entry = names?.get(name);
    if (names === undefined || entry === undefined) return;
    this.#forget(entry, names);
    entry.live = false;
    this.#dead++;
    // Timers that are moved often would leave the heap full of dead entries: rebuild when half of it is.
    if (this.#dead > 64 && this.#dead * 2 > this.#heap.length) this.#compact();
  }

  /** Takes the next timer that is due at or before `watermark`. */
  takeDue(watermark: number): Timer | undefined {
    this.#dropDead();
    const first = this.#heap[0];
    if (first === undefined || first.at > watermark) return undefined;
    this.#takeFirst();
    const names = this.#byKey.get(first.key);
    if (names !== undefined) this.#forget(first, names);
    return first;
  }

  #forget(entry: Entry, names: Map<string, Entry>): void {
    names.delete(entry.name);
    if (names.size === 0) this.#byKey.delete(entry.key);
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
