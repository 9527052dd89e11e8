/**
 * A shard's actor on the worker that reads it. Its mailbox holds the batches that its reader has delivered; the reader
 * asks for the next one when there is room.
 *
 * @module
 */

import type { ReadContext, ShardBatch, Source } from "../../connectors/source.ts";
import type { Subscription } from "../../deps.ts";
import { BATCH_BYTES_MAX, SHARD_BATCHES_MAX, SHARD_ROWS_MIN } from "../limits.ts";
import { plantedBugs } from "../testing/planted_bugs.ts";
import type { Origin } from "../transport/origin.ts";
import type { BatchPiece } from "./batch_pieces.ts";
import type { Failures } from "./failures.ts";
import type { RecordCursor } from "./record_cursor.ts";
import type { Chain } from "./stage_chain.ts";
import type { StageOutputs } from "./stage_outputs.ts";
import type { TurnQueue, TurnTaker } from "./turn_queue.ts";

/** What a shard actor may still do. */
type ShardPhase =
  /** Its reader delivers. */
  | "reading"
  /** Its reader has come to the shard's end: what is in the mailbox is left. */
  | "ending"
  /** The job stops: what is in the mailbox is left. */
  | "stopping"
  | "ended";

/** A batch in a shard's mailbox. */
interface Delivered {
  readonly batch: ShardBatch<unknown>;
  readonly origin: Origin;
  /** Where to go on behind it. */
  position: string;
}

/** Reads one shard and runs the source's stage over it. */
export class ShardActor implements TurnTaker {
  lagMs = -1;
  /** Behind the last batch that has been handled; undefined before the first, where the source's options say. */
  #position: string | undefined;
  readonly #origin: string;
  readonly #shard: string;
  readonly #outputs: StageOutputs;
  readonly #queue: TurnQueue;
  readonly #cursor: RecordCursor;
  readonly #failures: Failures;
  readonly #took: (batch: ShardBatch<unknown>) => void;
  readonly #ended: (phase: "ending" | "stopping") => void;
  readonly #chain: Chain;
  readonly #stopReading = new AbortController();
  #subscription: Subscription | undefined;
  #mailbox: Delivered[] = [];
  /** Of the batches in it. */
  #rowsHeld = 0;
  #bytesHeld = 0;
  /** The next row of the first batch. */
  #row = 0;
  /** The next mark of the first batch. */
  #mark = 0;
  #phase: ShardPhase = "reading";
  #draining = false;
  #inLine = false;
  #wanted: (() => void) | undefined;
  readonly #stopProbing: () => void;

