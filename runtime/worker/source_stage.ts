/**
 * A source's part on one worker: a shard actor for each shard that is read here. A shard actor's mailbox holds the
 * batches that its reader has delivered; the reader asks for the next one when there is room.
 *
 * @module
 */

import { type ReadContext, type ShardBatch, type Source } from "../../connectors/source.ts";
import type { Subscription } from "../../deps.ts";
import { SHARD_BATCHES_MAX, TURN_ROWS_MAX } from "../limits.ts";
import type { Failures } from "./failures.ts";
import type { Origin, RecordCursor } from "./record_cursor.ts";
import type { Chain, StageOutputs } from "./stage_outputs.ts";
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

/** A source on one worker. */
export class SourceStage {
  readonly name: string;
  /** Records and payload bytes taken in so far. */
  records = 0;
  bytes = 0;
  readonly #source: Source<unknown>;
  readonly #context: Omit<ReadContext, "demand">;
  readonly #queue: TurnQueue;
  readonly #cursor: RecordCursor;
  readonly #outputs: StageOutputs;
  readonly #failures: Failures;
  readonly #shardEnded: (shard: string) => void;
  readonly #ended: () => void;
  readonly #actors = new Map<string, ShardActor>();
  /** Shards that have ended and still hold the watermark. */
  readonly #unreleased = new Set<string>();
  #stopping = false;
  #noMoreShards = false;
  #over = false;

  constructor(options: {
    name: string;
    source: Source<unknown>;
    context: Omit<ReadContext, "demand">;
    queue: TurnQueue;
    cursor: RecordCursor;
    outputs: StageOutputs;
    failures: Failures;
    /** A shard has been read to its end and all of it handed on. */
    shardEnded: (shard: string) => void;
    /** Called once, when all shards have ended and everything is handed on. */
    ended: () => void;
  }) {
    this.name = options.name;
    this.#source = options.source;
    this.#context = options.context;
    this.#queue = options.queue;
    this.#cursor = options.cursor;
    this.#outputs = options.outputs;
    this.#failures = options.failures;
    this.#shardEnded = options.shardEnded;
    this.#ended = options.ended;
  }

  get shards(): number {
    return this.#actors.size;
  }

