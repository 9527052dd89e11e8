/**
 * A worker's way into a sink: collects what turns put out, hands it over in batches, and keeps a gate closed while the
 * sink's writer wants no more. A writer that wants to know of watermarks is told of them between the rows.
 *
 * A barrier comes from each stage that feeds it. Behind the last one everything so far is flushed. A transactional sink
 * must not mix epochs: a stage whose barrier has come waits until those of the others have.
 *
 * @module
 */

import type { SinkBatch, SinkMark, SinkWriter } from "../../connectors/sink.ts";
import type { RestoredFeed, SinkTime } from "../checkpoint/worker_snapshot.ts";
import { BATCH_ROWS_MAX } from "../limits.ts";
import {
  InputWatermark,
  type OriginTime,
  outcomeOf,
  type WatermarkEvent,
} from "../time/watermark.ts";
import { NO_ORIGIN, type Origin, originText } from "../transport/origin.ts";
import { Gate, type Valve } from "./gate.ts";
import { outputId } from "./output_id.ts";
import type { RecordCursor } from "./record_cursor.ts";
import { SinkFeed } from "./sink_feed.ts";

/** One sink of the job, on one worker. */
export class SinkPort {
  readonly gate = new Gate();
  /** Rows handed over so far. */
  rows = 0;
  readonly #name: string;
  readonly #writer: SinkWriter<unknown>;
  readonly #failed: (error: unknown) => void;
  /** Of stages that feed this: closed while the barrier of others is waited for. */
  readonly #feeders = new Map<string, Gate>();
  /** Of a transactional sink: rows handed over before the barriers of epochs that are not decided, and those committed. */
  readonly #preparedRows = new Map<number, number>();
  #committedRows = 0;
  /** By epoch that is under way, the stages whose barrier has come. */
  readonly #epochs = new Map<number, Set<string>>();
  readonly #written: (epoch: number, sink: string, prepared: unknown) => void;
  #rows = new SinkRows();
  /** What is said behind rows that wait. */
  #marks: { readonly rows: SinkRows; readonly mark: SinkMark }[] = [];
  /** By name, what they were at the checkpoint that the job starts from. */
  readonly #feeds = new Map<string, SinkTime | undefined>();
  /** Of the feeds, where there are several. */
  #combined: InputWatermark | undefined;

  constructor(options: {
    name: string;
    writer: SinkWriter<unknown>;
    /** The writer can't go on. */
    failed: (error: unknown) => void;
    /** Everything before the barrier of an epoch is written; with what the writer needs to commit it. */
    written: (epoch: number, sink: string, prepared: unknown) => void;
  }) {
    this.#name = options.name;
    this.#writer = options.writer;
    this.#failed = options.failed;
    this.#written = options.written;
  }

  /** A stage feeds this. */
  join(stage: string, valves: readonly Valve[]): void {
    const waits = this.#feeders.get(stage) ?? new Gate();
    this.#feeders.set(stage, waits);
    for (const valve of valves) {
      this.gate.join(valve);
      waits.join(valve);
    }
  }

  /** Barriers of this epoch will come, unless the stages that feed this have ended. */
  expect(epoch: number): void {
    this.#epochs.set(epoch, new Set());
    this.#mayPass(epoch);
  }