  constructor(options: {
    name: string;
    shard: string;
    after: string | undefined;
    outputs: StageOutputs;
    queue: TurnQueue;
    cursor: RecordCursor;
    failures: Failures;
    took: (batch: ShardBatch<unknown>) => void;
    ended: (phase: "ending" | "stopping") => void;
  }) {
    this.#shard = options.shard;
    this.#position = options.after;
    this.#origin = shardOrigin(options.name, options.shard);
    this.#outputs = options.outputs;
    this.#queue = options.queue;
    this.#cursor = options.cursor;
    this.#failures = options.failures;
    this.#took = options.took;
    this.#ended = options.ended;
    this.#chain = this.#outputs.chain(this.#origin, this.#origin);
    this.#stopProbing = this.#outputs.generators.watch(
      this.#origin,
      () => this.#mailbox.length > 0,
    );
  }

  /** The position to continue after: all before it, marks included, has been handed on, nothing behind it. */
  get position(): string | undefined {
    if (plantedBugs.has("positions committed before state")) {
      return this.#mailbox.at(-1)?.batch.position ?? this.#position;
    }
    const batch = this.#mailbox[0]?.batch;
    const mark = batch?.marks?.[this.#mark - 1];
    // Marks stand before rows: the last one handled is the last thing handled unless rows have been since.
    if (mark !== undefined && mark.beforeRow >= this.#row) return mark.position;
    return this.#row === 0 ? this.#position : batch?.positionAt(this.#row - 1);
  }

  read(source: Source<unknown>, context: Omit<ReadContext, "demand">): void {
    const { signal } = this.#stopReading;
    context.signal.addEventListener("abort", () => this.#stopReading.abort(), {
      once: true,
      signal,
    });
    const demand = { next: () => this.#room() };
    this.#subscription = source.read(this.#shard, this.#position, { ...context, signal, demand })
      .subscribe({
        next: (batch) => this.#deliver(batch),
        error: (error) => this.#failures.fatal(error),
        complete: () => this.#over("ending"),
      });
  }

  /** @param drain the operators behind it complete, as if its input were over */
  stop(drain: boolean): void {
    if (this.#phase !== "reading") return;
    this.#draining = drain;
    this.#stopReader();
    this.#over("stopping");
  }

  close(): void {
    this.#letGo();
    this.#chain.close();
  }

  line(): void {
    if (this.#inLine || this.#outputs.valve.blocked || this.#phase === "ended") return;
    if (this.#mailbox.length === 0 && this.#phase === "reading") return;
    this.#inLine = true;
    this.#queue.addReader(this);
  }

  takeTurn(): number {
    this.#inLine = false;
    const { valve } = this.#outputs;
    const most = this.#queue.turnRows;
    let left = most;
    while (this.#mailbox.length > 0 && left > 0 && !valve.blocked) {
      if (this.#passMark()) continue;
      left -= this.#handleRows(left);
    }
    this.#outputs.generators.advance(this.#origin);
    if (this.#mailbox.length > 0) this.line();
    else if (this.#phase !== "reading" && !valve.blocked) this.#end();
    return most - left;
  }

  /** Resolves when the mailbox has room for a batch. */
  #room(): Promise<void> {
    if (this.#hasRoom) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wanted = () => {
        this.#wanted = undefined;
        resolve();
      };
    });
  }

  get #hasRoom(): boolean {
    if (this.#mailbox.length < SHARD_BATCHES_MAX) return true;
    return this.#rowsHeld - this.#row < SHARD_ROWS_MIN && this.#bytesHeld < BATCH_BYTES_MAX;
  }

  #deliver(batch: ShardBatch<unknown>): void {
    if (this.#phase !== "reading") return;
    this.lagMs = batch.millisBehindLatest ?? this.lagMs;
    if (batch.length === 0 && (batch.marks?.length ?? 0) === 0) {
      return this.#progress(batch.position);
    }
    this.#took(batch);
    const origin: Origin = { shard: this.#origin, positionAt: (row) => batch.positionAt(row) };
    this.#mailbox.push({ batch, origin, position: batch.position });
    this.#rowsHeld += batch.length;
    this.#bytesHeld += batch.bytes;
    this.line();
  }

  /** There is nothing up to this position, behind what has been delivered. */
  #progress(position: string): void {
    const last = this.#mailbox.at(-1);
    if (last === undefined) this.#position = position;
    else last.position = position;
  }

  /** The next mark goes on if its row is reached; whether it has. */
  #passMark(): boolean {
    const mark = this.#mailbox[0]?.batch.marks?.[this.#mark];
    if (mark === undefined || mark.beforeRow > this.#row) return false;
    this.#mark++;
    this.#outputs.generators.advance(this.#origin);
    this.#outputs.watermark(this.#origin, mark.event);
    this.#goOn(0);
    return true;
  }

  /** Up to the next mark; how many. */
  #handleRows(most: number): number {
    const cursor = this.#cursor;
    cursor.keys = undefined;
    cursor.sub = 0;
    cursor.salt = 0;
    const handled = this.#chain.batch(this.#pieces(most), this.#handleRow);
    this.#goOn(handled);
    return handled;
  }

  /** So many of the next rows, up to the next mark. */
  #pieces(most: number): readonly BatchPiece[] {
    const pieces: BatchPiece[] = [];
    let [from, nextMark, left] = [this.#row, this.#mark, most];
    for (const { batch, origin } of this.#mailbox) {
      const mark = batch.marks?.[nextMark];
      const to = Math.min(batch.length, from + left, mark?.beforeRow ?? Infinity);
      if (to > from) pieces.push({ batch, origin, from, to });
      left -= to - from;
      if (left === 0 || mark !== undefined) break;
      [from, nextMark] = [0, 0];
    }
    return pieces;
  }

  /** So many rows have been handled: batches of which nothing is left go. */
  #goOn(handled: number): void {
    this.#row += handled;
    for (let first = this.#mailbox[0]; first !== undefined; first = this.#mailbox[0]) {
      const { batch, position } = first;
      if (this.#row < batch.length || this.#mark < (batch.marks?.length ?? 0)) break;
      this.#mailbox.shift();
      this.#rowsHeld -= batch.length;
      this.#bytesHeld -= batch.bytes;
      this.#row -= batch.length;
      this.#mark = 0;
      this.#position = position;
    }
    if (this.#hasRoom) this.#wanted?.();
  }

  readonly #handleRow = (batch: ShardBatch<unknown>, row: number): void => {
    let value: unknown;
    try {
      value = batch.valueAt(row);
    } catch (error) {
      this.#failures.thrown(this.#origin, undefined, error, this.#cursor);
      return;
    }
    this.#chain.next(value);
  };

  #over(phase: "ending" | "stopping"): void {
    if (this.#phase !== "reading") return;
    this.#phase = phase;
    this.line();
  }

  #end(): void {
    const phase = this.#phase;
    if (phase !== "ending" && phase !== "stopping") return;
    const isFinal = phase === "ending" || this.#draining;
    this.#chain.end(isFinal);
    if (isFinal) this.#outputs.generators.finish(this.#origin);
    else this.#outputs.generators.advance(this.#origin);
    this.#letGo();
    this.#ended(phase);
  }

  /** Takes no more turns. What it has put out may still be on its way, in calls. */
  #letGo(): void {
    this.#stopReader();
    this.#stopProbing();
    this.#mailbox = [];
    this.#phase = "ended";
  }

  #stopReader(): void {
    this.#stopReading.abort();
    this.#subscription?.unsubscribe();
    this.#wanted?.();
  }
}

/** The name of a shard among all sources: in origins of records and of watermarks. */
export function shardOrigin(source: string, shard: string): string {
  return `${source}/${shard}`;
}
