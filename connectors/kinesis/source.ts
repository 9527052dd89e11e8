/**
 * A stream as a source: lists its shards and reads them, raw. What is common to all readers of the stream in this
 * thread is here: the client, and the time that "latest" stands for.
 *
 * @module
 */

import type { Observable } from "../../deps.ts";
import type { RawBatch } from "../raw_record.ts";
import type { ConnectorContext, ReadContext, Shard } from "../source.ts";
import { Retries } from "./backoff.ts";
import { type KinesisConnection, SharedKinesis } from "./client.ts";
import { failureClass, kinesisError, messageOf } from "./errors.ts";
import { listShards } from "./list_shards.ts";
import { type KinesisStart, parsePosition, positionText, startPosition } from "./position.ts";
import { GET_RECORDS_LIMIT, type OnDataLoss, readShard } from "./shard_reader.ts";
import { shardFilter, shardTree } from "./shard_tree.ts";

/** A stream and where its shards start. */
export class KinesisStream {
  readonly #stream: string;
  readonly #start: KinesisStart;
  readonly #recordsPerCall: number;
  readonly #onDataLoss: OnDataLoss;
  readonly #clients = new SharedKinesis();
  /** Signals on whose abortion the client for listing is let go. */
  readonly #listing = new WeakMap<AbortSignal, ReturnType<SharedKinesis["acquire"]>>();
  #startedAt: number | undefined;

  constructor(
    stream: string,
    start: KinesisStart,
    recordsPerCall = GET_RECORDS_LIMIT,
    onDataLoss: OnDataLoss = "continue",
  ) {
    this.#stream = stream;
    this.#start = start;
    this.#recordsPerCall = recordsPerCall;
    this.#onDataLoss = onDataLoss;
  }

  /**
   * The shards to read now; tries until it succeeds or `context.signal` is aborted.
   *
   * @throws {Error} if somebody must act: no such stream, no permission, no credentials
   */
  async shards(context: ConnectorContext): Promise<readonly Shard[]> {
    const startedAt = this.#startedAtBy(context);
    const retries = new Retries(context, { stream: this.#stream });
    while (!context.signal.aborted) {
      try {
        const listed = await listShards(await this.#lister(context), {
          stream: this.#stream,
          filter: shardFilter(this.#start, startedAt),
          signal: context.signal,
        });
        return shardTree(listed, this.#start, startedAt);
      } catch (error) {
        if (context.signal.aborted) break;
        const kind = failureClass(error);
        // The service's clock may be behind ours, and then the start is in its future.
        const early = kind === "invalid" && /timestamp/i.test(messageOf(error));
        if (kind !== "passing" && kind !== "expired" && !early) {
          throw kinesisError(`Cannot list the shards of stream "${this.#stream}"`, error);
        }
        await retries.wait("Listing shards fails, trying again", error, context.signal);
      }
    }
    throw new Error(`Cannot list the shards of stream "${this.#stream}": the source was closed`);
  }

  /** One shard's batches, after `after` or from the start. */
  read(
    shard: string,
    after: string | undefined,
    context: ReadContext,
  ): Observable<RawBatch> {
    const startedAt = this.#startedAtBy(context);
    return readShard({
      stream: this.#stream,
      shard,
      position: after === undefined
        ? startPosition(this.#start, shard, startedAt)
        : parsePosition(after),
      isContinued: isContinued(this.#start, after),
      onDataLoss: this.#onDataLoss,
      acquire: () => this.#clients.acquire(context.aws),
      context,
      limit: this.#recordsPerCall,
    });
  }

  /** A host that does not say when the job started gets the time at which this thread first used the source. */
  #startedAtBy(context: ConnectorContext): number {
    this.#startedAt ??= context.clock.now();
    return context.startedAt ?? this.#startedAt;
  }

  /** Listing is done every few seconds: its client stays until the job lets go. */
  async #lister(context: ConnectorContext): Promise<KinesisConnection> {
    const known = this.#listing.get(context.signal);
    if (known !== undefined) return (await known).connection;
    const share = this.#clients.acquire(context.aws);
    this.#listing.set(context.signal, share);
    try {
      const { connection, release } = await share;
      context.signal.addEventListener("abort", release);
      if (context.signal.aborted) release();
      return connection;
    } catch (error) {
      this.#listing.delete(context.signal);
      throw error;
    }
  }
}

/** Whether reading goes on where it, or another consumer, had got to, and does not begin where the job says. */
function isContinued(start: KinesisStart, after: string | undefined): boolean {
  if (typeof start === "string") return after !== undefined;
  if ("after" in start) return true;
  return after !== undefined && after !== positionText({ kind: "at", timestampMs: start.at });
}