  /** The barrier of a stage: all rows of it so far belong to the epoch. */
  barrier(stage: string, epoch: number): void {
    this.#epochs.get(epoch)?.add(stage);
    if (this.#writer.prepare !== undefined) this.#feeders.get(stage)?.set(true);
    this.#mayPass(epoch);
  }

  /** A stage has ended and feeds this no more. */
  leave(stage: string): void {
    this.#feeders.delete(stage);
    for (const [epoch, passed] of [...this.#epochs]) {
      passed.delete(stage);
      this.#mayPass(epoch);
    }
  }

  /** Everything so far is the epoch's, though no barriers come: for the sink of dead letters. */
  async finishEpoch(epoch: number): Promise<void> {
    await this.#handOver();
    this.#written(epoch, this.#name, await this.#finish(epoch));
  }

  /** The checkpoint of an epoch is there for good. */
  async commit(epoch: number): Promise<void> {
    await this.#writer.commit?.(epoch);
    for (const [of, rows] of this.#preparedRows) {
      if (of > epoch) continue;
      this.#committedRows = Math.max(this.#committedRows, rows);
      this.#preparedRows.delete(of);
    }
  }

  /** The job has ended, and there are no checkpoints: makes visible what is left. After {@linkcode drain}. */
  async finish(): Promise<void> {
    await this.#writer.finish?.();
  }

  #mayPass(epoch: number): void {
    const passed = this.#epochs.get(epoch);
    if (passed === undefined || passed.size < this.#feeders.size) return;
    this.#epochs.delete(epoch);
    this.#pass(epoch).catch(this.#failed);
  }

  async #pass(epoch: number): Promise<void> {
    await this.#handOver();
    const finished = this.#finish(epoch);
    for (const [stage, waits] of this.#feeders) {
      waits.set([...this.#epochs.values()].some((passed) => passed.has(stage)));
    }
    this.#written(epoch, this.#name, await finished);
  }

  async #finish(epoch: number): Promise<unknown> {
    if (this.#writer.prepare !== undefined) {
      this.#preparedRows.set(epoch, this.rows);
      return await this.#writer.prepare(epoch);
    }
    await this.#writer.flush();
    return undefined;
  }

  /** Whether what it has taken waits for a checkpoint to be shown. */
  get awaitsCheckpoint(): boolean {
    return this.#writer.prepare !== undefined && this.#committedRows < this.rows;
  }

  /** Rows taken and not yet written for good. */
  get pending(): number {
    return this.#rows.length + this.#writer.pending();
  }

  next(value: unknown, cursor: RecordCursor): void {
    this.#rows.add(value, cursor);
    if (this.#rows.length >= BATCH_ROWS_MAX) this.flush();
  }

  /**
   * A stage that will tell of its watermarks; undefined if the writer does not want to know. All stages ask for theirs
   * before any of them speaks.
   *
   * @param splits whether the stage's origins are splits of one source
   * @param restored what it was at the checkpoint that the job starts from
   */
  feed(name: string, splits: boolean, restored?: RestoredFeed): SinkFeed | undefined {
    if (this.#writer.mark === undefined) return undefined;
    this.#feeds.set(name, restored && (restored.sink ?? onlyFeed(restored)));
    const sink = {
      tell: (event: WatermarkEvent) => this.#take(name, event),
      told: () => this.#told(name),
    };
    return new SinkFeed(splits, sink, restored);
  }

  #told(feed: string): SinkTime | undefined {
    if (this.#feeds.size < 2) return undefined;
    const { at, idle, origins } = this.#allFeeds().snapshot();
    const origin = origins.find(({ name }) => name === feed);
    if (origin === undefined) return undefined;
    const { name: _, ...of } = origin;
    return { at, idle, feed: of };
  }

  #allFeeds(): InputWatermark {
    if (this.#combined !== undefined) return this.#combined;
    const origins: OriginTime[] = [];
    let [at, idle] = [Infinity, true];
    for (const [name, restored] of this.#feeds) {
      if (restored === undefined) continue;
      origins.push({ name, ...restored.feed });
      // At a barrier they may have seen the sink one after the other: what the first saw had been said for sure.
      at = Math.min(at, restored.at);
      idle &&= restored.idle;
    }
    const restored = origins.length === 0 ? undefined : { at, idle, origins };
    return this.#combined = new InputWatermark(this.#feeds.keys(), restored);
  }

  /** Hands over what has come together, unless the writer wants no more: then that waits until it does. */
  flush(): void {
    while (!this.gate.closed) {
      const next = this.#marks.shift();
      if (next === undefined) return this.#writeRows();
      this.#write(next.rows);
      try {
        this.#writer.mark?.(next.mark);
      } catch (error) {
        this.#failed(error);
      }
    }
  }

  #writeRows(): void {
    const rows = this.#rows;
    if (rows.length === 0) return;
    this.#rows = new SinkRows();
    this.#write(rows);
  }

  #write(rows: SinkRows): void {
    if (rows.length === 0) return;
    this.rows += rows.length;
    try {
      const room = this.#writer.write(rows);
      if (room !== undefined) this.#waitFor(room);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** A feed has spoken: rows before it go first. Behind a closed gate it waits with them. */
  #take(feed: string, event: WatermarkEvent): void {
    const events = this.#feeds.size === 1 ? [event] : outcomeOf(this.#allFeeds(), feed, event);
    for (const { kind, ...of } of events) {
      if (kind === "idle" || kind === "active") this.#behindRows({ kind });
      else if (kind === "advance" && "at" in of) this.#behindRows({ kind, at: of.at });
    }
    this.flush();
  }

  #behindRows(mark: SinkMark): void {
    this.#marks.push({ rows: this.#rows, mark });
    this.#rows = new SinkRows();
  }

  /** Resolves when everything so far has been written for good. */
  async drain(): Promise<void> {
    await this.#handOver();
    await this.#writer.flush();
  }

  /** Resolves when the writer has taken everything so far. */
  async #handOver(): Promise<void> {
    while (this.#rows.length > 0 || this.#marks.length > 0) {
      this.flush();
      if (this.gate.closed) await new Promise<void>((resolve) => this.#reopened.push(resolve));
    }
  }

  close(): Promise<void> {
    return this.#writer.close();
  }

  readonly #reopened: (() => void)[] = [];

  #waitFor(room: Promise<void>): void {
    this.gate.set(true);
    room.then(() => {
      this.gate.set(false);
      this.flush();
      for (const resolve of this.#reopened.splice(0)) resolve();
    }, this.#failed);
  }
}

/** A feed that was the sink's only one: what it had said is what the sink had been told. */
function onlyFeed({ at, idle }: RestoredFeed): SinkTime {
  return { at, idle, feed: { at, idle, aligned: !idle, spoken: true } };
}

/** Rows on their way to a writer. */
class SinkRows implements SinkBatch<unknown> {
  readonly values: unknown[] = [];
  readonly #origins: Origin[] = [];
  readonly #originRows: number[] = [];
  readonly #subs: number[] = [];
  readonly #timestamps: number[] = [];

  get length(): number {
    return this.values.length;
  }

  /** Adds what leaves for the record that the cursor is at. */
  add(value: unknown, cursor: RecordCursor): void {
    this.values.push(value);
    this.#origins.push(cursor.origin);
    this.#originRows.push(cursor.row);
    this.#subs.push(cursor.leaving());
    this.#timestamps.push(cursor.timestamp);
  }

  // Functions, since writers may take them off the batch.
  readonly originAt = (row: number): string =>
    originText(this.#origins[row] ?? NO_ORIGIN, this.#originRows[row] ?? 0);

  readonly timestampAt = (row: number): number => this.#timestamps[row] ?? -Infinity;

  readonly idAt = (row: number): string =>
    outputId(this.#origins[row] ?? NO_ORIGIN, this.#originRows[row] ?? 0, this.#subs[row] ?? 0);
}
