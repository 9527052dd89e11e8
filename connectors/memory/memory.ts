/**
 * Arrays as a source and as a sink: for tests, demos and small bounded inputs. Everything lives in the thread that reads
 * or writes it, so a sink's rows can be looked at where the job runs in one thread; across workers use a file.
 *
 * @module
 */

import { aborted, pacedBatches, positionError, shardError } from "../paced_batches.ts";
import type { Sink, SinkContext, SinkWriter } from "../sink.ts";
import { NO_TIMESTAMP, type ReadContext, type ShardBatch, type Source } from "../source.ts";

/** Rows of one batch of a memory source. */
export const MEMORY_BATCH_ROWS_MAX = 1000;
/** What one row of a memory source counts for in credits, in bytes: a record of ordinary size. */
export const MEMORY_ROW_BYTES = 200;
/** Rows that a memory sink keeps: beyond that the job fails rather than the process. */
export const MEMORY_SINK_ROWS_MAX = 10_000_000;

/** What a memory source reads, if more is to be said than the values. */
export interface MemorySourceOptions<T> {
  /** One array per shard; their ids are `shard-0`, `shard-1` and so on. */
  readonly shards: readonly (readonly T[])[];
  /** The time of a value, ms since the epoch; without it rows have no timestamp. */
  readonly timestamp?: ((value: T) => number) | undefined;
  /** False: shards stay open after their last row, until closed. True unless said. */
  readonly bounded?: boolean | undefined;
  /** What the source is called in logs and plans; `"memory"` unless said. */
  readonly name?: string | undefined;
}

/** A sink that keeps its rows. */
export interface MemorySink<T> extends Sink<T> {
  /** All rows written so far, by all writers of this thread, in the order of writing. */
  readonly rows: readonly T[];
}

/** Where memory sources and sinks are made. */
export interface Memory {
  /**
   * A source over arrays. Positions are row numbers as text. The arrays are read when asked for and not copied: what is
   * pushed onto an array before a reader has got there is read too.
   *
   * Reading errors with a RangeError for a shard that is not there, and for a position that is no row number.
   *
   * @param input the values of a single shard, or shards with options
   *
   * @example Two shards with event times
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { memory } from "./memory.ts";
   * const readings = memory.source({
   *   shards: [[{ at: 1000, celsius: 20 }], [{ at: 2000, celsius: 21 }]],
   *   timestamp: (reading) => reading.at,
   * });
   * assertEquals([readings.kind, readings.bounded], ["memory", true]);
   * ```
   */
  source<T>(input: readonly T[] | MemorySourceOptions<T>): Source<T>;
  /**
   * A sink that keeps its rows in `rows`, at least once: repeats after a restart are added too. Fails with a RangeError at {@linkcode MEMORY_SINK_ROWS_MAX} rows.
   *
   * @example What a job has written
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { memory } from "./memory.ts";
   * const totals = memory.sink<{ total: number }>();
   * assertEquals(totals.rows, []); // Until a job writes to it.
   * ```
   */
  sink<T>(name?: string): MemorySink<T>;
}

/**
 * Arrays as sources and sinks.
 *
 * @example A source of three numbers
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { memory } from "./memory.ts";
 * assertEquals(memory.source([1, 2, 3]).bounded, true);
 * ```
 */
export const memory: Memory = {
  source<T>(input: readonly T[] | MemorySourceOptions<T>): Source<T> {
    const { shards, timestamp, bounded = true, name = "memory" } = "shards" in input
      ? input
      : { shards: [input] };
    const ids = shards.map((_, index) => `shard-${index}`);
    const source: Source<T> = {
      kind: "memory",
      name,
      bounded,
      shards: () => Promise.resolve(ids.map((id) => ({ id, parents: [] }))),
      read: (shard, after, context: ReadContext) =>
        pacedBatches(context, async function* (signal) {
          const values = shards[ids.indexOf(shard)];
          if (values === undefined) throw shardError(source, shard, ids);
          let row = firstRowAfter(source, shard, after, values.length);
          while (row < values.length) {
            const rows = values.slice(row, row + MEMORY_BATCH_ROWS_MAX);
            yield new MemoryBatch(rows, row, timestamp);
            row += rows.length;
          }
          if (!bounded) await aborted(signal);
        }),
    };
    return source;
  },

  sink<T>(name = "memory"): MemorySink<T> {
    const rows: T[] = [];
    const open = (context: SinkContext) => Promise.resolve(memoryWriter(name, rows, context));
    return { kind: "memory", name, guarantee: "at least once", rows, open };
  },
};

class MemoryBatch<T> implements ShardBatch<T> {
  readonly length: number;
  readonly bytes: number;
  readonly position: string;
  readonly #rows: readonly T[];
  readonly #first: number;
  readonly #timestamp: ((value: T) => number) | undefined;

  constructor(rows: readonly T[], first: number, timestamp: ((value: T) => number) | undefined) {
    this.#rows = rows;
    this.#first = first;
    this.#timestamp = timestamp;
    this.length = rows.length;
    this.bytes = rows.length * MEMORY_ROW_BYTES;
    this.position = this.positionAt(rows.length - 1);
  }

  valueAt(row: number): T {
    // Not `??`: undefined may be a value of T.
    return this.#rows[row] as T;
  }

  positionAt(row: number): string {
    return String(this.#first + row);
  }

  timestampAt(row: number): number {
    return this.#timestamp?.(this.valueAt(row)) ?? NO_TIMESTAMP;
  }
}

function firstRowAfter<T>(
  source: Source<T>,
  shard: string,
  after: string | undefined,
  length: number,
): number {
  if (after === undefined) return 0;
  if (!/^\d{1,15}$/.test(after)) throw positionError(source, shard, after, "expected a row number");
  const row = Number(after) + 1;
  if (row > length) {
    throw positionError(source, shard, after, `the shard has only ${length} rows`);
  }
  return row;
}

function memoryWriter<T>(name: string, rows: T[], context: SinkContext): SinkWriter<T> {
  let failed = false;
  return {
    write(batch) {
      if (failed) return undefined;
      if (rows.length + batch.length > MEMORY_SINK_ROWS_MAX) {
        failed = true;
        context.fail(
          new RangeError(
            `Cannot write ${batch.length} rows to memory sink "${name}": it keeps at most ${MEMORY_SINK_ROWS_MAX} and ` +
              `has ${rows.length}; write to a file or a stream`,
          ),
        );
        return undefined;
      }
      for (let row = 0; row < batch.length; row++) rows.push(batch.values[row] as T);
      return undefined;
    },
    flush: () => Promise.resolve(),
    close: () => Promise.resolve(),
    pending: () => 0,
  };
}
