/**
 * From rows to JSON in UTF-8: the encoder beside `encode(JSON.stringify(row))` and beside `JSON.stringify` with one
 * encoding a batch, in batches of 1,000 rows that are new each time. Prints nanoseconds a row, the best of several rounds.
 * Run: `deno run -A tests/bench/encoder_bench.ts`
 *
 * @module
 */

import { JsonEncoder } from "../../operators/json_encoder.ts";
import { systemClock } from "../../runtime/clock.ts";
import { seededRandom } from "../../runtime/random.ts";

const BATCH_ROWS = 1000;
const BATCHES = 100;
const ROUNDS = 15;

const random = seededRandom(5);
const below = (limit: number) => Math.floor(random() * limit);
const padded = (limit: number, length: number) => `${below(limit)}`.padStart(length, "0");

const correlated = () => ({
  bookingId: `b-${padded(1e9, 9)}`,
  hotelId: `hotel-${padded(1e4, 4)}`,
  amount: below(100_000),
  events: 3,
  completedAt: 1_763_800_000_000 + below(1e9),
});

/** Rows by the name of what they show. */
const rows: Readonly<Record<string, (row: number) => unknown>> = {
  "5 fields": correlated,
  "2 fields": () => ({ userId: `u-${below(1e6)}`, count: below(1000) }),
  "prices": () => ({ id: `b-${below(1e6)}`, amount: below(1e6) / 100, rate: below(1e4) / 1e4 }),
  "two shapes in turn": (row) =>
    row % 2 === 0 ? correlated() : { kind: "PAID", amount: below(1e5), at: below(1e9) },
  "optional and null": () => ({
    id: `b-${below(1e6)}`,
    note: below(2) === 0 ? undefined : "late",
    by: below(2) === 0 ? null : "guest",
    paid: below(2) === 0,
  }),
  "nested": () => ({ id: below(1e6), customer: { name: `n-${below(1e6)}`, age: below(90) } }),
  "beyond ASCII": () => ({ id: below(1e6), name: `Zoë Ångström ${below(1e6)} €` }),
  "text of 60": () => ({ id: below(1e6), text: padded(1e9, 60) }),
  "text of 300": () => ({ id: below(1e6), text: padded(1e9, 300) }),
  "with an array": () => ({ id: below(1e6), tags: ["a", `t-${below(1000)}`] }),
  "strings": () => `booking-${below(1e6)}`,
};

type Encode = (batch: readonly unknown[]) => number;

const utf8 = new TextEncoder();

const encodeEach: Encode = (batch) => {
  let bytes = 0;
  for (const row of batch) bytes += utf8.encode(JSON.stringify(row)).length;
  return bytes;
};

const encodeJoined: Encode = (batch) => {
  let text = "";
  for (const row of batch) text += JSON.stringify(row);
  return utf8.encode(text).length;
};

function encoderOf(): Encode {
  const encoder = new JsonEncoder();
  return (batch) => encoder.encode(batch, batch.length).bytes.length;
}

const ways: Readonly<Record<string, () => Encode>> = {
  "encoder": encoderOf,
  "stringify each, encode once": () => encodeJoined,
  // Last, since the small arrays that it leaves behind slow down what comes after it.
  "stringify and encode each": () => encodeEach,
};

/** The best of rounds, ns a row: a machine with other work to do is sometimes left alone. */
function measured(batches: readonly (readonly unknown[])[], bytes: number, encode: Encode): string {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const start = systemClock.monotonic();
    let encoded = 0;
    for (const batch of batches) encoded += encode(batch);
    const ms = systemClock.monotonic() - start;
    if (encoded !== bytes) throw new RangeError(`Encoded ${encoded} bytes, expected ${bytes}`);
    best = Math.min(best, ms * 1e6 / (BATCHES * BATCH_ROWS));
  }
  return best.toFixed(0);
}

const chosen = Deno.args[0];
for (const [name, make] of Object.entries(rows)) {
  if (chosen !== undefined && chosen !== name) continue;
  const batches = Array.from(
    { length: BATCHES },
    () => Array.from({ length: BATCH_ROWS }, (_, row) => make(row)),
  );
  const bytes = batches.reduce((sum, batch) => sum + encodeJoined(batch), 0);
  const figures = Object.entries(ways).map(
    ([way, encode]) => [way, measured(batches, bytes, encode())],
  );
  // deno-lint-ignore no-console -- a program that prints
  console.log(`${name} (${Math.round(bytes / BATCHES / BATCH_ROWS)} bytes)`, figures);
}
