/**
 * Reads the job's output stream from its start and counts, for each booking, how often it came out.
 *
 * @module
 */

import { kinesis } from "../../connectors/kinesis/kinesis.ts";
import { textOf } from "../../connectors/raw_record.ts";
import type { ConnectorContext } from "../../connectors/source.ts";
import { bookingId } from "./producer.ts";

/** What came out. */
export interface Audit {
  readonly correlated: number;
  readonly lost: number;
  readonly doubled: number;
}

/** Counts bookings as they come out. */
export class Auditor {
  readonly #seen = new Map<string, number>();
  #records = 0;

  /** Records read so far. */
  get records(): number {
    return this.#records;
  }

  /** Bookings that came out at least once. */
  get bookings(): number {
    return this.#seen.size;
  }

  /** Reads all shards until the context's signal is aborted. */
  async read(stream: string, context: ConnectorContext): Promise<void> {
    const source = kinesis.source(stream, { start: "trimHorizon" });
    const demand = { next: () => Promise.resolve() };
    for (const { id } of await source.shards(context)) {
      const subscription = source.read(id, undefined, { ...context, demand }).subscribe((batch) => {
        for (let row = 0; row < batch.length; row++) this.take(textOf(batch.valueAt(row)));
      });
      context.signal.addEventListener("abort", () => subscription.unsubscribe());
    }
  }

  /** Counts one output. */
  take(text: string): void {
    const { bookingId }: { bookingId: string } = JSON.parse(text);
    this.#seen.set(bookingId, (this.#seen.get(bookingId) ?? 0) + 1);
    this.#records++;
  }

  /** What came out of the first so many bookings. */
  audit(bookings: number): Audit {
    let correlated = 0;
    let doubled = 0;
    for (let number = 0; number < bookings; number++) {
      const times = this.#seen.get(bookingId(number)) ?? 0;
      if (times > 0) correlated++;
      if (times > 1) doubled++;
    }
    return { correlated, lost: bookings - correlated, doubled };
  }
}
