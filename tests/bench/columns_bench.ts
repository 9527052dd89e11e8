/**
 * What a record costs on its way to another worker: rows as they are beside columns. Prints nanoseconds a record for the
 * sender's and the receiver's work with `structuredClone` standing in for the crossing, then for a real worker that
 * sends every batch back. Medians of several rounds. Run: `deno run -A tests/bench/columns_bench.ts`
 *
 * @module
 */

import { systemClock } from "../../runtime/clock.ts";
import { seededRandom } from "../../runtime/random.ts";
import {
  ColumnEncoder,
  decodeValues,
  type EncodedValues,
  encodeValues,
  transferables,
} from "../../runtime/transport/column_codec.ts";

const BATCH_ROWS = 512;
const BATCHES = 8;
const WARM_UP_ROUNDS = 40;
const ROUNDS = 5;
const REPEATS = 25;

interface Echo {
  readonly rows?: readonly unknown[];
  readonly columns?: EncodedValues;
}

const random = seededRandom(11);
const below = (limit: number) => Math.floor(random() * limit);

const booking = () => ({
  bookingId: `booking-${below(1_000_000)}`,
  hotelId: `hotel-${below(500)}`,
  amount: below(100_000) / 100,
  at: 1_700_000_000_000 + below(1_000_000),
  currency: "EUR",
});

/** Batches of values by the name of what they show. */
const inputs: Readonly<Record<string, () => unknown>> = {
  "5 fields": booking,
  "5 fields, uuids": () => ({ ...booking(), bookingId: crypto.randomUUID() }),
  "4 kinds mixed": () =>
    [
      () => ({ kind: "PAID", bookingId: `booking-${below(1_000_000)}`, amount: below(100), at: 1 }),
      () => ({ kind: "CANCELLED", bookingId: `booking-${below(1_000_000)}`, at: 2 }),
      () => ({ kind: "FAILED", bookingId: `booking-${below(1_000_000)}`, reason: "card", at: 3 }),
      () => ({ kind: "NOTE", bookingId: `booking-${below(1_000_000)}`, text: null, at: 4 }),
    ][below(4)]?.(),
  "nested": () => ({ id: below(1000), customer: { name: `n-${below(1000)}`, age: below(90) } }),
  "with an array": () => ({ id: below(1000), tags: ["a", `t-${below(9)}`] }),
  "strings": () => `booking-${below(1_000_000)}`,
  "bytes": () => ({ id: below(1000), data: new Uint8Array(100) }),
  "ever new keys": () => ({ [`k${below(1_000_000)}`]: 1, other: "x" }),
};

const runsInWorker = !("Window" in globalThis) && "WorkerGlobalScope" in globalThis;
if (runsInWorker) echo();
else if (import.meta.main) await main();

async function main(): Promise<void> {
  const worker = new Worker(import.meta.url, { type: "module" });
  const heading = ["rows", "columns", "encode", "clone", "decode", "rows echo", "columns echo"];
  print("ns a record", heading);
  for (const [name, make] of Object.entries(inputs)) {
    const batches = Array.from(
      { length: BATCHES },
      () => Array.from({ length: BATCH_ROWS }, () => make()),
    );
    print(name, (await measured(batches, worker)).map((ns) => ns.toFixed(0)));
  }
  worker.terminate();
}

async function measured(batches: unknown[][], worker: Worker): Promise<number[]> {
  const encoder = new ColumnEncoder();
  const encode = (batch: unknown[]) => encodeValues(batch, batch.length, encoder);
  const cross = (encoded: EncodedValues) =>
    structuredClone(encoded, { transfer: transferables(encoded) });
  const encoded = batches.map(encode);
  const results = [
    await timed(batches, (batch) => structuredClone(batch)),
    await timed(batches, (batch) => decodeValues(cross(encode(batch)))),
    await timed(batches, encode),
    await timed(encoded, (batch) => structuredClone(batch)),
    await timed(encoded, (batch) => decodeValues(batch)),
  ];
  // A message each way: the time is that of both crossings, with all batches under way at once.
  for (const send of [sendRows, sendColumns]) {
    const ns = await timed(
      [batches],
      (all) => roundTrips(worker, all, (batch) => send(worker, batch, encoder)),
    );
    results.push(ns / BATCHES);
  }
  return results;
}

/** The median time for a record, each input being a batch of `BATCH_ROWS`. */
async function timed<T>(
  inputs: readonly T[],
  run: (input: T) => unknown,
): Promise<number> {
  const results: number[] = [];
  const warmUpRounds = WARM_UP_ROUNDS / inputs.length;
  for (let round = 0; round < warmUpRounds; round++) for (const input of inputs) await run(input);
  for (let round = 0; round < ROUNDS; round++) {
    const started = systemClock.monotonic();
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      for (const input of inputs) {
        const pending = run(input);
        if (pending instanceof Promise) await pending;
      }
    }
    const elapsedMs = systemClock.monotonic() - started;
    results.push(elapsedMs * 1e6 / (REPEATS * inputs.length * BATCH_ROWS));
  }
  return results.sort((a, b) => a - b)[ROUNDS >> 1] ?? NaN;
}

function roundTrips(
  worker: Worker,
  batches: readonly unknown[][],
  send: (batch: unknown[]) => void,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let left = batches.length;
  worker.onmessage = ({ data }: MessageEvent<Echo>) => {
    if (data.columns !== undefined) decodeValues(data.columns);
    if (--left === 0) resolve();
  };
  for (const batch of batches) send(batch);
  return promise;
}

function sendRows(worker: Worker, rows: unknown[]): void {
  worker.postMessage({ rows } satisfies Echo);
}

function sendColumns(worker: Worker, rows: unknown[], encoder: ColumnEncoder): void {
  const columns = encodeValues(rows, rows.length, encoder);
  worker.postMessage({ columns } satisfies Echo, transferables(columns));
}

function echo(): void {
  const encoder = new ColumnEncoder();
  self.onmessage = ({ data }: MessageEvent<Echo>) => {
    if (data.columns === undefined) {
      self.postMessage(data);
      return;
    }
    const rows = decodeValues(data.columns);
    const columns = encodeValues(rows, rows.length, encoder);
    self.postMessage({ columns } satisfies Echo, transferables(columns));
  };
}

function print(name: string, cells: readonly string[]): void {
  // deno-lint-ignore no-console -- a program that prints
  console.log(name.padEnd(16) + cells.map((cell) => cell.padStart(13)).join(""));
}
