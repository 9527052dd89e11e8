/**
 * What a key costs on its way to its slot: the key table beside a `Map`. Prints nanoseconds a key, for keys that are there
 * and for keys that come, get a slot, and are released at once. Medians of several rounds.
 * Run: `deno run -A tests/bench/key_table_bench.ts`
 *
 * @module
 */

import { systemClock } from "../../runtime/clock.ts";
import { seededRandom } from "../../runtime/random.ts";
import { KeyTable } from "../../runtime/state/key_table.ts";

const BATCH_ROWS = 1024;
const BATCHES = 256;
const ROUNDS = 9;
const KEYS = [1000, 10_000, 100_000, 1_000_000];

const random = seededRandom(5);
const groups = new Uint16Array(BATCH_ROWS);
const slots = new Uint32Array(BATCH_ROWS);

/** A batch of keys in every form. */
interface Batch {
  readonly texts: readonly string[];
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  readonly numbers: Float64Array;
}

/** Keys of 9 to 15 bytes, as many as there are rows. */
function batchOf(numbers: Float64Array): Batch {
  const texts = Array.from(numbers, (number) => `booking-${number}`);
  const starts = new Uint32Array(texts.length);
  const ends = new Uint32Array(texts.length);
  let end = 0;
  texts.forEach((text, row) => {
    starts[row] = end;
    end += text.length;
    ends[row] = end;
  });
  const text = texts.join("");
  return { texts, text, bytes: new TextEncoder().encode(text), starts, ends, numbers };
}

/** Median time a key. */
function timed(batches: readonly Batch[], run: (batch: Batch) => void): number {
  for (const batch of batches) run(batch);
  const results = Array.from({ length: ROUNDS }, () => {
    const started = systemClock.monotonic();
    for (const batch of batches) run(batch);
    return (systemClock.monotonic() - started) * 1e6 / (batches.length * BATCH_ROWS);
  });
  return results.sort((a, b) => a - b)[ROUNDS >> 1] ?? NaN;
}

function hits(count: number): number[] {
  const batches = Array.from(
    { length: BATCHES },
    () => batchOf(Float64Array.from(groups, () => Math.floor(random() * count))),
  );
  const table = new KeyTable(random);
  const map = new Map<string, number>();
  for (let key = 0; key < count; key++) {
    table.slotOf(`booking-${key}`, 0);
    table.slotOf(key, 0);
    map.set(`booking-${key}`, key);
  }
  const results = [
    timed(batches, (batch) => {
      table.stringSlots(batch.bytes, batch.starts, batch.ends, groups, BATCH_ROWS, slots);
    }),
    timed(batches, ({ numbers }) => table.numberSlots(numbers, groups, BATCH_ROWS, slots)),
    timed(batches, ({ texts }) => table.slotsOf(texts, groups, BATCH_ROWS, slots)),
    timed(batches, ({ texts }) => {
      for (let row = 0; row < BATCH_ROWS; row++) slots[row] = map.get(texts[row] ?? "") ?? 0;
    }),
    timed(batches, ({ text, starts, ends }) => {
      // What a decoder gives: strings that nobody has hashed yet.
      for (let row = 0; row < BATCH_ROWS; row++) {
        slots[row] = map.get(text.substring(starts[row] ?? 0, ends[row])) ?? 0;
      }
    }),
  ];
  table.close();
  return results;
}

/** Keys that come and go, beside `count` that stay. */
function passing(count: number): number[] {
  let next = count;
  const batches = Array.from(
    { length: BATCHES },
    () => batchOf(Float64Array.from(groups, () => next++)),
  );
  const table = new KeyTable(random);
  const map = new Map<string, number>();
  for (let key = 0; key < count; key++) {
    table.slotOf(`booking-${key}`, 0);
    table.slotOf(key, 0);
    map.set(`booking-${key}`, key);
  }
  const release = () => {
    for (let row = 0; row < BATCH_ROWS; row++) table.release(slots[row] ?? 0);
  };
  const results = [
    timed(batches, (batch) => {
      table.stringSlots(batch.bytes, batch.starts, batch.ends, groups, BATCH_ROWS, slots);
      release();
    }),
    timed(batches, ({ numbers }) => {
      table.numberSlots(numbers, groups, BATCH_ROWS, slots);
      release();
    }),
    timed(batches, ({ texts }) => {
      table.slotsOf(texts, groups, BATCH_ROWS, slots);
      release();
    }),
    timed(batches, ({ texts }) => {
      for (let row = 0; row < BATCH_ROWS; row++) map.set(texts[row] ?? "", row);
      for (let row = 0; row < BATCH_ROWS; row++) map.delete(texts[row] ?? "");
    }),
    timed(batches, ({ text, starts, ends }) => {
      const keys: string[] = [];
      for (let row = 0; row < BATCH_ROWS; row++) {
        keys.push(text.substring(starts[row] ?? 0, ends[row]));
        map.set(keys[row] ?? "", row);
      }
      for (let row = 0; row < BATCH_ROWS; row++) map.delete(keys[row] ?? "");
    }),
  ];
  table.close();
  return results;
}

/** A table that grows from nothing. */
function growth(count: number): number[] {
  let next = 0;
  const batches = Array.from(
    { length: Math.ceil(count / BATCH_ROWS) },
    () => batchOf(Float64Array.from(groups, () => next++)),
  );
  const once = (run: (batch: Batch) => void) => {
    const started = systemClock.monotonic();
    for (const batch of batches) run(batch);
    return (systemClock.monotonic() - started) * 1e6 / (batches.length * BATCH_ROWS);
  };
  const table = new KeyTable(random);
  const map = new Map<string, number>();
  const results = [
    once((batch) => {
      table.stringSlots(batch.bytes, batch.starts, batch.ends, groups, BATCH_ROWS, slots);
    }),
    once(({ numbers }) => table.numberSlots(numbers, groups, BATCH_ROWS, slots)),
    once(({ texts }) => table.slotsOf(texts, groups, BATCH_ROWS, slots)),
    once(({ texts }) => {
      for (let row = 0; row < BATCH_ROWS; row++) map.set(texts[row] ?? "", row);
    }),
  ];
  table.close();
  return results;
}

const HEADING = ["bytes", "numbers", "strings", "Map", "Map, cut"];

if (import.meta.main) {
  for (const [name, run] of Object.entries({ hits, passing, growth })) {
    print(`ns a key: ${name}`, HEADING);
    for (const count of KEYS) {
      print(`${count} keys`, run(count).map((ns) => ns.toFixed(1)));
    }
  }
}

function print(name: string, cells: readonly string[]): void {
  // deno-lint-ignore no-console -- a program that prints
  console.log(name.padEnd(20) + cells.map((cell) => cell.padStart(10)).join(""));
}
