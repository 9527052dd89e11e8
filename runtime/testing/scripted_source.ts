/**
 * A source that delivers what it is given, when it is given: to lead a job step by step. Its shards keep all that they
 * have delivered, so that a job that is started again goes on from its position.
 *
 * @module
 */

import {
  aborted,
  pacedBatches,
  positionError,
  shardError,
} from "../../connectors/paced_batches.ts";
import {
  NO_TIMESTAMP,
  type ReadContext,
  type Shard,
  type ShardBatch,
  type ShardEvent,
  type ShardMark,
  type Source,
} from "../../connectors/source.ts";

/** What is delivered at once: a value with its time, or a word about event time. */
export type ScriptedStep<T> =
  | { readonly value: T; readonly timestamp?: number | undefined }
  | { readonly event: ShardEvent };

/** What a scripted source is made with. */
export interface ScriptedSourceOptions {
  /** For people; `"scripted"` unless said. */
  readonly name?: string | undefined;
  /** Shards that are there from the start. */
  readonly shards: readonly string[];
  readonly watermarks?: Source<unknown>["watermarks"];
  /** Whether the source ends when all its shards have; false unless said. */
  readonly bounded?: boolean | undefined;
}

/**
 * A source by script.
 *
 * @example Two values and a watermark
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ScriptedSource } from "./scripted_source.ts";
 * const source = new ScriptedSource<number>({ shards: ["a"], bounded: true });
 * source.push("a", { value: 1, timestamp: 5 }, { event: { kind: "advance", at: 5 } }, { value: 2 });
 * source.end("a");
 * assertEquals(source.bounded, true);
 * ```
 */
export class ScriptedSource<T> implements Source<T> {
  readonly kind = "scripted";
  readonly name: string;
  readonly bounded: boolean;
  readonly watermarks: Source<T>["watermarks"];
  readonly #shards = new Map<string, ScriptedShard<T>>();

  constructor({ name = "scripted", shards, watermarks, bounded = false }: ScriptedSourceOptions) {
    this.name = name;
    this.bounded = bounded;
    this.watermarks = watermarks;
    for (const shard of shards) this.add(shard);
  }

  readonly shards = (): Promise<readonly Shard[]> =>
    Promise.resolve([...this.#shards].map(([id, { parents }]) => ({ id, parents })));

  /** Adds a shard, which a job finds when it next looks, or when one of its parents ends. */
  add(shard: string, parents: readonly string[] = []): void {
    this.#shards.set(shard, new ScriptedShard(parents));
  }

  /**
   * Delivers.
   *
   * @throws {RangeError} if there is no such shard
   */
  push(shard: string, ...steps: readonly ScriptedStep<T>[]): void {
    this.#shard(shard).push(steps);
  }

  /**
   * Ends a shard, behind all that was delivered.
   *
   * @throws {RangeError} if there is no such shard
   */
  end(shard: string): void {
    this.#shard(shard).end();
  }

  readonly read = (
    shard: string,
    after: string | undefined,
    context: ReadContext,
  ): ReturnType<Source<T>["read"]> =>
    pacedBatches<ShardBatch<T>>(context, (signal) => this.#batches(shard, after, signal));

  async *#batches(
    id: string,
    after: string | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<ShardBatch<T>, void, undefined> {
    const shard = this.#shard(id);
    if (after !== undefined && !/^\d{1,15}$/.test(after)) {
      throw positionError(this, id, after, "expected a step's number");
    }
    let next = after === undefined ? 0 : Number(after) + 1;
    for (;;) {
      const steps = shard.steps.slice(next);
      if (steps.length > 0) {
        yield scriptedBatch(steps, next);
        next += steps.length;
      } else if (shard.ended) return;
      else await Promise.race([shard.changed(), aborted(signal)]);
      if (signal.aborted) return;
    }
  }

  #shard(id: string): ScriptedShard<T> {
    const shard = this.#shards.get(id);
    if (shard === undefined) throw shardError(this, id, [...this.#shards.keys()]);
    return shard;
  }
}

class ScriptedShard<T> {
  readonly parents: readonly string[];
  readonly steps: ScriptedStep<T>[] = [];
  ended = false;
  #waiting: (() => void)[] = [];

  constructor(parents: readonly string[]) {
    this.parents = parents;
  }

  push(steps: readonly ScriptedStep<T>[]): void {
    this.steps.push(...steps);
    this.#wake();
  }

  end(): void {
    this.ended = true;
    this.#wake();
  }

  changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** Positions are numbers of steps, words included: that of a row, or of a mark, is its own step's. */
function scriptedBatch<T>(steps: readonly ScriptedStep<T>[], first: number): ShardBatch<T> {
  const rows: { readonly value: T; readonly timestamp: number; readonly position: string }[] = [];
  const marks: ShardMark[] = [];
  for (const [index, step] of steps.entries()) {
    const position = String(first + index);
    if ("event" in step) marks.push({ beforeRow: rows.length, event: step.event, position });
    else {
      const { value, timestamp = NO_TIMESTAMP } = step;
      rows.push({ value, timestamp, position });
    }
  }
  const rowAt = (row: number) => {
    const found = rows[row];
    if (found === undefined) {
      throw new RangeError(`Cannot read row ${row}: the batch has ${rows.length}`);
    }
    return found;
  };
  return {
    length: rows.length,
    bytes: rows.length,
    position: String(first + steps.length - 1),
    marks,
    valueAt: (row) => rowAt(row).value,
    positionAt: (row) => rowAt(row).position,
    timestampAt: (row) => rowAt(row).timestamp,
  };
}
