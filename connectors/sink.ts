/**
 * What a sink is to the engine. Each worker opens one writer per sink and hands it rows in order.
 *
 * The contract, which `tests/connectors/sink_suite.ts` holds every implementation to:
 * - `write()` takes all rows of a batch and must not keep the arrays. It returns undefined while there is room, or a
 *   promise for the moment there is room again; the engine writes nothing more to it before that. So a writer's
 *   buffer is bounded by its own limit plus one batch.
 * - Rows that share a key leave in the order in which they came, whatever is retried.
 * - A row that can never be written goes to `context.reject` and nothing else is held up by it.
 * - What can pass is retried inside, with backoff, without limit; what can't is told to `context.fail`, once.
 * - `flush()` resolves when everything taken so far has been written for good.
 *
 * @module
 */

import type { ConnectorContext } from "./source.ts";

/** Rows for a sink, in order. Arrays may be longer than `length`, and are reused by the caller after the call. */
export interface SinkBatch<T> {
  readonly length: number;
  readonly values: readonly T[];
  /** Where the row came from: `"<shard>@<position>"` of the record that caused it, or "" if none (a timer). */
  originAt(row: number): string;
}

/** What a writer is given to work with. */
export interface SinkContext extends ConnectorContext {
  /** A row that can't be written: becomes a dead letter with this reason. */
  reject(row: { readonly value: unknown; readonly origin: string; readonly reason: string }): void;
  /** The writer can't go on: the job stops or restarts with this error, by its policy. */
  fail(error: Error): void;
}

/** One worker's side of a sink. */
export interface SinkWriter<T> {
  readonly write: (batch: SinkBatch<T>) => Promise<void> | undefined;
  readonly flush: () => Promise<void>;
  /** Frees everything; rows not flushed are lost, so flush first. */
  readonly close: () => Promise<void>;
  /** Rows taken and not yet written for good. */
  readonly pending: () => number;
}

/** A sink, declared in a job's `sinks`. The type parameter is what it accepts. */
export interface Sink<T> {
  /** The connector's name, such as `"kinesis"`: for logs, status and plans. */
  readonly kind: string;
  /** What is written, such as a stream's name or a path: for people. */
  readonly name: string;
  readonly open: (context: SinkContext) => Promise<SinkWriter<T>>;
}
