/**
 * Writes the inputs of the benchmark and what must come of them. Made from a seed: the same arguments give the same bytes
 * on every machine. Lines are compact ASCII JSON of 210 to 225 bytes on average.
 *
 * @module
 */

import { type Random, seededRandom } from "../../runtime/random.ts";
import { type Expected, type ExpectedWorkload, readExpected, writeExpected } from "./expected.ts";
import { loadInput } from "./input.ts";
import { reference } from "./reference.ts";
import { INPUT_OF, type InputName, type Workload, WORKLOADS } from "./workload.ts";

/** Event time of the first record: 2026-01-01T00:00:00Z. */
export const FIRST_TS = Date.UTC(2026, 0, 1);
/** Event time runs at 10,000 records a second. */
const RECORDS_PER_MS = 10;
/** Clicks arrive out of order by less than this. */
const OUT_OF_ORDER_MS_MAX = 4000;
const USERS = 100_000;
const ITEMS = 10_000;
const HOTELS = 5003;
/** Of so many bookings five see no event, and of so many triples of events five have no booking. */
const FATES = 1000;
/** Bookings, and events of theirs, that make one group of records. */
const GROUP_RECORDS = 4;
/** A group's records lie in this part of the file. */
const HORIZON_SHARE = 0.1;
const WRITE_LINES = 10_000;

/** What to generate. */
export interface GeneratorOptions {
  /** The folder; made when it is not there. */
  readonly dataDir: string;
  /** Records in each file, a multiple of 4. */
  readonly records: number;
  readonly seed: number;
  /** For how many passes the outputs of each job must be known. */
  readonly passes: Readonly<Record<Workload, number>>;
  /** Told what is being done. */
  readonly progress?: (what: string) => void;
}

/** Makes sure that a folder has all files, and returns its `expected.json`. What is there already is kept. */
export function generate(options: GeneratorOptions): Expected {
  const { dataDir, records, seed } = options;
  const progress = options.progress ?? (() => {});
  const before = readExpected(dataDir);
  const missing = WORKLOADS.filter((workload) =>
    (before?.workloads[workload].passes.length ?? 0) < options.passes[workload]
  );
  if (before !== undefined && missing.length === 0) return before;
  Deno.mkdirSync(dataDir, { recursive: true });
  if (before === undefined) {
    for (const name of ["clicks", "booking"] as const) {
      progress(`writing ${name}.ndjson, ${records} records`);
      writeLines(`${dataDir}/${name}.ndjson`, lines(name, records, seed));
    }
  }
  const workload = (workload: Workload): ExpectedWorkload => {
    const known = before?.workloads[workload];
    if (known !== undefined && !missing.includes(workload)) return known;
    progress(`working out the outputs of ${workload}, ${options.passes[workload]} passes`);
    const input = loadInput(`${dataDir}/${INPUT_OF[workload]}.ndjson`, records);
    return {
      input: `${INPUT_OF[workload]}.ndjson`,
      records,
      firstTs: FIRST_TS,
      spanMs: Math.ceil(records / RECORDS_PER_MS),
      passes: reference(workload, input, options.passes[workload]),
    };
  };
  const expected: Expected = {
    seed,
    workloads: {
      passthrough: workload("passthrough"),
      count: workload("count"),
      booking: workload("booking"),
    },
  };
  writeExpected(dataDir, expected);
  return expected;
}

/**
 * The lines of a file, without newlines.
 *
 * @throws {RangeError} if the number of records is not a positive multiple of 4
 */
export function lines(name: InputName, records: number, seed: number): Iterable<string> {
  if (!Number.isSafeInteger(records) || records <= 0 || records % GROUP_RECORDS !== 0) {
    throw new RangeError(
      `Cannot generate ${records} records: expected a positive multiple of ${GROUP_RECORDS}`,
    );
  }
  switch (name) {
    case "booking":
      return bookingLines(records, seededRandom(seed));
    case "clicks":
      return clickLines(records, seededRandom(seed + 1));
  }
}

