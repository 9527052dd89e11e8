/**
 * Compares the decoder in WebAssembly with `JSON.parse`, the paths and the schema on generated batches, and makes what
 * differs small. One seed, one run: whatever is found is found again.
 *
 * @module
 */

import { ColumnDecoder } from "../../operators/decoder/column_decoder.ts";
import type { DecoderModule } from "../../operators/decoder/program_run.ts";
import { RowStatus } from "../../operators/decoder/decoded_batch.ts";
import { fields } from "../../operators/fields.ts";
import type { StandardSchema } from "../../operators/standard_schema.ts";
import { type Random, seededRandom } from "../../runtime/random.ts";
import { batchOf } from "../operators/decoder/batch_of.ts";
import { differenceOf, outcomeOf } from "../operators/decoder/outcome.ts";
import { type DocumentShape, DocumentWriter } from "./document.ts";
import { shrunk } from "./shrink.ts";
import { variedRandom } from "./varied_random.ts";

/** Records that are decoded together. */
const BATCH_RECORDS = 40;
/** Decisions that are other ones than for the record that was the model. */
const CHANGED_ONE_IN = 60;

/** A batch that the decoder gets wrong. */
export interface Finding {
  /** Records up to and with the batch in which it was found. */
  readonly cases: number;
  readonly paths: readonly string[];
  readonly schema: string;
  /** As few and as short as still show it. */
  readonly records: readonly Uint8Array[];
  readonly difference: string;
}

/** What a run came to. */
export interface FuzzRun {
  readonly finding: Finding | undefined;
  readonly cases: number;
  /** Records that the decoder decided: a decoder that decides nothing is never wrong. */
  readonly decided: number;
  /** Records that are valid. */
  readonly valid: number;
}

/** Paths and a schema, and how a record is made around a document. */
interface Setup {
  readonly paths: readonly string[];
  readonly shape: DocumentShape;
  readonly module: DecoderModule | undefined;
  readonly schema: ReturnType<typeof fields>;
  readonly decoder: ColumnDecoder<unknown>;
}

/** Names that begin alike, end at 16-byte borders, or take more than a byte a character. */
const NAMES = ["a", "ab", "abc", "id", "ids", "bookingId", "booking", "at", "é", "ключ", "😀"]
  .concat("0123456789abcd", "0123456789abcde", "0123456789abcdef", "0123456789abcdefg")
  .concat("0123456789abcdef0123456789abcdef", "constructor", "__proto__", "");
const SCALARS = ["string", "number", "boolean", "string?", "number?", "boolean?", "string|null"]
  .concat("number|null", "boolean|null?", "string|null?", "string", "number", "=PAID");

/** Runs so many records, or up to the first difference. */
export function fuzzDecoder(cases: number, seed: number, module?: DecoderModule): FuzzRun {
  const random = seededRandom(seed);
  const writer = new DocumentWriter(random);
  const counts = { cases: 0, decided: 0, valid: 0 };
  while (counts.cases < cases) {
    const setup = setupOf(writer, module);
    for (let batches = 0; batches < 5; batches++) {
      const records = recordsOf(setup, writer, random);
      counts.cases += records.length;
      const difference = compared(setup, records, counts);
      if (difference === undefined) continue;
      const finding = { cases: counts.cases, ...minimal(setup, records) };
      return { ...counts, finding };
    }
  }
  return { ...counts, finding: undefined };
}

function setupOf(writer: DocumentWriter, module: DecoderModule | undefined): Setup {
  const shape = shapeOf(writer, 0);
  const paths = Array.from({ length: 1 + writer.below(3) }, () => pathOf(writer));
  return setupWith(paths, shape, module);
}

function setupWith(
  paths: readonly string[],
  shape: DocumentShape,
  module: DecoderModule | undefined,
): Setup {
  // The types of a generated shape are known when it runs only.
  const schema = fields(shape as Parameters<typeof fields>[0]);
  const decoder = ColumnDecoder.of<unknown>(paths, schema, module);
  if (decoder === undefined) throw new RangeError(`No program for ${paths}`);
  return { paths, shape, module, schema, decoder };
}

/** As few texts in one another, fields, records and bytes as still show the difference. */
function minimal(setup: Setup, records: readonly Uint8Array[]): Omit<Finding, "cases"> {
  let smallest = setup;
  const fails = (fewer: readonly Uint8Array[]) => compared(smallest, fewer) !== undefined;
  let left = shrunk(records, fails);
  while (smallest.paths.length > 1) {
    const inner = setupWith(smallest.paths.slice(1), smallest.shape, smallest.module);
    const unwrapped = left.map((record) => innerText(smallest, record) ?? record);
    if (compared(inner, unwrapped) === undefined) break;
    [smallest, left] = [inner, unwrapped];
  }
  const withFields = (members: readonly (readonly [string, string | DocumentShape])[]) =>
    setupWith(smallest.paths, Object.fromEntries(members), smallest.module);
  smallest = withFields(
    shrunk(
      Object.entries(smallest.shape),
      (fewer) => compared(withFields(fewer), left) !== undefined,
    ),
  );
  left = withoutShared(left, fails);
  for (const row of left.keys()) {
    const withBytes = (bytes: readonly number[]) => left.with(row, new Uint8Array(bytes));
    left = withBytes(shrunk(Array.from(left[row] ?? []), (fewer) => fails(withBytes(fewer))));
  }
  const { paths, shape } = smallest;
  const difference = compared(smallest, left) ?? "none any more";
  return { paths, schema: JSON.stringify(shape), records: left, difference };
}

