/**
 * Making a value a record that Kinesis takes, or saying why it never will.
 *
 * @module
 */

import type { PutEntry } from "./put_batch.ts";

/** A record's payload and key unless the stream is set otherwise (Kinesis quota). */
export const RECORD_BYTES_MAX_DEFAULT = 1024 * 1024;
/** The most that a stream can be set to (UpdateMaxRecordSize). */
export const RECORD_BYTES_MAX = 10 * 1024 * 1024;
/** Characters of a partition key (PutRecords). */
export const PARTITION_KEY_LENGTH_MAX = 256;
/** One more than the largest hash key. */
const HASH_KEYS = 1n << 128n;
/** UTF-8 needs at most so many bytes per UTF-16 code unit. */
const BYTES_PER_CODE_UNIT_MAX = 3;

const OPENING_BRACE = 0x7b;

const utf8 = new TextEncoder();

/** What is known of a row beside its value. Valid during the call. */
export interface KinesisOutput {
  /** The row's id: the same each time it is written. Made when it is read. */
  readonly id: string;
}

const NO_OUTPUT: KinesisOutput = { id: "" };

/** What to write to a stream, and how. */
export interface KinesisSinkOptions<T> {
  /** Decides the shard; records with the same key keep their order. 1 to 256 characters. */
  readonly partitionKey: (value: T) => string;
  /** The payload; by default the value as JSON in UTF-8. */
  readonly encode?: (value: T, output: KinesisOutput) => Uint8Array;
  /**
   * Adds the row's id to its JSON, as a last property with this name: a record that is written twice has the same id
   * both times, so that readers can tell (`dedupe`). A row whose JSON is no object, or that has the property already, is
   * rejected. Not with `encode`, which is given the id.
   */
  readonly idField?: string;
  /** The hash key that decides the shard in place of the partition key's MD5: decimal, 0 to 2^128 - 1. */
  readonly explicitHashKey?: (value: T) => string | undefined;
  /** The stream's maximum record size if it is not 1 MiB: up to 10 MiB. */
  readonly maxRecordBytes?: number;
  /**
   * `"key"` (default): records of one partition key never pass each other, so that a key gets one record per round
   * trip. `"none"`: requests are filled freely, and retries may reorder.
   */
  readonly order?: "key" | "none";
}

/**
 * The record for a value.
 *
 * @param encoded the payload, if it has been made together with those of other values
 * @param output for `encode` and `idField`
 *
 * @throws {Error} if it can never be written; the message is the dead letter's reason
 *
 * @example JSON by default
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { putEntry } from "./put_entry.ts";
 * const entry = putEntry({ id: "a" }, "s@1", { partitionKey: (value) => value.id });
 * assertEquals(new TextDecoder().decode(entry.data), '{"id":"a"}');
 * ```
 */
export function putEntry<T>(
  value: T,
  origin: string,
  options: KinesisSinkOptions<T>,
  encoded?: Uint8Array,
  output: KinesisOutput = NO_OUTPUT,
): PutEntry {
  const partitionKey: unknown = options.partitionKey(value);
  if (typeof partitionKey !== "string") {
    throw new TypeError(`Cannot put a record: its partition key is of type ${typeof partitionKey}`);
  }
  const length = characters(partitionKey);
  if (length < 1 || length > PARTITION_KEY_LENGTH_MAX) {
    throw new RangeError(
      `Cannot put a record: its partition key has ${length} characters, ` +
        `expected 1 to ${PARTITION_KEY_LENGTH_MAX}`,
    );
  }
  const payload = encoded ??
    (options.encode === undefined ? json(value) : options.encode(value, output));
  const data = options.idField === undefined
    ? payload
    : withId(value, payload, options.idField, output.id);
  if (!(data instanceof Uint8Array)) {
    throw new TypeError("Cannot put a record: encode() did not return a Uint8Array");
  }
  const bytes = data.length + utf8Length(partitionKey);
  const bytesMax = options.maxRecordBytes ?? RECORD_BYTES_MAX_DEFAULT;
  if (bytes > bytesMax) {
    throw new RangeError(
      `Cannot put a record: payload and partition key have ${bytes} bytes, at most ${bytesMax} are ` +
        `allowed; if the stream takes larger ones, set maxRecordBytes`,
    );
  }
  const explicitHashKey = options.explicitHashKey?.(value);
  if (explicitHashKey !== undefined && !isHashKey(explicitHashKey)) {
    throw new RangeError(
      `Cannot put a record: its explicit hash key is ${JSON.stringify(explicitHashKey)}, ` +
        `expected a decimal number from 0 to 2^128 - 1`,
    );
  }
  return { data, partitionKey, explicitHashKey, bytes, value, origin };
}

/** A JSON object with one more property. */
function withId(value: unknown, json: Uint8Array, field: string, id: string): Uint8Array {
  const where = `Cannot put a record with its id as "${field}"`;
  if (json[0] !== OPENING_BRACE) {
    throw new TypeError(`${where}: its JSON is no object; have rows be objects, or use encode`);
  }
  if (typeof value === "object" && value !== null && Object.hasOwn(value, field)) {
    throw new TypeError(`${where}: it has a property of that name already; give idField another`);
  }
  // All but the closing brace; there is nothing to go on from in "{}".
  const separator = json.length > 2 ? "," : "";
  const last = utf8.encode(`${separator}${JSON.stringify(field)}:${JSON.stringify(id)}}`);
  const bytes = new Uint8Array(json.length - 1 + last.length);
  bytes.set(json.subarray(0, -1));
  bytes.set(last, json.length - 1);
  return bytes;
}

function json(value: unknown): Uint8Array {
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) {
    throw new TypeError(`Cannot put a record: a value of type ${typeof value} has no JSON`);
  }
  return utf8.encode(text);
}

function isHashKey(text: string): boolean {
  return /^\d{1,39}$/.test(text) && BigInt(text) < HASH_KEYS;
}

/** Code points; counted only where code units could be too many. */
function characters(text: string): number {
  return text.length <= PARTITION_KEY_LENGTH_MAX ? text.length : [...text].length;
}

const scratch = new Uint8Array(PARTITION_KEY_LENGTH_MAX * 2 * BYTES_PER_CODE_UNIT_MAX);

function utf8Length(text: string): number {
  return utf8.encodeInto(text, scratch).written;
}