function* bookingLines(records: number, random: Random): Iterable<string> {
  const horizon = records * HORIZON_SHARE;
  // A group's record 0 is its booking, which comes in the first quarter of the horizon; the rest are its events.
  const order = arrivals(records, (slot) => {
    const first = slot - slot % GROUP_RECORDS;
    return first + random() * (slot === first ? horizon / 4 : horizon);
  });
  const fates = Uint16Array.from({ length: records / GROUP_RECORDS }, () => below(random, FATES));
  for (const slot of order) {
    const group = Math.floor(slot / GROUP_RECORDS);
    const part = slot % GROUP_RECORDS;
    const at = FIRST_TS + Math.floor((slot - part) / RECORDS_PER_MS);
    const fate = fates[group] ?? 0;
    const id = padded(group, 9);
    // Where a booking is to stay without events, or events without a booking, the records in their places get an id of
    // their own, so that the number of records stays.
    if (fate < 5) yield bookingLine(random, part === 0 ? `b-${id}` : `n-${id}-${part}`, at);
    else if (fate < 10) yield eventLine(random, part === 0 ? `m-${id}` : `b-${id}`, part, at);
    else if (part === 0) yield bookingLine(random, `b-${id}`, at);
    else yield eventLine(random, `b-${id}`, part, at);
  }
}

function bookingLine(random: Random, bookingId: string, createdAt: number): string {
  const hotelId = `hotel-${padded(below(random, HOTELS), 5)}`;
  const amount = 1000 + below(random, 90_000);
  return outerLine(random, "bookings", { booking: { bookingId, hotelId, amount, createdAt } });
}

function eventLine(random: Random, bookingId: string, part: number, bookedAt: number): string {
  const type = ["guaranteed", "paid", "confirmed"][part % 3];
  const at = bookedAt + 1000 + below(random, 60_000);
  return outerLine(random, "events", {
    event: { bookingId, type, at, amount: below(random, 1000) },
  });
}

function outerLine(random: Random, source: "bookings" | "events", detail: unknown): string {
  return JSON.stringify({
    id: `${hex(random)}-${hex(random)}-${hex(random)}`,
    source,
    region: "eu-west-1",
    account: "123456789012",
    detail: JSON.stringify(detail),
  });
}

function* clickLines(records: number, random: Random): Iterable<string> {
  const devices = ["android", "ios", "desktop", "tablet"];
  const countries = ["NL", "DE", "FR", "ES", "IT", "US", "BR", "JP"];
  const others = ["view", "view", "view", "scroll", "cart"];
  const order = arrivals(records, (slot) => slot + random() * OUT_OF_ORDER_MS_MAX * RECORDS_PER_MS);
  for (const slot of order) {
    yield JSON.stringify({
      userId: `user-${padded(ranked(random, USERS), 6)}`,
      itemId: `item-${padded(ranked(random, ITEMS), 5)}`,
      action: random() < 0.1 ? "buy" : pick(random, others),
      ts: FIRST_TS + Math.floor(slot / RECORDS_PER_MS),
      value: 1 + below(random, 10_000),
      session: `${hex(random)}-${hex(random)}`,
      device: pick(random, devices),
      country: pick(random, countries),
      page: `/search/results/${below(random, 50)}`,
      agent: "Mozilla/5.0 (X11; Linux)",
    });
  }
}

/** Slots 0 to `records - 1` by the place in the file that each is given. */
function* arrivals(records: number, placeOf: (slot: number) => number): Iterable<number> {
  // Place and slot in one number sort without a comparison function, and equal places by slot.
  const keys = Float64Array.from(
    { length: records },
    (_, slot) => Math.floor(placeOf(slot)) * records + slot,
  ).sort();
  for (const key of keys) yield key % records;
}

/** A number below `size`, its probability about 1 / rank; ranks are scattered over the numbers. */
function ranked(random: Random, size: number): number {
  const rank = Math.floor((size + 1) ** random());
  return (Math.min(rank, size) * 6007) % size;
}

function below(random: Random, bound: number): number {
  return Math.floor(random() * bound);
}

function pick(random: Random, choices: readonly string[]): string | undefined {
  return choices[below(random, choices.length)];
}

function padded(value: number, digits: number): string {
  return value.toString().padStart(digits, "0");
}

function hex(random: Random): string {
  return below(random, 2 ** 32).toString(16).padStart(8, "0");
}

function writeLines(path: string, all: Iterable<string>): void {
  const encoder = new TextEncoder();
  using file = Deno.openSync(path, { write: true, create: true, truncate: true });
  const flush = (pending: string[]) => {
    const bytes = encoder.encode(pending.join(""));
    for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
    pending.length = 0;
  };
  const pending: string[] = [];
  for (const line of all) {
    if (pending.push(line + "\n") === WRITE_LINES) flush(pending);
  }
  flush(pending);
}
