/**
 * Writes rows to a stream with PutRecords. At least once: the service has no way to tell a repeat, so a request whose
 * answer is lost is sent again and may double, by us or by HTTP itself on a connection that was cut; one that was
 * given up on after its timeout may even land later. Within that, nothing is lost and records of a key keep their
 * order (`put_batch.ts` says how).
 *
 * @module
 */

import type {
  PutRecordsCommandOutput,
  PutRecordsRequestEntry,
  PutRecordsResultEntry,
} from "../../deps.ts";
import { type EncodedJson, JsonEncoder } from "../../operators/json_encoder.ts";
import type { Cancel } from "../../runtime/clock.ts";
import type { SinkBatch, SinkContext, SinkWriter } from "../sink.ts";
import { Retries } from "./backoff.ts";
import type { KinesisConnection } from "./client.ts";
import { failureClass, kinesisError, messageOf } from "./errors.ts";
import { headOf, type Lane, type PutEntry, PutLanes } from "./put_batch.ts";
import { type KinesisOutput, type KinesisSinkOptions, putEntry } from "./put_entry.ts";

/** Requests under way at once per writer. */
export const REQUESTS_IN_FLIGHT_MAX = 16;
/** How long a request that is not full waits for more. */
export const PUT_LINGER_MS = 5;
/** Rows taken and not yet written; above it, `write` says to wait. */
export const BUFFERED_RECORDS_MAX = 10_000;
/** Their bytes; above it, `write` says to wait. */
export const BUFFERED_BYTES_MAX = 32 * 1024 * 1024;

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** The writer of a Kinesis sink. */
export class KinesisSinkWriter<T> implements SinkWriter<T> {
  readonly #stream: string;
  readonly #options: KinesisSinkOptions<T>;
  readonly #context: SinkContext;
  readonly #connection: KinesisConnection;
  readonly #release: () => void;
  readonly #closing = new AbortController();
  readonly #lanes: PutLanes;
  readonly #retries: Retries;
  /** Makes payloads, unless the user does. */
  readonly #encoder: JsonEncoder | undefined;
  readonly #timers = new Set<Cancel>();
  #linger: Cancel | undefined;
  #lingered = false;
  #inFlight = 0;
  #waiters: Waiter[] = [];
  #flushes: Waiter[] = [];
  #error: Error | undefined;

