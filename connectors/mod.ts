/**
 * Connectors, and the interfaces that one's own implement.
 *
 * @module
 */

export { file } from "./file/file.ts";
export { kinesis } from "./kinesis/kinesis.ts";
export { memory } from "./memory/memory.ts";
export { type RawRecord, textOf } from "./raw_record.ts";
export type { RejectedRow, Sink, SinkBatch, SinkContext, SinkMark, SinkWriter } from "./sink.ts";
export {
  type AwsSettings,
  type ConnectorContext,
  DataLossError,
  type Demand,
  NO_TIMESTAMP,
  type ReadContext,
  type Shard,
  type ShardBatch,
  type ShardEvent,
  type ShardMark,
  type Source,
} from "./source.ts";
