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
 * - What readers can count on is said by `guarantee`. Of a sink that gives "at least once" rows since the last checkpoint
 *   are written again after a restart; a row that is written again has the id that it had.
 *
 * A transactional sink has `prepare`, `commit` and `finish` as well, and gives "exactly once" where the job has
 * checkpoints (Flink's two-phase commit). What it writes is seen by nobody before it is committed, or finished:
 *
 * ```
 *  write ... prepare(1) write ... [checkpoint 1 is complete] commit(1) ... prepare(2) ... commit(2) ... close
 *                 └ its result goes into the checkpoint ──> after a restart: `context.restored` of worker 0
 * ```
 *
 * - A checkpoint may fail after `prepare`: then `commit` of a later one makes both epochs visible, so that what
 *   `prepare` gives tells of all that is prepared and not committed.
 * - `open` commits what is `restored`, and undoes what other writers that are gone have left behind.
 * - `flush` of such a sink says that rows are stored, not that they are visible.
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
  /** Event time of the row, ms since the epoch, or -Infinity. */
  timestampAt(row: number): number;
  /**
   * The row's id: the same whenever the same input is processed again from a checkpoint, on any number of workers, and
   * different for all rows that a job puts out. Its form is in `runtime/worker/output_id.ts`. Made anew at each call.
   */
  idAt(row: number): string;
}

/** A row that a writer can't write. */
export interface RejectedRow {
  readonly value: unknown;
  readonly origin: string;
  readonly id?: string | undefined;
  readonly reason: string;
}

/** What a writer is told of event time. */
export type SinkMark =
  /** No row with a timestamp at or below `at` is expected any more. Rises; `Infinity` when all input is over. */
  | { readonly kind: "advance"; readonly at: number }
  /** Nothing is expected to raise the watermark until `active` is said. May be said again. */
  | { readonly kind: "idle" }
  /** What feeds the sink is not idle any more. */
  | { readonly kind: "active" };

/** What a writer is given to work with. */
export interface SinkContext extends ConnectorContext {
  /** The number of the worker that opens the writer, from 0. */
  readonly worker: number;
  /**
   * What `prepare` gave on all workers for the checkpoint that the job starts from: given to the writer of worker 0,
   * empty for the others, and where there is no checkpoint.
   */
  readonly restored: readonly unknown[];
  /**
   * A row that can't be written: becomes a dead letter with this reason. Its `id` makes that of the letter; where the
   * writer doesn't know it any more, letters of one record have the same.
   */
  reject(row: RejectedRow): void;
  /** The writer can't go on: the job stops or restarts with this error, by its policy. */
  fail(error: Error): void;
}

/** One worker's side of a sink. */
export interface SinkWriter<T> {
  readonly write: (batch: SinkBatch<T>) => Promise<void> | undefined;
  /**
   * Told of the watermark of all that feeds this writer on its worker, after the rows before it and before those after
   * it (Flink's `SinkWriter.writeWatermark`). Left out unless wanted: it makes batches smaller. A writer that wants no
   * more rows may still be told.
   */
  readonly mark?: (mark: SinkMark) => void;
  readonly flush: () => Promise<void>;
  /** Frees everything; rows not flushed are lost, so flush first. */
  readonly close: () => Promise<void>;
  /** Rows taken and not yet written for good. */
  readonly pending: () => number;
  /**
   * Only of transactional sinks. A barrier: rows taken so far belong to `epoch`, those that come after the call to the
   * next one. Resolves when they are stored so that `commit` can't fail for want of them, with what a checkpoint must
   * keep to commit them after a restart: plain data, of earlier epochs too that are not committed yet. Epochs rise.
   */
  readonly prepare?: (epoch: number) => Promise<unknown>;
  /**
   * Only of transactional sinks. The checkpoint of `epoch` is there for good: all that was prepared up to it becomes
   * visible, in order. Can be called again, also after it has failed.
   */
  readonly commit?: (epoch: number) => Promise<void>;
  /**
   * Only of transactional sinks, and only in jobs without checkpoints: the job has ended by itself or was stopped, and
   * nothing will be restored, so that all that is left becomes visible. Called once, after the last flush.
   */
  readonly finish?: () => Promise<void>;
}

/** A sink, declared in a job's `sinks`. The type parameter is what it accepts. */
export interface Sink<T> {
  /** The connector's name, such as `"kinesis"`: for logs, status and plans. */
  readonly kind: string;
  /** What is written, such as a stream's name or a path: for people. */
  readonly name: string;
  /** What readers can count on. "exactly once": where the job has checkpoints; the writers are transactional. */
  readonly guarantee: "at least once" | "exactly once";
  readonly open: (context: SinkContext) => Promise<SinkWriter<T>>;
}
