/**
 * A Kinesis stream made of an array, to test jobs with: the same shards, hash ranges, shapes of ids and sequence numbers,
 * splits and merges, without a service. Time does not pass in it: all records are there from the start, and a reader's pace
 * is that of its demand.
 *
 * @module
 */

import {
  aborted,
  pacedBatches,
  positionError,
  shardError,
} from "../../connectors/paced_batches.ts";
import { RawBatch, type RawRecord } from "../../connectors/raw_record.ts";
import type { Shard, Source } from "../../connectors/source.ts";
import { evenHashRanges, halves, hashKeyOf, type HashRange, holds, joined } from "./hash_range.ts";

/** Records of one batch unless said: small, so that tests of a few hundred records see several. */
export const SIMULATED_BATCH_RECORDS_MAX = 100;
/** Shards that a simulated stream may have at its start. */
export const SIMULATED_SHARDS_MAX = 1000;

/** The first sequence number; they have 56 digits, as those of Kinesis have now. */
const SEQUENCE_NUMBER_MIN =
  49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_800n;
/** Sequence numbers have gaps. */
const SEQUENCE_NUMBER_STEP = 65_536n;
const SEQUENCE_NUMBER_DIGITS = 56;
/** Of Kinesis, in Unicode characters. */
const PARTITION_KEY_CHARS_MAX = 256;

/** A record as it is put. */
export interface SimulatedRecord {
  readonly partitionKey: string;
  /** The payload: bytes, a text, or anything else as JSON. */
  readonly data: Uint8Array | string | object;
  /** When it arrives, ms since the epoch; its index in the records unless said. */
  readonly at?: number | undefined;
}

/**
 * A change of the shards once so many records have been put. Shards are named by number in the order of their making: those
 * at the start from 0, the children of each change after them.
 */
export type Reshard =
  | { readonly split: number; readonly after: number }
  | { readonly merge: readonly [number, number]; readonly after: number };

/** What a simulated stream holds. */
export interface SimulatedStreamOptions {
  /** How many shards it is made with. */
  readonly shards: number;
  /** What is put, in order. */
  readonly records: readonly SimulatedRecord[];
  /** False: shards that no split or merge has closed stay open after their last record. True unless said. */
  readonly bounded?: boolean | undefined;
  /** Splits, in the middle of the range, and merges of neighbours, in order. */
  readonly reshard?: readonly Reshard[] | undefined;
  /** Records of one batch; {@linkcode SIMULATED_BATCH_RECORDS_MAX} unless said. */
  readonly batchRecordsMax?: number | undefined;
  /** `"simulated"` unless said. */
  readonly name?: string | undefined;
}

/** A shard as the records have made it. */
interface SimulatedShard extends Shard {
  readonly range: HashRange;
  readonly records: StoredRecord[];
  /** Closed by a split or a merge. */
  closed: boolean;
}

interface StoredRecord {
  readonly data: Uint8Array;
  readonly partitionKey: string;
  readonly sequenceNumber: string;
  readonly arrival: number;
}

/**
 * A source that reads like a Kinesis stream.
 *
 * Each record goes to the open shard whose range holds the MD5 of its partition key. Sequence numbers rise over the whole
 * stream, so those of children are above those of their parents. `millisBehindLatest` is the time from a batch's last
 * record to the last one of its shard. Reading errors with a RangeError for a shard that is not there and a position that
 * is no sequence number.
 *
 * @throws {RangeError} for a number of shards or a batch size out of range, a partition key that is empty or too long, a
 * reshard of a shard that is not open, a merge of shards that are no neighbours, and reshards out of order
 *
 * @example A stream of two shards, one of which is split
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { simulatedStream } from "./simulated_stream.ts";
 * const stream = simulatedStream({
 *   shards: 2,
 *   records: [{ partitionKey: "a", data: { id: 1 } }, { partitionKey: "b", data: { id: 2 } }],
 *   reshard: [{ split: 0, after: 1 }],
 * });
 * assertEquals([stream.kind, stream.bounded], ["simulated", true]);
 * ```
 */
export function simulatedStream(options: SimulatedStreamOptions): Source<RawRecord> {
  const { bounded = true, name = "simulated", batchRecordsMax = SIMULATED_BATCH_RECORDS_MAX } =
    options;
  if (!Number.isInteger(batchRecordsMax) || batchRecordsMax < 1) {
    throw new RangeError(
      `Cannot simulate a stream with batches of ${batchRecordsMax} records: expected a whole number from 1`,
    );
  }
  const shards = filledShards(options);
  const source: Source<RawRecord> = {
    kind: "simulated",
    name,
    bounded,
    shards: () => Promise.resolve(shards.map(({ id, parents }) => ({ id, parents }))),
    read: (id, after, context) =>
      pacedBatches(context, async function* (signal) {
        const shard = shards.find((shard) => shard.id === id);
        if (shard === undefined) throw shardError(source, id, shards.map(({ id }) => id));
        let next = indexAfter(source, shard, after);
        while (next < shard.records.length) {
          yield batchOf(shard, next, batchRecordsMax);
          next += batchRecordsMax;
        }
        if (!bounded && !shard.closed) await aborted(signal);
      }),
  };
  return source;
}

