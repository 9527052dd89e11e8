/**
 * Reading GetRecords answers without the SDK's deserialiser, which takes four times as long: one `JSON.parse` of the whole
 * answer, and every payload decoded natively into one arena. It plugs into the client's public `protocol` option; errors and
 * every other operation stay the SDK's.
 *
 * @module
 */

import { loadAwsProtocols } from "../../deps.ts";
import { NO_TIMESTAMP } from "../source.ts";

/** Base64 of an empty payload. */
const NO_PAYLOAD = "";
const utf8 = new TextDecoder();

/** What a GetRecords answer says, its records as columns. */
export class GetRecordsAnswer {
  readonly $metadata: { readonly httpStatusCode: number };
  readonly arena: Uint8Array<ArrayBuffer>;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly partitionKeys: readonly string[];
  readonly sequenceNumbers: readonly string[];
  readonly arrivals: Float64Array;
  /** Undefined at the end of a closed shard. */
  readonly nextIterator: string | undefined;
  readonly millisBehindLatest: number | undefined;

  /**
   * @param body the answer's body, the JSON of `GetRecordsOutput` (Kinesis API reference)
   * @throws {SyntaxError} if it is not JSON of that shape, or a payload is not Base64
   */
  constructor(body: string, httpStatusCode: number) {
    const answer: unknown = JSON.parse(body);
    if (!isAnswer(answer)) {
      throw new SyntaxError("Cannot read a GetRecords answer: expected an object with Records");
    }
    const records = answer.Records;
    const length = records.length;
    let total = 0;
    for (const record of records) total += decodedLength(record.Data ?? NO_PAYLOAD);
    const arena = new Uint8Array(total);
    const starts = new Int32Array(length);
    const ends = new Int32Array(length);
    const arrivals = new Float64Array(length);
    const partitionKeys = new Array<string>(length);
    const sequenceNumbers = new Array<string>(length);
    let end = 0;
    for (let row = 0; row < length; row++) {
      const record = records[row];
      if (record === undefined) continue;
      const arrival = record.ApproximateArrivalTimestamp;
      starts[row] = end;
      const payload = record.Data ?? NO_PAYLOAD;
      const { read, written } = arena.subarray(end).setFromBase64(payload);
      if (read !== payload.length) {
        throw new SyntaxError(`Cannot read record ${row} of a GetRecords answer: bad Base64`);
      }
      end += written;
      ends[row] = end;
      // The service writes seconds with three decimals.
      arrivals[row] = arrival === undefined ? NO_TIMESTAMP : Math.round(arrival * 1000);
      // A stream that spreads records by itself may leave the key out.
      partitionKeys[row] = record.PartitionKey ?? "";
      sequenceNumbers[row] = record.SequenceNumber;
    }
    this.$metadata = { httpStatusCode };
    this.arena = arena;
    this.starts = starts;
    this.ends = ends;
    this.partitionKeys = partitionKeys;
    this.sequenceNumbers = sequenceNumbers;
    this.arrivals = arrivals;
    this.nextIterator = answer.NextShardIterator ?? undefined;
    this.millisBehindLatest = answer.MillisBehindLatest ?? undefined;
  }
}

/** The SDK's class that ours extends. */
type AwsJsonProtocol = Awaited<ReturnType<typeof loadAwsProtocols>>["AwsJson1_1Protocol"];

/**
 * The class for the client's `protocol` option. With it, `send(new GetRecordsCommand(...))` resolves to a
 * {@linkcode GetRecordsAnswer}: narrow with `instanceof`.
 */
export async function getRecordsProtocol(): Promise<AwsJsonProtocol> {
  const { AwsJson1_1Protocol } = await loadAwsProtocols();
  type Deserialise = InstanceType<AwsJsonProtocol>["deserializeResponse"];
  return class GetRecordsProtocol extends AwsJson1_1Protocol {
    override async deserializeResponse<Output extends Awaited<ReturnType<Deserialise>>>(
      ...[operation, context, response]: Parameters<Deserialise>
    ): Promise<Output> {
      if (operation.name !== "GetRecords" || this.isErrorResponse(response.statusCode)) {
        return await super.deserializeResponse<Output>(operation, context, response);
      }
      const body = utf8.decode(await context.streamCollector(response.body));
      const answer: object = new GetRecordsAnswer(body, response.statusCode);
      return answer as Output;
    }
  };
}

/** One record as the service writes it. */
interface AnsweredRecord {
  readonly SequenceNumber: string;
  readonly PartitionKey?: string;
  readonly Data?: string;
  readonly ApproximateArrivalTimestamp?: number;
}

interface Answer {
  readonly Records: readonly AnsweredRecord[];
  readonly NextShardIterator?: string | null;
  readonly MillisBehindLatest?: number | null;
}

/** The service is trusted for its records' fields: checking each costs as much as parsing them. */
function isAnswer(value: unknown): value is Answer {
  return typeof value === "object" && value !== null && "Records" in value &&
    Array.isArray(value.Records);
}

function decodedLength(base64: string): number {
  const length = base64.length;
  const padding = base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0;
  return (length >> 2) * 3 - padding;
}
