/**
 * Reads one shard by polling, at the pace that demand and the service's limits allow. One answer is one batch, an empty
 * one too: it carries position and lag.
 *
 * ```
 *            no iterator                        answer
 *  open ───────────────────> polling ──────────────────────> batch ──> open, or complete if the shard ended
 *   ^ ^                       │   │ throttle, 5xx, network: back off, same iterator
 *   │ └───────────────────────┘   └─> polling
 *   │   iterator expired or refused: a new one after the kept position
 *   └── position trimmed: said as data loss, then from the oldest record; shard gone: said, complete;
 *       with onDataLoss "stop" an error in place of either
 * ```
 *
 * The position is moved only by what has been handed on, so that nothing is skipped or doubled by any of these.
 *
 * @module
 */

import type { GetRecordsCommandOutput, Observable } from "../../deps.ts";
import { delay } from "../../runtime/clock.ts";
import type { LogFields } from "../../runtime/logger.ts";
import { pacedBatches } from "../paced_batches.ts";
import { RawBatch } from "../raw_record.ts";
import { DataLossError, type ReadContext } from "../source.ts";
import { Retries } from "./backoff.ts";
import type { KinesisConnection } from "./client.ts";
import { failureClass, kinesisError, messageOf } from "./errors.ts";
import { GetRecordsAnswer } from "./get_records_protocol.ts";
import { type Allowance, allowanceAfter, FULL_ALLOWANCE, idleMs, waitMs } from "./pacing.ts";
import { iteratorStart, type Position, positionText } from "./position.ts";
import { retentionGap, shardExists } from "./retention.ts";
import { sequenceTime } from "./sequence_number.ts";

/** Records asked for per call: the most that the service gives. */
export const GET_RECORDS_LIMIT = 10_000;

/** What is done when records are gone that were to be read: said, as an error in the log, or the job is stopped. */
export type OnDataLoss = "continue" | "stop";

/** What is read, and from where. */
export interface ShardReading {
  readonly stream: string;
  readonly shard: string;
  readonly position: Position;
  /** Whether the position is where reading had got to: what is missing behind it is lost, not left out on purpose. */
  readonly isContinued: boolean;
  readonly onDataLoss: OnDataLoss;
  readonly acquire: () => Promise<{
    readonly connection: KinesisConnection;
    readonly release: () => void;
  }>;
  readonly context: ReadContext;
  /** Records per call. */
  readonly limit: number;
}

/** A shard as batches; completes at the end of a closed shard, errors when somebody must act. */
export function readShard(reading: ShardReading): Observable<RawBatch> {
  return pacedBatches(reading.context, async function* (signal) {
    const { connection, release } = await reading.acquire();
    try {
      const reader = new ShardReader(reading, connection, signal);
      for (;;) {
        const batch = await reader.next();
        if (batch === undefined) return;
        yield batch;
      }
    } finally {
      release();
    }
  });
}

class ShardReader {
  readonly #reading: ShardReading;
  readonly #connection: KinesisConnection;
  readonly #signal: AbortSignal;
  readonly #retries: Retries;
  #position: Position;
  #iterator: string | undefined;
  #allowance: Allowance = FULL_ALLOWANCE;
  #emptyAnswers = 0;
  /** Whether it is known that the position is not older than the retention, or it has been said. */
  #ageChecked: boolean;
  /** When the gap begins that the next record ends. */
  #gapFrom: { readonly ms: number | undefined } | undefined;
  /** Whether the shard has no more records than were handed on. */
  #ended = false;

  constructor(reading: ShardReading, connection: KinesisConnection, signal: AbortSignal) {
    this.#reading = reading;
    this.#connection = connection;
    this.#signal = signal;
    this.#position = reading.position;
    this.#ageChecked = !reading.isContinued;
    this.#retries = new Retries(reading.context, this.#names);
  }