  /** How far behind its tip the furthest shard is, ms; -1 if no shard can tell. */
  get lagMs(): number {
    let lag = -1;
    for (const actor of this.#actors.values()) lag = Math.max(lag, actor.lagMs);
    return lag;
  }

  /** Starts to read a shard. */
  openShard(shard: string, after: string | undefined): void {
    if (this.#stopping) return;
    const actor = new ShardActor({
      name: this.name,
      shard,
      outputs: this.#outputs,
      queue: this.#queue,
      cursor: this.#cursor,
      failures: this.#failures,
      took: (batch) => {
        this.records += batch.length;
        this.bytes += batch.bytes;
      },
      ended: (phase) => this.#actorEnded(shard, phase),
    });
    this.#actors.set(shard, actor);
    actor.read(this.#source, after, this.#context);
  }

  /**
   * Lets a shard go that has ended: its watermark no longer counts, that of its successors does. Until then it holds the
   * stage's watermark, so that what its children carry is not late.
   */
  releaseShard(shard: string, successors: readonly string[]): void {
    if (!this.#unreleased.delete(shard)) return;
    this.#outputs.watermark(shardOrigin(this.name, shard), {
      kind: "ended",
      successors: successors.map((successor) => shardOrigin(this.name, successor)),
    });
    this.#mayEnd();
  }

  /** No shard will be opened any more: the source ends with its last one. */
  endSource(): void {
    this.#noMoreShards = true;
    this.#mayEnd();
  }

  /** Reads no further; what is in the mailboxes is still handled. */
  stop(): void {
    this.#stopping = true;
    for (const actor of [...this.#actors.values()]) actor.stop();
    this.#mayEnd();
  }

  /** Actors go on after back-pressure. */
  resume(): void {
    for (const actor of this.#actors.values()) actor.line();
  }

  close(): void {
    for (const actor of this.#actors.values()) actor.close();
    this.#actors.clear();
    this.#outputs.close();
  }

  #actorEnded(shard: string, phase: "ending" | "stopping"): void {
    this.#actors.delete(shard);
    if (phase === "ending") {
      this.#unreleased.add(shard);
      this.#outputs.drain(() => this.#shardEnded(shard));
    }
    this.#mayEnd();
  }

  #mayEnd(): void {
    if (this.#over || this.#actors.size > 0) return;
    if (!this.#stopping && (!this.#noMoreShards || this.#unreleased.size > 0)) return;
    this.#over = true;
    this.#outputs.end(!this.#stopping, this.#ended);
  }
}

/** Reads one shard and runs the source's stage over it. */
class ShardActor implements TurnTaker {
  lagMs = -1;
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
  #mailbox: { batch: ShardBatch<unknown>; origin: Origin }[] = [];
  #row = 0;
  #phase: ShardPhase = "reading";
  #inLine = false;
  #wanted: (() => void) | undefined;
  readonly #stopProbing: () => void;

  constructor(options: {
    name: string;
    shard: string;
    outputs: StageOutputs;
    queue: TurnQueue;
    cursor: RecordCursor;
    failures: Failures;
    took: (batch: ShardBatch<unknown>) => void;
    ended: (phase: "ending" | "stopping") => void;
  }) {
    this.#shard = options.shard;
    this.#origin = shardOrigin(options.name, options.shard);
    this.#outputs = options.outputs;
    this.#queue = options.queue;
    this.#cursor = options.cursor;
    this.#failures = options.failures;
    this.#took = options.took;
    this.#ended = options.ended;
    this.#chain = this.#outputs.chain(this.#origin);
    this.#stopProbing = this.#outputs.probeIdleness(this.#origin, () => this.#mailbox.length > 0);
  }

  read(
    source: Source<unknown>,
    after: string | undefined,
    context: Omit<ReadContext, "demand">,
  ): void {
    const { signal } = this.#stopReading;
    context.signal.addEventListener("abort", () => this.#stopReading.abort(), {
      once: true,
      signal,
    });
    const demand = { next: () => this.#room() };
    this.#subscription = source.read(this.#shard, after, { ...context, signal, demand }).subscribe({
      next: (batch) => this.#deliver(batch),
      error: (error) => this.#failures.fatal(error),
      complete: () => this.#over("ending"),
    });
  }

  stop(): void {
    if (this.#phase !== "reading") return;
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
    let left = TURN_ROWS_MAX;
    for (
      let first = this.#mailbox[0];
      first !== undefined && left > 0 && !valve.blocked;
      first = this.#mailbox[0]
    ) {
      left -= this.#handleRows(first.batch, first.origin, left);
      if (this.#row < first.batch.length) break;
      this.#mailbox.shift();
      this.#row = 0;
      this.#wanted?.();
    }
    this.#outputs.advance(this.#origin);
    if (this.#mailbox.length > 0) this.line();
    else if (this.#phase !== "reading" && !valve.blocked) this.#end();
    return TURN_ROWS_MAX - left;
  }

  /** Resolves when the mailbox has room for a batch. */
  #room(): Promise<void> {
    if (this.#mailbox.length < SHARD_BATCHES_MAX) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wanted = () => {
        this.#wanted = undefined;
        resolve();
      };
    });
  }

  #deliver(batch: ShardBatch<unknown>): void {
    if (this.#phase !== "reading") return;
    this.lagMs = batch.millisBehindLatest ?? this.lagMs;
    if (batch.length === 0) return;
    this.#took(batch);
    const origin: Origin = { shard: this.#origin, positionAt: (row) => batch.positionAt(row) };
    this.#mailbox.push({ batch, origin });
    this.line();
  }

  #handleRows(batch: ShardBatch<unknown>, origin: Origin, most: number): number {
    const cursor = this.#cursor;
    const from = this.#row;
    cursor.origin = origin;
    cursor.keys = undefined;
    cursor.bytes = batch.bytes / batch.length;
    const end = Math.min(batch.length, from + most);
    this.#row = this.#chain.batch(batch, from, end, this.#handleRow);
    return this.#row - from;
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
    this.#chain.end(phase === "ending");
    this.#outputs.advance(this.#origin);
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
