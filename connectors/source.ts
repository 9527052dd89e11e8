/**
 * What a source is to the engine. A source is read shard by shard; a shard is a totally ordered run of records with
 * positions, and each shard is read by one shard actor at a time.
 *
 * The contract, which `tests/connectors/source_suite.ts` holds every implementation to:
 * - `shards()` lists what can be read now. It is called again for sources that can grow; a shard once listed keeps its id.
 * - `read()` gives a cold observable: nothing happens before subscription, unsubscribing ends all work and I/O.
 * - It asks `context.demand` before each batch and delivers at most one batch per grant, so that whoever is
 *   downstream decides the pace. RxJS has no back-pressure of its own.
 * - Batches are never empty of meaning: one without rows carries progress (position, lag) or marks.
 * - Records of a shard come in order, each position after the one before; reading again after a batch's
 *   `position` continues with the next record, nothing lost and nothing twice.
 * - Marks have positions of their own, in one order with those of the rows: reading again after a mark's continues with
 *   what stands behind it, and after a row's with the marks behind that row. A checkpoint between two marks so neither
 *   loses nor repeats one.
 * - It completes at the shard's end and errors only when trying again is pointless; what can pass is retried inside.
 *
 * @module
 */

import type { Observable } from "../deps.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/logger.ts";
import type { Random } from "../runtime/random.ts";

/** What a shard says of event time by itself, without `eventTime()`. */
export type ShardEvent =
  /** No row with a timestamp at or below `at` is expected from it. */
  | { readonly kind: "advance"; readonly at: number; readonly deferred?: boolean | undefined }
  /** Nobody is to wait for it until it speaks again: leave it out. */
  | { readonly kind: "idle"; readonly deferred?: boolean | undefined }
  /** It is there again. */
  | { readonly kind: "active"; readonly deferred?: boolean | undefined }
  /** What shards of the source have said `deferred` counts from now on, if nothing else has made it count. */
  | { readonly kind: "settle" };

/** A word of a shard between its rows. */
export interface ShardMark {
  /** It stands before this row; a batch's length: behind the last. */
  readonly beforeRow: number;
  readonly event: ShardEvent;
  /** Where to go on behind it. */
  readonly position: string;
}

/** Timestamp of a record that has none. */
export const NO_TIMESTAMP = -Infinity;

/** A run of consecutive records of one shard. Rows are numbered from 0 to `length - 1`. */
export interface ShardBatch<T> {
  readonly length: number;
  /** Payload size in bytes: what credits count. */
  readonly bytes: number;
  /** Where to go on after this batch: as `positionAt` of its last row, or further along. */
  readonly position: string;
  /** How far behind the shard's tip this batch was when it was read, in ms; undefined where the source can't tell. */
  readonly millisBehindLatest?: number | undefined;
  /** What the shard says of event time, in order; for sources that know watermarks. `eventTime()` replaces it. */
  readonly marks?: readonly ShardMark[] | undefined;
  /** The row's value. The engine asks once a row, in order. */
  valueAt(row: number): T;
  /** The row's position, such as a sequence number. Asked for seldom: for dead letters and output ids. */
  positionAt(row: number): string;
  /** The time that the source gives the row, ms since the epoch, or `NO_TIMESTAMP`. */
  timestampAt(row: number): number;
}

/** A shard as listed. */
export interface Shard {
  /** Unique within the source and stable over restarts. */
  readonly id: string;
  /** Shards that must be read to their end before this one, as after a split or a merge. */
  readonly parents: readonly string[];
}

/** AWS settings that come from the command line; what is missing is taken from the SDK's usual places. */
export interface AwsSettings {
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
}

/** What every connector is given to work with: nothing ambient. */
export interface ConnectorContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly aws: AwsSettings;
  /** When the job was first started, ms since the epoch, the same on every worker and after restarts: what "latest" means. */
  readonly startedAt?: number | undefined;
  /** Aborted when the connector must let go: finish quickly, free everything. */
  readonly signal: AbortSignal;
}

/** The pace that a reader keeps. */
export interface Demand {
  /** Resolves when one more batch is wanted, or when the reader is being closed (then `signal` is aborted). */
  next(): Promise<void>;
}

/** What `read()` is given. */
export interface ReadContext extends ConnectorContext {
  readonly demand: Demand;
}

/** A source of records, declared in a job's `sources`. The type parameter is what its streams carry. */
export interface Source<T> {
  /** The connector's name, such as `"kinesis"`: for logs, status and plans. */
  readonly kind: string;
  /** What is read, such as a stream's name or a path: for people. */
  readonly name: string;
  /** Whether it ends by itself. */
  readonly bounded: boolean;
  /**
   * How watermarks of its shards become one. `"splits"` (default), as in Flink's sources: a shard that comes back from
   * idleness counts at once, and a watermark ends its idleness. `"channels"`, as at the input of Flink's operators, for
   * shards that each carry a finished stream: one that comes back counts when it has caught up, and must say first that
   * it is active.
   */
  readonly watermarks?: "splits" | "channels" | undefined;
  /** Lists the shards that exist now, parents included as long as they can be read. */
  readonly shards: (context: ConnectorContext) => Promise<readonly Shard[]>;
  /**
   * Reads one shard.
   *
   * @param shard its id
   * @param after the position to continue after; undefined starts where the source's options say
   */
  readonly read: (
    shard: string,
    after: string | undefined,
    context: ReadContext,
  ) => Observable<ShardBatch<T>>;
}

/**
 * Records that were to be read are gone for good, and the source was told not to go on without them: the job stops and is
 * not started again, whatever its `onError`.
 *
 * @example What to throw, or to error with
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { DataLossError } from "./source.ts";
 * assertEquals(new DataLossError("Cannot go on: the file was cut").name, "DataLossError");
 * ```
 */
export class DataLossError extends Error {
  override readonly name = "DataLossError";
}
