/**
 * Counts what came out of the scaling demonstration against what went in, booking by booking.
 *
 * @module
 */

import type { CountedEvent } from "./job.ts";

/** What is wrong. */
export interface Audit {
  /** Events that should have come out. */
  readonly events: number;
  /** Of those, how many did not. */
  readonly lost: number;
  /** How many came out that should not have: again, or counted as more than there were. */
  readonly doubled: number;
}

/** The account of a run. */
export class Account {
  readonly #expected: Uint32Array;
  /** By booking: which of its counts have come out. */
  readonly #seen: readonly Uint8Array[];
  #doubled = 0;

  /** @param expected how many events each booking has */
  constructor(expected: Uint32Array) {
    this.#expected = expected;
    this.#seen = [...expected].map((events) => new Uint8Array(events + 1));
  }

  /** Takes note of what came out. */
  add({ booking, count }: CountedEvent): void {
    const seen = this.#seen[booking];
    const isExpected = seen !== undefined && Number.isInteger(count) && count >= 1 &&
      count < seen.length;
    if (!isExpected || seen[count] === 1) this.#doubled++;
    else seen[count] = 1;
  }

  audit(): Audit {
    let [events, found] = [0, 0];
    for (const [booking, seen] of this.#seen.entries()) {
      events += this.#expected[booking] ?? 0;
      for (const one of seen) found += one;
    }
    return { events, lost: events - found, doubled: this.#doubled };
  }
}