/** Without bytes that all records begin with: those of a template can only go together. */
function withoutShared(
  records: readonly Uint8Array[],
  fails: (records: readonly Uint8Array[]) => boolean,
): readonly Uint8Array[] {
  const [first = new Uint8Array(), ...others] = records;
  const differing = first.findIndex((byte, at) => others.some((other) => other[at] !== byte));
  if (differing <= 0) return records;
  const withStart = (start: readonly number[]) =>
    records.map((record) => new Uint8Array([...start, ...record.subarray(differing)]));
  return withStart(
    shrunk(Array.from(first.subarray(0, differing)), (fewer) => fails(withStart(fewer))),
  );
}

/** The text in a record that the first path leads to. */
function innerText({ paths: [path = "$"] }: Setup, record: Uint8Array): Uint8Array | undefined {
  const text: StandardSchema<string> = {
    "~standard": {
      version: 1,
      vendor: "penstock",
      validate: (value) => typeof value === "string" ? { value } : { issues: [] },
    },
  };
  const outcome = outcomeOf([path], text, record);
  return outcome.kind === "accepted" ? new TextEncoder().encode(`${outcome.value}`) : undefined;
}

function shapeOf(writer: DocumentWriter, depth: number): DocumentShape {
  const members = Array.from({ length: writer.below(6) }, () => {
    const isObject = depth < 2 && writer.once(6);
    return [writer.oneOf(NAMES), isObject ? shapeOf(writer, depth + 1) : writer.oneOf(SCALARS)];
  });
  return Object.fromEntries(members);
}

function pathOf(writer: DocumentWriter): string {
  let path = "$";
  while (writer.once(2)) {
    path += writer.once(4) ? `[${writer.below(3)}]` : `[${JSON.stringify(writer.oneOf(NAMES))}]`;
  }
  return path;
}

/** Records of a batch: each on its own, or mostly like one before with other values or another part. */
function recordsOf(setup: Setup, writer: DocumentWriter, random: Random): Uint8Array[] {
  const isAlike = writer.once(2);
  const earlier: (readonly number[])[] = [];
  return Array.from({ length: BATCH_RECORDS }, () => {
    const model = isAlike && earlier.length > 0 && !writer.once(8)
      ? writer.oneOf(earlier)
      : undefined;
    const { random: varied, draws } = variedRandom(model ?? [], CHANGED_ONE_IN, random);
    let text = recordText(setup, new DocumentWriter(varied));
    if (model !== undefined && writer.once(2)) text = writer.varied(text);
    earlier.push(draws);
    const bytes = new TextEncoder().encode(text);
    return writer.once(8) ? damaged(bytes, writer, random) : bytes;
  });
}

function recordText(setup: Setup, writer: DocumentWriter): string {
  let text = writer.once(50) ? writer.value() : writer.object(setup.shape);
  for (const [index, path] of setup.paths.toReversed().entries()) {
    text = wrapped(path, index > 0 ? writer.quoted(text) : text, writer);
  }
  return text;
}

/** Puts a value where the path looks for it. */
function wrapped(path: string, value: string, writer: DocumentWriter): string {
  const steps = [...path.matchAll(/\[(\d+|"[^"]*")\]/g)].map(([, step = ""]) => step);
  for (const step of steps.toReversed()) {
    if (writer.once(60)) value = writer.value();
    const others = () => Array.from({ length: writer.below(2) }, () => writer.value());
    const name = writer.once(100) ? writer.string() : step;
    if (step.startsWith('"')) {
      const members = others().map((other) => `${writer.otherName()}:${other}`);
      members.splice(writer.below(members.length + 1), 0, `${name}:${value}`);
      value = `{${members.join(",")}}`;
    } else {
      const before = Array.from({ length: Number(step) }, () => writer.value());
      value = `[${[...before, value, ...others()].join(",")}]`;
    }
  }
  return value;
}

const BYTES = [0x00, 0x0a, 0x1f, 0x20, 0x22, 0x2c, 0x30, 0x3a, 0x5b, 0x5c, 0x5d, 0x7b, 0x7d]
  .concat(0x7f, 0x80, 0xbf, 0xc0, 0xc3, 0xe2, 0xed, 0xef, 0xf0, 0xf4, 0xff);

function damaged(bytes: Uint8Array, writer: DocumentWriter, random: Random): Uint8Array {
  const at = Math.floor(random() * (bytes.length + 1));
  const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (writer.below(5)) {
    case 0:
      return head;
    case 1:
      return tail;
    case 2:
      return new Uint8Array([...head, ...tail.subarray(1)]);
    case 3:
      return new Uint8Array([...head, writer.oneOf(BYTES), ...tail]);
    default:
      return new Uint8Array([...head, writer.oneOf(BYTES), ...tail.subarray(1)]);
  }
}

/** The first difference in a batch. */
function compared(
  { paths, schema, decoder }: Setup,
  records: readonly Uint8Array[],
  counts?: { decided: number; valid: number },
): string | undefined {
  const decoded = decoder.decode(batchOf(records));
  for (const [row, record] of records.entries()) {
    const outcome = outcomeOf(paths, schema, record);
    const difference = differenceOf(decoded, row, outcome);
    if (difference !== undefined) return `record ${row}: ${difference}`;
    if (counts === undefined) continue;
    if (decoded.statusAt(row) !== RowStatus.FALLBACK) counts.decided++;
    if (outcome.kind !== "invalid") counts.valid++;
  }
  return undefined;
}
