/**
 * The load: bookings and their events, put in two streams at a steady rate, mixed with one another.
 *
 * @module
 */

import type { KinesisConnection } from "../../connectors/kinesis/client.ts";
import { delay, systemClock } from "../../runtime/clock.ts";
import type { Random } from "../../runtime/random.ts";
import { type Produced, recordsOf, STREAMS } from "./booking_stream.ts";

const TICK_MS = 50;
/** Records that wait for others to pass them. */
const MIXED = 200;

/** Puts bookings until told to finish. */
export class Load {
  readonly #connection: KinesisConnection;
  readonly #random: Random;
  readonly #perTick: number;
  readonly #done = new AbortController();
  readonly #waiting: Produced[] = [];
  readonly #running: Promise<void>;
  #poison = "";
  #bookings = 0;

  /** @param rate bookings a second */
  constructor(connection: KinesisConnection, random: Random, rate: number) {
    this.#connection = connection;
    this.#random = random;
    this.#perTick = Math.max(1, Math.round(rate * TICK_MS / 1000));
    this.#running = this.#run();
  }

  /** One of the next records does this to the worker that meets it first. */
  poison(poison: string): void {
    this.#poison = poison;
  }

  /** Puts what is left, and gives the number of bookings. */
  async finish(): Promise<number> {
    this.#done.abort();
    await this.#running;
    return this.#bookings;
  }

  async #run(): Promise<void> {
    while (!this.#done.signal.aborted) {
      for (let booking = 0; booking < this.#perTick; booking++) {
        const poison = this.#poison;
        this.#poison = "";
        const records = recordsOf(this.#bookings++, this.#random, poison);
        // What is poisoned goes at once.
        if (poison === "") this.#waiting.push(...records);
        else await this.#put(records);
      }
      await this.#put(this.#taken(Math.max(0, this.#waiting.length - MIXED)));
      await delay(systemClock, TICK_MS, this.#done.signal);
    }
    await this.#put(this.#taken(this.#waiting.length));
  }

  #taken(count: number): Produced[] {
    return Array.from({ length: count }, () => {
      const [taken] = this.#waiting.splice(Math.floor(this.#random() * this.#waiting.length), 1);
      return taken;
    }).filter((record) => record !== undefined);
  }

  async #put(records: readonly Produced[]): Promise<void> {
    for (const stream of [STREAMS.bookings, STREAMS.events]) {
      await this.#putTo(stream, records.filter((record) => record.stream === stream));
    }
  }

  async #putTo(stream: Produced["stream"], records: readonly Produced[]): Promise<void> {
    const { client, sdk } = this.#connection;
    const utf8 = new TextEncoder();
    let left = records.map(({ bookingId, data }) => ({
      PartitionKey: bookingId,
      Data: utf8.encode(data),
    }));
    while (left.length > 0) {
      const { Records = [] } = await client.send(
        new sdk.PutRecordsCommand({ StreamName: stream, Records: left.slice(0, 500) }),
      );
      left = left.filter((_, index) =>
        index >= Records.length || Records[index]?.ErrorCode !== undefined
      );
    }
  }
}
