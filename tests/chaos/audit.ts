/**
 * What must hold of the rows that came out, however often the job was killed. Pure.
 *
 * @module
 */

import { bookingId, EVENTS_PER_BOOKING, type Step, STEPS_PER_BOOKING } from "./booking_stream.ts";

/** Findings listed of each kind; all are counted. */
const LISTED_MAX = 5;

/** Rows as they were read, each key's in order. */
export class Audit {
  /** By id: the row that came last, which is that of the run whose work was kept. */
  readonly #last = new Map<string, Step>();
  readonly #findings = new Map<string, string[]>();
  #rows = 0;

  /** Rows read. */
  get rows(): number {
    return this.#rows;
  }

  /** Ids read. */
  get ids(): number {
    return this.#last.size;
  }

  /** Takes the next row. */
  take(step: Step): void {
    this.#rows++;
    const before = this.#last.get(step.id);
    if (
      before !== undefined && (before.bookingId !== step.bookingId || before.kind !== step.kind)
    ) {
      this.#find("ids of two rows", `${step.id}: ${JSON.stringify([before, step])}`);
    }
    this.#last.set(step.id, step);
  }

  /** What is wrong, if so many bookings went in; empty if all is well. */
  findings(bookings: number): string[] {
    const byBooking = Map.groupBy(this.#last.values(), (step) => step.bookingId);
    for (let number = 0; number < bookings; number++) {
      this.#checkBooking(bookingId(number), byBooking.get(bookingId(number)) ?? []);
    }
    if (byBooking.size > bookings) {
      this.#find("bookings that never went in", `${byBooking.size - bookings}`);
    }
    for (const [hotel, steps] of Map.groupBy(this.#last.values(), (step) => step.hotelId)) {
      const counts = steps.map((step) => step.inHotel).sort((a, b) => a - b);
      const wrong = counts.findIndex((count, index) => count !== index + 1);
      if (wrong >= 0) {
        this.#find("hotels counted wrong", `${hotel}: ${counts[wrong]} in place of ${wrong + 1}`);
      }
    }
    return [...this.#findings].map(([what, found]) =>
      `${found.length} ${what}: ${found.slice(0, LISTED_MAX).join("; ")}`
    );
  }

  #checkBooking(id: string, steps: readonly Step[]): void {
    const kinds = new Set(steps.map((step) => step.kind));
    if (kinds.size < STEPS_PER_BOOKING) {
      this.#find("bookings lack rows", `${id} has ${[...kinds].join(", ")}`);
    }
    if (steps.length > kinds.size) {
      this.#find("bookings have repeats with other ids", JSON.stringify(steps));
    }
    const complete = steps.filter((step) => step.complete).length;
    if (complete !== 1) {
      this.#find("bookings not correlated exactly once", `${id}: ${JSON.stringify(steps)}`);
    }
    const counts = steps.filter((step) => step.kind !== "booking").map((step) => step.events)
      .sort();
    if (counts.some((count, index) => count !== index + 1) || counts.length > EVENTS_PER_BOOKING) {
      this.#find("bookings whose events were counted wrong", `${id}: ${counts.join(", ")}`);
    }
  }

  #find(what: string, found: string): void {
    const all = this.#findings.get(what) ?? [];
    this.#findings.set(what, all);
    all.push(found);
  }
}