  constructor(
    stream: string,
    options: KinesisSinkOptions<T>,
    context: SinkContext,
    shared: { readonly connection: KinesisConnection; readonly release: () => void },
  ) {
    this.#stream = stream;
    this.#options = options;
    this.#context = context;
    this.#connection = shared.connection;
    this.#release = shared.release;
    this.#lanes = new PutLanes(options.order ?? "key");
    this.#retries = new Retries(context, { stream });
    this.#encoder = options.encode === undefined ? new JsonEncoder() : undefined;
    context.signal.addEventListener("abort", this.#stop);
    if (context.signal.aborted) this.#stop();
  }

  readonly write = (batch: SinkBatch<T>): Promise<void> | undefined => {
    if (this.#error !== undefined) return observed(Promise.reject(this.#error));
    // Payloads are views of the batch's bytes, which stay until the last of them has been written.
    const encoded = this.#encoder?.encode(batch.values, batch.length);
    const output = new BatchOutput(batch);
    for (let row = 0; row < batch.length; row++) {
      output.row = row;
      this.#take(batch, row, encoded && payloadAt(encoded, row), output);
    }
    this.#send();
    if (!this.#over()) return undefined;
    return observed(new Promise((resolve, reject) => this.#waiters.push({ resolve, reject })));
  };

  readonly flush = (): Promise<void> => {
    if (this.#error !== undefined) return observed(Promise.reject(this.#error));
    if (this.#lanes.records === 0) return Promise.resolve();
    const flushed = observed(
      new Promise<void>((resolve, reject) => this.#flushes.push({ resolve, reject })),
    );
    this.#send();
    return flushed;
  };

  readonly close = (): Promise<void> => {
    this.#stop();
    return Promise.resolve();
  };

  readonly pending = (): number => this.#lanes.records;

  #take(
    batch: SinkBatch<T>,
    row: number,
    encoded: Uint8Array | undefined,
    output: KinesisOutput,
  ): void {
    // A hole can't be told from undefined here; either is a value that the encoder decides on.
    const value = batch.values[row] as T;
    const origin = batch.originAt(row);
    let entry: PutEntry;
    try {
      entry = putEntry(value, origin, this.#options, encoded, output);
    } catch (error) {
      this.#context.reject({ value, origin, id: batch.idAt(row), reason: messageOf(error) });
      return;
    }
    this.#lanes.add(entry);
  }

  #over(): boolean {
    return this.#lanes.records > BUFFERED_RECORDS_MAX || this.#lanes.bytes > BUFFERED_BYTES_MAX;
  }

  /** Sends what may go: full requests at once, others when they have lingered or somebody waits for the end. */
  #send(): void {
    while (this.#inFlight < REQUESTS_IN_FLIGHT_MAX && this.#lanes.ready > 0) {
      const due = this.#lanes.full || this.#lingered || this.#flushes.length > 0 ||
        this.#waiters.length > 0;
      if (!due) {
        this.#linger ??= this.#context.clock.setTimer(PUT_LINGER_MS, () => {
          this.#linger = undefined;
          this.#lingered = true;
          this.#send();
        });
        return;
      }
      this.#lingered = false;
      const lanes = this.#lanes.take();
      this.#inFlight++;
      this.#put(lanes).then(
        () => this.#settled(),
        (error) => this.#fail(error instanceof Error ? error : new Error(String(error))),
      );
    }
  }

  #settled(): void {
    this.#inFlight--;
    if (this.#closing.signal.aborted) return;
    if (!this.#over()) this.#waiters.splice(0).forEach(({ resolve }) => resolve());
    if (this.#lanes.records === 0) this.#flushes.splice(0).forEach(({ resolve }) => resolve());
    this.#send();
  }

  async #put(lanes: readonly Lane[]): Promise<void> {
    const { client, sdk } = this.#connection;
    const command = new sdk.PutRecordsCommand({
      StreamName: this.#stream,
      Records: lanes.map((lane) => requestEntry(headOf(lane))),
    });
    let answer: PutRecordsCommandOutput;
    try {
      answer = await client.send(command, { abortSignal: this.#closing.signal });
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#recover(lanes, error);
      return;
    }
    this.#confirm(lanes, answer.Records ?? []);
  }

  /** The answer's entries are in the request's order; one with an error code was not written. */
  #confirm(lanes: readonly Lane[], results: readonly PutRecordsResultEntry[]): void {
    const failed: Lane[] = [];
    let reason: Error | undefined;
    for (const [index, lane] of lanes.entries()) {
      const result = results[index];
      if (result && result.ErrorCode === undefined) {
        this.#lanes.confirm(lane);
        continue;
      }
      failed.push(lane);
      reason ??= new Error(result?.ErrorCode ?? "The answer has fewer entries than the request");
    }
    if (failed.length === 0) this.#retries.succeeded();
    else {this.#retryLater(
        failed,
        `${failed.length} of ${lanes.length} records were not taken`,
        reason,
      );}
  }

  #recover(lanes: readonly Lane[], error: unknown): void {
    const kind = failureClass(error);
    switch (kind) {
      case "passing":
      case "expired":
        return this.#retryLater(lanes, "Writing fails, trying again", error);
      case "invalid":
        return this.#refused(lanes, error);
      case "missing":
      case "fatal":
        throw kinesisError(`Cannot write to stream "${this.#stream}"`, error);
      default:
        kind satisfies never;
    }
  }

  /** The service refuses the request for one of its records: each goes alone, and the one that is refused is rejected. */
  #refused(lanes: readonly Lane[], error: unknown): void {
    const [only] = lanes;
    if (only === undefined || lanes.length > 1) {
      for (const lane of lanes) {
        lane.alone = true;
        this.#lanes.retry(lane);
      }
      return;
    }
    const { value, origin } = headOf(only);
    this.#context.reject({ value, origin, reason: `Kinesis refuses it: ${messageOf(error)}` });
    this.#lanes.confirm(only);
  }

  /** The lanes wait, and with them what came later for their keys; others go on. */
  #retryLater(lanes: readonly Lane[], message: string, error: unknown): void {
    // The requests in flight fail together: counted by record, one bad second is one failure and not sixteen.
    const attempt = Math.max(...lanes.map((lane) => lane.failures++));
    const waitMs = this.#retries.failed(message, error, attempt);
    const cancel = this.#context.clock.setTimer(waitMs, () => {
      this.#timers.delete(cancel);
      for (const lane of lanes) this.#lanes.retry(lane);
      // They have waited enough already.
      this.#lingered = true;
      this.#send();
    });
    this.#timers.add(cancel);
  }

  #fail(error: Error): void {
    if (this.#error !== undefined || this.#closing.signal.aborted) return;
    this.#error = error;
    this.#stop();
    this.#context.fail(error);
  }

  readonly #stop = (): void => {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#context.signal.removeEventListener("abort", this.#stop);
    this.#linger?.();
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    const unwritten = this.#lanes.records;
    this.#error ??= new Error(
      `Cannot write to stream "${this.#stream}": the writer was closed with ${unwritten} records unwritten`,
    );
    const error = this.#error;
    for (const { reject } of [...this.#waiters.splice(0), ...this.#flushes.splice(0)]) {
      reject(error);
    }
    this.#release();
  };
}

/** What `encode` is told of a row: one object a batch. */
class BatchOutput implements KinesisOutput {
  row = 0;
  readonly #batch: SinkBatch<unknown>;

  constructor(batch: SinkBatch<unknown>) {
    this.#batch = batch;
  }

  get id(): string {
    return this.#batch.idAt(this.row);
  }
}

/** The row's bytes; undefined if it has none, so that it is encoded by itself and the reason found. */
function payloadAt({ bytes, ends }: EncodedJson, row: number): Uint8Array | undefined {
  const start = row > 0 ? ends[row - 1] ?? 0 : 0;
  const end = ends[row] ?? 0;
  return end > start ? bytes.subarray(start, end) : undefined;
}

function requestEntry(entry: PutEntry): PutRecordsRequestEntry {
  const { data, partitionKey, explicitHashKey } = entry;
  return explicitHashKey === undefined
    ? { Data: data, PartitionKey: partitionKey }
    : { Data: data, PartitionKey: partitionKey, ExplicitHashKey: explicitHashKey };
}

/** A failure is told through `context.fail`, so that a caller who has stopped waiting must not end the process. */
function observed(promise: Promise<void>): Promise<void> {
  promise.catch(() => {});
  return promise;
}
