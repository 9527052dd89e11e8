/**
 * Writes bookings and events of them to two streams, as applications would: JSON whose `detail` is a JSON text, through
 * the SDK. Each booking has three events, at any time before or after it.
 *
 * @module
 */

import type { KinesisConnection } from "../../connectors/kinesis/client.ts";
import { type Clock, delay } from "../../runtime/clock.ts";
import type { Random } from "../../runtime/random.ts";
import { EVENTS_PER_BOOKING } from "./job.ts";

/** Records of one PutRecords call: the service's limit. */
const PUT_RECORDS_MAX = 500;
/** Bookings that are under way at once: how far apart a booking and its events may be. */
const HORIZON = 1000;
/** How often records are written when the rate is limited. */
const TICK_MS = 50;

/** A record before it is written. */
export interface Produced {
  readonly stream: "booking-created" | "booking-events";
  readonly partitionKey: string;
  readonly data: string;
}

/**
 * All records of so many bookings, in the order in which they are to be written. Pure.
 *
 * @param bookings how many; Infinity never ends
 * @param firstAt when the first booking was made, ms since the epoch
 */
export function* producedRecords(
  bookings: number,
  firstAt: number,
  random: Random,
): Generator<Produced> {
  const underway: Produced[] = [];
  for (let number = 0; number < bookings; number++) {
    underway.push(...recordsOf(number, firstAt + number, random));
    while (underway.length > HORIZON * (1 + EVENTS_PER_BOOKING)) yield takeAny(underway, random);
  }
  while (underway.length > 0) yield takeAny(underway, random);
}

/** The id of a booking by its number. */
export function bookingId(number: number): string {
  return `b-${String(number).padStart(9, "0")}`;
}

function recordsOf(number: number, at: number, random: Random): Produced[] {
  const id = bookingId(number);
  const hotelId = `hotel-${Math.floor(random() * 5000)}`;
  const amount = 1000 + Math.floor(random() * 90_000);
  const records = [
    record("booking-created", id, { booking: { bookingId: id, hotelId, amount, createdAt: at } }),
  ];
  for (const type of ["paid", "confirmed", "guaranteed"]) {
    const event = {
      bookingId: id,
      type,
      at: at + Math.floor(random() * 60_000),
      amount: Math.floor(random() * 1000),
    };
    records.push(record("booking-events", id, { event }));
  }
  return records;
}

function record(stream: Produced["stream"], partitionKey: string, detail: unknown): Produced {
  const data = JSON.stringify({
    source: stream,
    region: "eu-west-1",
    detail: JSON.stringify(detail),
  });
  return { stream, partitionKey, data };
}

function takeAny(records: Produced[], random: Random): Produced {
  const pick = Math.floor(random() * records.length);
  const last = records.pop();
  const taken = records[pick] ?? last;
  if (taken === undefined || last === undefined) {
    throw new RangeError("Cannot take a record: none is left");
  }
  if (pick < records.length) records[pick] = last;
  return taken;
}

/** How records are written. */
export interface ProduceOptions {
  readonly bookings: number;
  /** Records a second; Infinity writes as fast as the stream takes them. */
  readonly rate: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
}

/** Writes records until all are written or the signal is aborted. Returns how many bookings were written whole. */
export async function produce(
  connection: KinesisConnection,
  options: ProduceOptions,
): Promise<void> {
  const { bookings, rate, clock, random, signal } = options;
  const records = producedRecords(bookings, clock.now(), random);
  const startedAt = clock.monotonic();
  for (let written = 0; !signal.aborted;) {
    const due = rate === Infinity
      ? PUT_RECORDS_MAX
      : (clock.monotonic() - startedAt) * rate / 1000 - written;
    const batch = take(records, Math.min(PUT_RECORDS_MAX, Math.floor(due)));
    if (batch === undefined) return;
    await Promise.all([
      put(connection, "booking-created", batch),
      put(connection, "booking-events", batch),
    ]);
    written += batch.length;
    if (batch.length < PUT_RECORDS_MAX) await delay(clock, TICK_MS, signal);
  }
}

/** The next records; undefined when there are none. */
function take(records: Generator<Produced>, most: number): Produced[] | undefined {
  const batch: Produced[] = [];
  while (batch.length < most) {
    const next = records.next();
    if (next.done) return batch.length > 0 ? batch : undefined;
    batch.push(next.value);
  }
  return batch;
}

async function put(
  { client, sdk }: KinesisConnection,
  stream: Produced["stream"],
  batch: readonly Produced[],
): Promise<void> {
  const encoder = new TextEncoder();
  let left = batch.filter((record) => record.stream === stream)
    .map(({ partitionKey, data }) => ({ PartitionKey: partitionKey, Data: encoder.encode(data) }));
  while (left.length > 0) {
    const { Records = [] } = await client.send(
      new sdk.PutRecordsCommand({ StreamName: stream, Records: left }),
    );
    left = left.filter((_, index) => Records[index]?.ErrorCode !== undefined);
  }
}
