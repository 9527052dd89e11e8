/**
 * Counts what came out of the scaling demonstration against what went in, booking by booking.
 *
 * @module
 */

import type { CorrelatedStay } from "./job.ts";

/** What is wrong. */
export interface Audit {
  /** Stays that should have come out. */
  readonly stays: number;
  /** Of those, how many did not. */
  readonly lost: number;
  /** How many came out that should not have: again, or as one more than there were. */
  readonly doubled: number;
}

/** The account of a run. */
export class Account {
  readonly #expected: Uint32Array;
  /** By booking: which of its stays have come out. */
  readonly #seen: readonly Uint8Array[];
  #doubled = 0;

  /** @param expected how many stays each booking has */
  constructor(expected: Uint32Array) {
    this.#expected = expected;
    this.#seen = [...expected].map((stays) => new Uint8Array(stays + 1));
  }

  /** Takes note of what came out. */
  add({ booking, stay }: CorrelatedStay): void {
    const seen = this.#seen[booking];
    const isExpected = seen !== undefined && Number.isInteger(stay) && stay >= 1 &&
      stay < seen.length;
    if (!isExpected || seen[stay] === 1) this.#doubled++;
    else seen[stay] = 1;
  }

  audit(): Audit {
    let [stays, found] = [0, 0];
    for (const [booking, seen] of this.#seen.entries()) {
      stays += this.#expected[booking] ?? 0;
      for (const one of seen) found += one;
    }
    return { stays, lost: stays - found, doubled: this.#doubled };
  }
}
