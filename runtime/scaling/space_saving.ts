/**
 * The keys that come most often, in a fixed amount of memory: the Space-Saving sketch (Metwally, Agrawal, El Abbadi:
 * "Efficient Computation of Frequent and Top-k Elements in Data Streams", ICDT 2005).
 *
 * @module
 */

/** A key that came often. The true number of times is from `count - error` to `count`. */
export interface FrequentKey<K> {
  readonly key: K;
  readonly count: number;
  readonly error: number;
}

/**
 * Counts keys with at most `capacity` counters. Any key that came more than `total / capacity` times is among them, and
 * no count is too high by more than that. A key without a counter takes over the smallest one.
 *
 * @example The hot key of many
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { SpaceSaving } from "./space_saving.ts";
 * const sketch = new SpaceSaving<string>(2);
 * for (const key of ["ann", "bob", "ann", "cid", "ann"]) sketch.add(key);
 * assertEquals(sketch.top(1), [{ key: "ann", count: 3, error: 0 }]);
 * ```
 */
export class SpaceSaving<K extends string | number> {
  readonly #capacity: number;
  /** The counter of each key: a place in the columns. */
  readonly #counters = new Map<K, number>();
  readonly #keys: K[] = [];
  readonly #counts: Float64Array;
  readonly #errors: Float64Array;
  #total = 0;

  /**
   * @param capacity counters
   * @throws {RangeError} if that is no whole number from 1
   */
  constructor(capacity: number) {
    if (!Number.isSafeInteger(capacity) || capacity < 1) {
      throw new RangeError(
        `Cannot count keys with ${capacity} counters: expected a whole number from 1`,
      );
    }
    this.#capacity = capacity;
    this.#counts = new Float64Array(capacity);
    this.#errors = new Float64Array(capacity);
  }

  /** How often keys have come, all together. */
  get total(): number {
    return this.#total;
  }

  /** Counts a key. With all counters taken, one that has none costs a look at each: give it a sample of the rows. */
  add(key: K, times = 1): void {
    this.#total += times;
    const known = this.#counters.get(key);
    if (known !== undefined) {
      this.#counts[known] = this.#countOf(known) + times;
      return;
    }
    const counter = this.#keys.length < this.#capacity ? this.#keys.length : this.#takeSmallest();
    const error = this.#countOf(counter);
    this.#counters.set(key, counter);
    this.#keys[counter] = key;
    this.#errors[counter] = error;
    this.#counts[counter] = error + times;
  }

  /** The keys with the highest counts, highest first; those of equal count in the order in which they got their counters. */
  top(keys: number): readonly FrequentKey<K>[] {
    return [...this.#counters]
      .map(([key, counter]) => {
        return { key, count: this.#countOf(counter), error: this.#errors[counter] ?? 0 };
      })
      .sort((a, b) => b.count - a.count)
      .slice(0, keys);
  }

  /** What has been counted counts half from now on: bounds and order stay. */
  fade(): void {
    this.#total /= 2;
    for (let counter = 0; counter < this.#keys.length; counter++) {
      this.#counts[counter] = this.#countOf(counter) / 2;
      this.#errors[counter] = (this.#errors[counter] ?? 0) / 2;
    }
  }

  /** Takes the counter with the smallest count from its key. */
  #takeSmallest(): number {
    let smallest = 0;
    for (let counter = 1; counter < this.#capacity; counter++) {
      if (this.#countOf(counter) < this.#countOf(smallest)) smallest = counter;
    }
    const key = this.#keys[smallest];
    if (key !== undefined) this.#counters.delete(key);
    return smallest;
  }

  #countOf(counter: number): number {
    return this.#counts[counter] ?? 0;
  }
}
