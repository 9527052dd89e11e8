/**
 * Kinesis Data Streams as source and sink.
 *
 * - Source: shards are read in order and parents before children, so records of a partition key keep their order
 *   through splits and merges. State in the job is exactly once, since positions are part of its checkpoints.
 * - Sink: at least once, in order per partition key. Records may come again after a request whose answer was lost, and
 *   after a restart of the job those since its last checkpoint do. A record that comes again has the same id, if it has
 *   one (`idField`): a reader that lets each id pass once, such as a job with `dedupe`, has read exactly once.
 *
 * Not for streams that spread records by themselves (RecordDistributionStrategy AUTO): there a key has no order.
 *
 * @module
 */

import { decoding } from "../../operators/decoder/column_decoder.ts";
import { type StandardSchema, validator } from "../../operators/standard_schema.ts";
import type { RawRecord } from "../raw_record.ts";
import type { Sink } from "../sink.ts";
import type { ConnectorContext, Source } from "../source.ts";
import { SharedKinesis } from "./client.ts";
import { jsonBatches } from "./json_batch.ts";
import { checkStart, type KinesisStart } from "./position.ts";
import { type KinesisOutput, type KinesisSinkOptions, RECORD_BYTES_MAX } from "./put_entry.ts";
import { GET_RECORDS_LIMIT, type OnDataLoss } from "./shard_reader.ts";
import { KinesisSinkWriter } from "./sink.ts";
import { KinesisStream } from "./source.ts";
import { checkStream } from "./stream_check.ts";

export type { KinesisOutput, KinesisSinkOptions, KinesisStart, OnDataLoss };

/** How a stream is read. */
export interface KinesisSourceOptions {
  /** Where to start when there is no checkpoint; `"latest"` by default. */
  readonly start?: KinesisStart;
  /** Records asked for at once, and so the largest batch: 1 to 10,000, which is the default. */
  readonly recordsPerCall?: number;
  /**
   * What happens when records are gone that were to be read: a shard is continued after a position that is older than the
   * stream's retention, or it has expired before it was read to its end. `"continue"` (default): an error in the log that
   * names shard, position and gap, and reading goes on with the oldest record there is. `"stop"`: the job fails with that
   * error and is not started again, whatever its `onError`. A shard to which nothing has been written for longer than the
   * retention has an old position too, and can't be told from one that has lost something: `"stop"` stops at it as well.
   */
  readonly onDataLoss?: OnDataLoss;
}

/** How a stream of JSON texts is read. */
export interface KinesisJsonSourceOptions<T> extends KinesisSourceOptions {
  /** What each record must be; one that is not becomes a dead letter. */
  readonly schema: StandardSchema<T>;
}

const KIND = "kinesis";
/** CreateStream, API reference. */
const STREAM_NAME = /^[a-zA-Z0-9_.-]{1,128}$/;

/**
 * A stream's records.
 *
 * @param stream the stream's name
 * @throws {RangeError} if the name, the start, `recordsPerCall` or `onDataLoss` can't be
 * @throws {TypeError} if `schema` is no Standard Schema
 */
function source<T>(stream: string, options: KinesisJsonSourceOptions<T>): Source<T>;
function source(stream: string, options?: KinesisSourceOptions): Source<RawRecord>;
function source<T>(
  stream: string,
  options: KinesisSourceOptions & { readonly schema?: StandardSchema<T> } = {},
): Source<RawRecord> | Source<T> {
  checkName(stream);
  const { start = "latest", recordsPerCall = GET_RECORDS_LIMIT, schema, onDataLoss } = options;
  checkStart(stream, start);
  if (
    !(Number.isInteger(recordsPerCall) && recordsPerCall >= 1 &&
      recordsPerCall <= GET_RECORDS_LIMIT)
  ) {
    throw new RangeError(
      `Cannot read stream "${stream}" by ${recordsPerCall} records per call: ` +
        `expected a whole number from 1 to ${GET_RECORDS_LIMIT}`,
    );
  }
  if (onDataLoss !== undefined && onDataLoss !== "continue" && onDataLoss !== "stop") {
    throw new RangeError(
      `Cannot read stream "${stream}" with onDataLoss ${JSON.stringify(onDataLoss)}: ` +
        'expected "continue" or "stop"',
    );
  }
  const reader = new KinesisStream(stream, start, recordsPerCall, onDataLoss);
  const common = { kind: KIND, name: stream, bounded: false };
  const shards = (context: ConnectorContext) => reader.shards(context);
  if (schema === undefined) {
    const raw: Source<RawRecord> = {
      ...common,
      shards,
      read: (shard, after, context) => reader.read(shard, after, context),
    };
    return raw;
  }
  const validate = validator(schema);
  const checked: Source<T> = {
    ...common,
    shards,
    read: (shard, after, context) => jsonBatches(reader.read(shard, after, context), validate),
  };
  return decoding(checked, ["$"], schema);
}

/**
 * Writes values to a stream.
 *
 * @param stream the stream's name
 * @throws {RangeError} if the name or `maxRecordBytes` can't be
 * @throws {TypeError} if there is an `idField` and an `encode`
 */
function sink<T>(stream: string, options: KinesisSinkOptions<T>): Sink<T> {
  checkName(stream);
  const { maxRecordBytes, encode, idField } = options;
  if (
    maxRecordBytes !== undefined && !(maxRecordBytes >= 1 && maxRecordBytes <= RECORD_BYTES_MAX)
  ) {
    throw new RangeError(
      `Cannot write to stream "${stream}" with maxRecordBytes ${maxRecordBytes}: ` +
        `expected 1 to ${RECORD_BYTES_MAX}`,
    );
  }
  if (encode !== undefined && idField !== undefined) {
    throw new TypeError(
      `Cannot write to stream "${stream}" with encode and idField: encode is given the id, and writes it where it wants`,
    );
  }
  const clients = new SharedKinesis();
  return {
    kind: KIND,
    name: stream,
    guarantee: "at least once",
    open: async (context) => {
      const shared = await clients.acquire(context.aws);
      try {
        await checkStream(stream, shared.connection, context);
      } catch (error) {
        shared.release();
        throw error;
      }
      return new KinesisSinkWriter(stream, options, context, shared);
    },
  };
}

function checkName(stream: string): void {
  if (STREAM_NAME.test(stream)) return;
  throw new RangeError(
    `Cannot use stream ${JSON.stringify(stream)}: expected a name of 1 to 128 letters, digits, ` +
      `"_", "." and "-"; an ARN is not a name`,
  );
}

/**
 * Kinesis Data Streams.
 *
 * @example A stream in, a stream out
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { kinesis } from "./kinesis.ts";
 * const orders = kinesis.source("orders", { start: "trimHorizon" });
 * const totals = kinesis.sink<{ id: string }>("totals", { partitionKey: (total) => total.id });
 * assertEquals([orders.kind, orders.name, totals.name], ["kinesis", "orders", "totals"]);
 * ```
 */
export const kinesis = { source, sink };
