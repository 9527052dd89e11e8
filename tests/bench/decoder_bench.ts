/**
 * From raw records to objects: `flatMapJson` by `JSON.parse` beside the decoder in WebAssembly, on the bookings and events
 * of the benchmark (a JSON text in a JSON text), in batches of 1,000. Prints nanoseconds a record, medians of several
 * rounds. Run: `deno run -A tests/bench/decoder_bench.ts`
 *
 * @module
 */

import { RawBatch } from "../../connectors/raw_record.ts";
import { ColumnDecoder } from "../../operators/decoder/column_decoder.ts";
import { fields } from "../../operators/fields.ts";
import { flatMapJson } from "../../operators/flat_map_json.ts";
import { stepOf } from "../../operators/fused.ts";
import type { StandardSchema } from "../../operators/standard_schema.ts";
import { systemClock } from "../../runtime/clock.ts";
import { batchOf } from "../operators/decoder/batch_of.ts";
import { lines } from "./generator.ts";

const BATCH_ROWS = 1000;
const BATCHES = 40;
const REPEATS = 10;
const WARM_UP_ROUNDS = 2;
const ROUNDS = 5;
const SEED = 1;

const Booking = fields({
  bookingId: "string",
  hotelId: "string",
  amount: "number",
  createdAt: "number",
});
const BookingEvent = fields({
  bookingId: "string",
  type: "string",
  amount: "number",
  at: "number",
});

const refusing = {
  refuse(_value: unknown, reason: string): void {
    throw new TypeError(reason);
  },
};

/** New batches each time: a batch is decoded once. */
function batches(records: readonly string[]): RawBatch[] {
  return Array.from({ length: BATCHES }, (_, index) => {
    const rows = records.slice(index * BATCH_ROWS, (index + 1) * BATCH_ROWS);
    return new RawBatch({
      ...batchOf(rows),
      shardId: "shard-0",
      partitionKeys: [],
      sequenceNumbers: [],
      arrivals: [],
      position: "",
    });
  });
}

/** The median of rounds, ns a record. `run` gives how many it handled. */
function measured(records: readonly string[], run: (batch: RawBatch) => number): number {
  const rounds: number[] = [];
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
    const all = Array.from({ length: REPEATS }, () => batches(records)).flat();
    const start = systemClock.monotonic();
    let handled = 0;
    for (const batch of all) handled += run(batch);
    const ms = systemClock.monotonic() - start;
    if (handled !== all.length * BATCH_ROWS) throw new RangeError(`Handled ${handled} records`);
    if (round >= WARM_UP_ROUNDS) rounds.push(ms * 1e6 / handled);
  }
  return rounds.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? NaN;
}

function stepping(
  paths: readonly [string, ...string[]],
  schema: StandardSchema<{ readonly bookingId: string; readonly amount: number }>,
): (batch: RawBatch) => number {
  const step = stepOf(flatMapJson(paths, schema));
  if (step === undefined) throw new TypeError("flatMapJson has no step");
  return (batch) => {
    let handled = 0;
    let sum = 0;
    for (let row = 0; row < batch.length; row++) {
      step(batch.valueAt(row), ({ bookingId, amount }) => {
        handled++;
        sum += amount + bookingId.length;
      }, refusing);
    }
    return sum > 0 ? handled : 0;
  };
}

/** The same schema, seen by its standard face only. */
function opaque<T>(schema: StandardSchema<T>): StandardSchema<T> {
  return { "~standard": schema["~standard"] };
}

const all = [...lines("booking", BATCHES * BATCH_ROWS * 6, SEED)];

function print(
  path: string,
  schema: StandardSchema<{ readonly bookingId: string; readonly amount: number }>,
  source: string,
): void {
  const records = all.filter((line) => line.includes(`"source":"${source}"`))
    .slice(0, BATCHES * BATCH_ROWS);
  const decoder = ColumnDecoder.of(["$.detail", path], schema);
  if (decoder === undefined) throw new TypeError(`No program for ${path}`);
  const ns = {
    "JSON.parse": measured(records, stepping(["$.detail", path], opaque(schema))),
    "decoder": measured(records, stepping(["$.detail", path], schema)),
    "of it columns": measured(records, (batch) => decoder.decode(batch.columns).length),
  };
  // deno-lint-ignore no-console -- a program that prints
  console.log(source, ns);
}

print("$.booking", Booking, "bookings");
print("$.event", BookingEvent, "events");