/** The shards with all records put and all reshards made. */
function filledShards(options: SimulatedStreamOptions): readonly SimulatedShard[] {
  const { shards: count, records, reshard = [] } = options;
  if (!Number.isInteger(count) || count < 1 || count > SIMULATED_SHARDS_MAX) {
    throw new RangeError(
      `Cannot simulate a stream of ${count} shards: expected a whole number from 1 to ${SIMULATED_SHARDS_MAX}`,
    );
  }
  const shards: SimulatedShard[] = [];
  for (const range of evenHashRanges(count)) addShard(shards, range, []);
  let changes = 0;
  for (let index = 0; index <= records.length; index++) {
    for (let change = reshard[changes]; change?.after === index; change = reshard[++changes]) {
      applyReshard(shards, change);
    }
    const record = records[index];
    if (record !== undefined) put(shards, record, index);
  }
  const left = reshard[changes];
  if (left !== undefined) {
    throw new RangeError(
      `Cannot simulate reshard ${
        JSON.stringify(left)
      }: "after" must be a whole number from 0 to ${records.length}, ` +
        "the number of records, and not below that of the reshard before",
    );
  }
  return shards;
}

function addShard(shards: SimulatedShard[], range: HashRange, parents: readonly string[]): void {
  const id = `shardId-${String(shards.length).padStart(12, "0")}`;
  shards.push({ id, parents, range, records: [], closed: false });
}

function put(shards: readonly SimulatedShard[], record: SimulatedRecord, index: number): void {
  const { partitionKey, data, at = index } = record;
  const keyLength = [...partitionKey].length;
  if (keyLength < 1 || keyLength > PARTITION_KEY_CHARS_MAX) {
    throw new RangeError(
      `Cannot put record ${index}: its partition key has ${keyLength} characters, expected 1 to ${PARTITION_KEY_CHARS_MAX}`,
    );
  }
  const hashKey = hashKeyOf(partitionKey);
  const shard = shards.find(({ closed, range }) => !closed && holds(range, hashKey));
  if (shard === undefined) throw new Error(`No open shard holds hash key ${hashKey}`);
  shard.records.push({
    data: bytesOf(data),
    partitionKey,
    sequenceNumber: String(SEQUENCE_NUMBER_MIN + BigInt(index) * SEQUENCE_NUMBER_STEP),
    arrival: at,
  });
}

function bytesOf(data: Uint8Array | string | object): Uint8Array {
  if (data instanceof Uint8Array) return data;
  return new TextEncoder().encode(typeof data === "string" ? data : JSON.stringify(data));
}

function applyReshard(shards: SimulatedShard[], change: Reshard): void {
  const close = (number: number): SimulatedShard => {
    const shard = shards[number];
    if (shard === undefined || shard.closed) {
      throw new RangeError(
        `Cannot simulate reshard ${JSON.stringify(change)}: shard ${number} is ${
          shard === undefined ? "not there" : "closed already"
        }; the shards are 0 to ${shards.length - 1}`,
      );
    }
    shard.closed = true;
    return shard;
  };
  if ("split" in change) {
    const parent = close(change.split);
    for (const range of halves(parent.range)) addShard(shards, range, [parent.id]);
    return;
  }
  const [one, other] = [close(change.merge[0]), close(change.merge[1])];
  const range = joined(one.range, other.range);
  if (range === undefined) {
    throw new RangeError(
      `Cannot simulate reshard ${
        JSON.stringify(change)
      }: the hash ranges of ${one.id} and ${other.id} do not lie next ` +
        "to one another",
    );
  }
  addShard(shards, range, [one.id, other.id]);
}

function indexAfter(
  source: Source<RawRecord>,
  shard: SimulatedShard,
  after: string | undefined,
): number {
  if (after === undefined) return 0;
  if (!/^\d+$/.test(after) || after.length !== SEQUENCE_NUMBER_DIGITS) {
    throw positionError(source, shard.id, after, `expected ${SEQUENCE_NUMBER_DIGITS} digits`);
  }
  // All have the same number of digits, so that their order as texts is that of the numbers.
  const index = shard.records.findIndex(({ sequenceNumber }) => sequenceNumber > after);
  return index < 0 ? shard.records.length : index;
}

function batchOf(shard: SimulatedShard, first: number, recordsMax: number): RawBatch {
  const records = shard.records.slice(first, first + recordsMax);
  const starts: number[] = [];
  const ends: number[] = [];
  let size = 0;
  for (const { data } of records) {
    starts.push(size);
    size += data.length;
    ends.push(size);
  }
  const arena = new Uint8Array(size);
  records.forEach(({ data }, row) => arena.set(data, starts[row]));
  const tip = shard.records.at(-1)?.arrival ?? 0;
  return new RawBatch({
    shardId: shard.id,
    arena,
    starts,
    ends,
    partitionKeys: records.map(({ partitionKey }) => partitionKey),
    sequenceNumbers: records.map(({ sequenceNumber }) => sequenceNumber),
    arrivals: records.map(({ arrival }) => arrival),
    millisBehindLatest: Math.max(0, tip - (records.at(-1)?.arrival ?? tip)),
    position: records.at(-1)?.sequenceNumber ?? "",
  });
}
