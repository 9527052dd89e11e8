/**
 * Compares the JSON encoder with `JSON.stringify` and a `TextEncoder` on generated batches, and makes what differs small.
 * One seed, one run: whatever is found is found again.
 *
 * @module
 */

import {
  type EncodedJson,
  JsonEncoder,
  type JsonEncoderOptions,
} from "../../operators/json_encoder.ts";
import { seededRandom } from "../../runtime/random.ts";
import { RowMaker } from "./row_maker.ts";
import { shrunk } from "./shrink.ts";

/** Rows of the longest batch. */
const BATCH_ROWS_MAX = 60;
/** Batches that one encoder gets. */
const BATCHES = 6;

/** What is tested. */
export interface Encoder {
  encode(values: readonly unknown[], length: number): EncodedJson;
}

/** Makes an encoder. */
export type MakeEncoder = (options: JsonEncoderOptions) => Encoder;

/** Batches that the encoder gets wrong. */
export interface EncoderFinding {
  /** Rows up to and with the batches in which it was found. */
  readonly cases: number;
  readonly options: JsonEncoderOptions;
  /** As few as still show it, for one encoder, one after another. */
  readonly batches: readonly (readonly unknown[])[];
  readonly difference: string;
}

/** What a run came to. */
export interface EncoderFuzzRun {
  readonly finding: EncoderFinding | undefined;
  readonly cases: number;
  /** Rows without JSON. */
  readonly faults: number;
}

type Batches = readonly (readonly unknown[])[];
type Compare = (batches: Batches) => string | undefined;

const utf8 = new TextEncoder();

/** Runs so many rows, or up to the first difference. */
export function fuzzEncoder(
  cases: number,
  seed: number,
  makeEncoder: MakeEncoder = (options) => new JsonEncoder(options),
): EncoderFuzzRun {
  const maker = new RowMaker(seededRandom(seed));
  const counts = { cases: 0, faults: 0 };
  while (counts.cases < cases) {
    const generateAfterRows = maker.oneOf([0, 1, 5, 20]);
    const options: JsonEncoderOptions = { ending: maker.once(2) ? "\n" : "", generateAfterRows };
    const batches = batchesOf(maker);
    for (const batch of batches) counts.cases += batch.length;
    const compare: Compare = (some) => compared(makeEncoder(options), options, some);
    const first = compared(makeEncoder(options), options, batches, counts);
    if (first === undefined) continue;
    const smallest = minimal(batches, compare);
    const difference = compare(smallest) ?? `none any more, and before: ${first}`;
    const finding = { cases: counts.cases, options, batches: smallest, difference };
    return { ...counts, finding };
  }
  return { ...counts, finding: undefined };
}

function batchesOf(maker: RowMaker): Batches {
  const plans = Array.from({ length: 1 + maker.below(3) }, () => maker.plan());
  return Array.from({ length: BATCHES }, () => {
    // Mostly runs of one plan, as a stream has them.
    let plan = maker.oneOf(plans);
    return Array.from({ length: maker.below(BATCH_ROWS_MAX) }, () => {
      if (maker.once(8)) plan = maker.oneOf(plans);
      return maker.row(plan);
    });
  });
}

/** The first difference. What earlier batches gave is looked at again after later ones. */
function compared(
  encoder: Encoder,
  { ending = "" }: JsonEncoderOptions,
  batches: Batches,
  counts?: { faults: number },
): string | undefined {
  const earlier: { readonly bytes: Uint8Array; readonly copy: Uint8Array }[] = [];
  for (const [index, batch] of batches.entries()) {
    const encoded = encoder.encode(batch, batch.length);
    const errors = new Map(encoded.faults.map(({ row, error }) => [row, error]));
    if (counts !== undefined) counts.faults += errors.size;
    if (encoded.ends.length !== batch.length) return `batch ${index}: ${encoded.ends.length} ends`;
    let start = 0;
    for (const [row, value] of batch.entries()) {
      const end = encoded.ends[row] ?? 0;
      const bytes = encoded.bytes.subarray(start, end);
      const difference = differenceOf(bytes, errors.get(row), value, ending);
      if (difference !== undefined) return `batch ${index}, row ${row}: ${difference}`;
      start = end;
    }
    if (start !== encoded.bytes.length) return `batch ${index}: ${encoded.bytes.length} bytes`;
    earlier.push({ bytes: encoded.bytes, copy: encoded.bytes.slice() });
  }
  const changed = earlier.findIndex(({ bytes, copy }) => !sameBytes(bytes, copy));
  return changed < 0 ? undefined : `batch ${changed} was written again`;
}

function differenceOf(
  bytes: Uint8Array,
  error: unknown,
  value: unknown,
  ending: string,
): string | undefined {
  let json: string | undefined;
  let expectedError = "no JSON";
  try {
    json = JSON.stringify(value);
  } catch (thrown) {
    expectedError = String(thrown);
  }
  if (json === undefined) {
    const matches = expectedError === "no JSON"
      ? error instanceof TypeError
      : String(error) === expectedError;
    if (matches && bytes.length === 0) return undefined;
    return `found ${new TextDecoder().decode(bytes)} and ${error}, expected ${expectedError}`;
  }
  if (error === undefined && sameBytes(bytes, utf8.encode(json + ending))) return undefined;
  return `found ${JSON.stringify(new TextDecoder().decode(bytes))} and error ${error}, ` +
    `expected ${JSON.stringify(json + ending)}`;
}

function sameBytes(some: Uint8Array, other: Uint8Array): boolean {
  return some.length === other.length && some.every((byte, at) => byte === other[at]);
}

/** As few batches, rows, members and characters as still show the difference. */
function minimal(batches: Batches, compare: Compare): Batches {
  const fails = (some: Batches) => compare(some) !== undefined;
  let left = shrunk(batches, fails);
  for (const index of left.keys()) {
    const withRows = (rows: readonly unknown[]) => left.with(index, rows);
    left = withRows(shrunk(left[index] ?? [], (fewer) => fails(withRows(fewer))));
    for (const row of (left[index] ?? []).keys()) {
      const withValue = (value: unknown) => withRows((left[index] ?? []).with(row, value));
      left = withValue(
        smallerValue(left[index]?.[row], (value) => fails(withValue(value))),
      );
    }
  }
  return left;
}

/** A value with fewer members and characters that still fails. */
function smallerValue(value: unknown, fails: (smaller: unknown) => boolean): unknown {
  if (typeof value === "string") {
    const withUnits = (units: readonly string[]) => units.join("");
    return withUnits(shrunk(value.split(""), (fewer) => fails(withUnits(fewer))));
  }
  if (typeof value !== "object" || value === null) return value;
  if (Object.getPrototypeOf(value) !== Object.prototype || Array.isArray(value)) return value;
  if (Object.values(Object.getOwnPropertyDescriptors(value)).some(({ get }) => get)) return value;
  const withMembers = (members: readonly (readonly [string, unknown])[]) =>
    Object.fromEntries(members);
  if (!fails(withMembers(Object.entries(value)))) return value;
  let members = shrunk(Object.entries(value), (fewer) => fails(withMembers(fewer)));
  for (const [index, [key, member]] of members.entries()) {
    // One that leads back to where it came from has no smallest form.
    if (member === value || key === "self") continue;
    const withMember = (smaller: unknown) => members.with(index, [key, smaller]);
    members = withMember(
      smallerValue(member, (smaller) => fails(withMembers(withMember(smaller)))),
    );
  }
  return withMembers(members);
}