  /** The next answer; undefined if the shard ended without one, or reading was closed. */
  async next(): Promise<RawBatch | undefined> {
    while (!this.#signal.aborted && !this.#ended) {
      let iterator: string | undefined;
      try {
        iterator = this.#iterator ??= await this.#openIterator();
        const batch = await this.#poll(iterator);
        this.#retries.succeeded();
        return batch;
      } catch (error) {
        if (this.#signal.aborted) return undefined;
        if (error instanceof DataLossError) throw error;
        await this.#recover(error, iterator !== undefined);
      }
    }
    return undefined;
  }

  get #names() {
    return { stream: this.#reading.stream, shard: this.#reading.shard };
  }

  async #openIterator(): Promise<string> {
    const { client, sdk } = this.#connection;
    const { stream, shard } = this.#reading;
    if (!this.#ageChecked) await this.#checkAge();
    const { ShardIterator } = await client.send(
      new sdk.GetShardIteratorCommand({
        StreamName: stream,
        ShardId: shard,
        ...iteratorStart(this.#position),
      }),
      { abortSignal: this.#signal },
    );
    if (ShardIterator === undefined) {
      throw new SyntaxError("Cannot read a GetShardIterator answer: it has no ShardIterator");
    }
    return ShardIterator;
  }

  /** The service goes on from the oldest record when the one after the position is gone, without a word. */
  async #checkAge(): Promise<void> {
    const { context } = this.#reading;
    const positionMs = positionTime(this.#position);
    const gap = positionMs === undefined ? undefined : await retentionGap(this.#connection, {
      ...this.#names,
      context,
      positionMs,
      signal: this.#signal,
    });
    this.#ageChecked = true;
    if (gap === undefined) return;
    this.#lost(
      "Data may be lost: a shard is continued after a position older than the stream's retention; " +
        "what was written in the gap is gone",
      {
        gapFrom: isoTime(gap.fromMs),
        gapTo: isoTime(gap.toMs),
        retentionHours: gap.retentionHours,
      },
    );
  }

  /** Says it, or ends reading for good. */
  #lost(message: string, fields: LogFields): void {
    const { stream, shard, context, onDataLoss } = this.#reading;
    const position = positionText(this.#position);
    if (onDataLoss === "continue") {
      context.logger.error(message, { ...this.#names, position, ...fields });
      return;
    }
    const { gapFrom = "an unknown time", gapTo = "now" } = fields;
    throw new DataLossError(
      `Cannot go on reading shard "${shard}" of stream "${stream}" after position "${position}": ` +
        `${message} (gap from ${gapFrom} to ${gapTo}); fill the gap from elsewhere, ` +
        `then start once with onDataLoss "continue"`,
    );
  }

  async #poll(iterator: string): Promise<RawBatch | undefined> {
    const { clock } = this.#reading.context;
    const idle = this.#emptyAnswers > 0 ? idleMs(this.#emptyAnswers) : 0;
    const pause = Math.max(idle, waitMs(this.#allowance, clock.monotonic()));
    if (pause > 0) await delay(clock, pause, this.#signal);
    if (this.#signal.aborted) return undefined;
    const askedAt = clock.monotonic();
    // A call that fails counts against the service's limit as well.
    this.#allowance = allowanceAfter(this.#allowance, 0, askedAt);
    const { client, sdk } = this.#connection;
    const answer: GetRecordsCommandOutput = await client.send(
      new sdk.GetRecordsCommand({
        ShardIterator: iterator,
        Limit: this.#reading.limit,
      }),
      { abortSignal: this.#signal },
    );
    if (!(answer instanceof GetRecordsAnswer)) {
      throw new TypeError("Cannot read GetRecords: the client was made without our protocol");
    }
    this.#allowance = { ...this.#allowance, bytes: this.#allowance.bytes - answer.arena.length };
    return this.#accept(answer);
  }

  #accept(answer: GetRecordsAnswer): RawBatch {
    const batch = new RawBatch({
      shardId: this.#reading.shard,
      arena: answer.arena,
      starts: answer.starts,
      ends: answer.ends,
      partitionKeys: answer.partitionKeys,
      sequenceNumbers: answer.sequenceNumbers,
      arrivals: answer.arrivals,
      millisBehindLatest: answer.millisBehindLatest,
      position: positionText(this.#position),
    });
    if (batch.length > 0) {
      this.#position = { kind: "after", sequenceNumber: batch.position };
      if (this.#gapFrom !== undefined) this.#endGap(answer.arrivals[0]);
    }
    // An empty answer away from the tip says nothing about what is ahead: go on without a rest.
    const atTip = batch.length === 0 && (answer.millisBehindLatest ?? 0) === 0;
    this.#emptyAnswers = atTip ? this.#emptyAnswers + 1 : 0;
    this.#iterator = answer.nextIterator;
    this.#ended = answer.nextIterator === undefined;
    return batch;
  }

  #endGap(toMs: number | undefined): void {
    const { logger } = this.#reading.context;
    logger.error("Data loss: the first record behind the gap has been read", {
      ...this.#names,
      gapFrom: isoTime(this.#gapFrom?.ms),
      gapTo: isoTime(toMs),
    });
    this.#gapFrom = undefined;
  }

  /** Makes the next try possible, or throws. `polling` tells a failed GetRecords from a failed GetShardIterator. */
  async #recover(error: unknown, polling: boolean): Promise<void> {
    const { logger } = this.#reading.context;
    const kind = failureClass(error);
    switch (kind) {
      case "passing":
        return await this.#retries.wait("Reading a shard fails, trying again", error, this.#signal);
      case "expired":
      case "invalid":
        if (polling) {
          this.#iterator = undefined;
          const message = "A shard iterator is no longer good, taking another";
          logger.debug(message, { ...this.#names, text: messageOf(error) });
          // The first replacement is free: only one that fails at once has to wait.
          if (this.#retries.failures > 0) {
            return await this.#retries.wait(message, error, this.#signal);
          }
          this.#retries.failed(message, error);
          return;
        }
        return await this.#refused(error);
      case "missing":
        this.#iterator = undefined;
        return await this.#missing(error, polling);
      case "fatal":
        throw this.#failure(error);
      default:
        kind satisfies never;
    }
  }

  /** The service takes the position for no good. */
  async #refused(error: unknown): Promise<void> {
    const position = this.#position;
    if (position.kind === "at" && /timestamp/i.test(messageOf(error))) {
      return await this.#retries.wait(
        "The start time is in the service's future, waiting for it",
        error,
        this.#signal,
      );
    }
    const { stream, shard } = this.#reading;
    throw kinesisError(
      `Cannot read shard "${shard}" of stream "${stream}" from position "${
        positionText(position)
      }" ` +
        `(was the stream deleted and made again? then start without this checkpoint)`,
      error,
    );
  }

  /** Stream, shard or position is not there any more. */
  async #missing(error: unknown, polling: boolean): Promise<void> {
    const { clock } = this.#reading.context;
    const position = this.#position;
    const name = { ...this.#names, signal: this.#signal };
    const exists = await shardExists(this.#connection, name).catch((cause) => {
      throw this.#failure(cause);
    });
    if (exists === "unknown") {
      return await this.#retries.wait("Looking for a shard fails", error, this.#signal);
    }
    if (exists === "no stream") throw this.#failure(error);
    const gapFromMs = positionTime(position);
    const fields = { gapFrom: isoTime(gapFromMs), noticedAt: isoTime(clock.now()) };
    if (exists === "no shard") {
      this.#lost(
        "Data loss: a shard expired before it was read to its end; its records after the position are gone",
        fields,
      );
      this.#ended = true;
      return;
    }
    if (polling || position.kind !== "after") {
      return await this.#retries.wait("A listed shard can't be read", error, this.#signal);
    }
    this.#lost(
      "Data loss: a position is older than the stream's retention; going on with the oldest record there is",
      fields,
    );
    this.#gapFrom = { ms: gapFromMs };
    this.#position = { kind: "trimHorizon" };
  }

  #failure(error: unknown): Error {
    const { stream, shard } = this.#reading;
    return kinesisError(`Cannot read shard "${shard}" of stream "${stream}"`, error);
  }
}

/** The time of a position, ms since the epoch, if it tells one. */
function positionTime(position: Position): number | undefined {
  if (position.kind === "after") return sequenceTime(position.sequenceNumber);
  return position.kind === "at" ? position.timestampMs : undefined;
}

function isoTime(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}
