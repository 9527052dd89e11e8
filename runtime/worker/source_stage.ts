/**
 * A source's part on one worker: a shard actor (`shard_actor.ts`) for each shard that is read here.
 *
 * @module
 */

import type { ReadContext, Source } from "../../connectors/source.ts";
import type { OperatorTime, ShardSnapshot, StageSnapshot } from "../checkpoint/worker_snapshot.ts";
import { plantedBugs } from "../testing/planted_bugs.ts";
import type { BarrierPurpose } from "./barrier_purpose.ts";
import type { EpochSnapshot } from "./epoch_snapshot.ts";
import type { Failures } from "./failures.ts";
import type { ClosedShard } from "./protocol.ts";
import type { RecordCursor } from "./record_cursor.ts";
import { ShardActor, shardOrigin } from "./shard_actor.ts";
import type { StageOutputs } from "./stage_outputs.ts";
import type { TurnQueue } from "./turn_queue.ts";

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
  readonly #arrived: (then: () => void) => void;
  readonly #ended: () => void;
  /** Shards of which every worker knows from the start. */
  readonly #listed: ReadonlySet<string>;
  readonly #actors = new Map<string, ShardActor>();
  /** Shards that have ended and still hold the watermark, each with the position of its end. */
  readonly #unreleased = new Map<string, string | undefined>();
  /** Shards that were being read when the job was stopped, each with the position up to which it was. */
  readonly #stopped = new Map<string, string | undefined>();
  /** Shards that another worker is about to read, each with the position up to which it was read here. */
  readonly #closed = new Map<string, string | undefined>();
  #stopping = false;
  #draining = false;
  #noMoreShards = false;
  #over = false;
  #handedOn = false;

  constructor(options: {
    name: string;
    source: Source<unknown>;
    /** Its shards that are known to all workers from the start. */
    listed: readonly string[];
    context: Omit<ReadContext, "demand">;
    queue: TurnQueue;
    cursor: RecordCursor;
    outputs: StageOutputs;
    failures: Failures;
    /** A shard has been read to its end and all of it handed on. */
    shardEnded: (shard: string) => void;
    /** Calls `then` when all that has been put out over edges has come to where it goes. */
    arrived: (then: () => void) => void;
    /** Called once, when all shards have ended and everything is handed on. */
    ended: () => void;
  }) {
    this.name = options.name;
    this.#source = options.source;
    this.#listed = new Set(options.listed);
    this.#context = options.context;
    this.#queue = options.queue;
    this.#cursor = options.cursor;
    this.#outputs = options.outputs;
    this.#failures = options.failures;
    this.#shardEnded = options.shardEnded;
    this.#arrived = options.arrived;
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
    const actor = this.#newActor(shard, after);
    this.#outputs.join(shardOrigin(this.name, shard), this.#listed.has(shard));
    actor.read(this.#source, this.#context);
  }

  /**
   * Stops reading a shard where it stands, between two rows, for another worker to go on. Its place stays in snapshots until
   * `shardMoved`.
   *
   * @param closed called when all that came of it has gone on and arrived, so that what comes of it elsewhere can't
   * overtake; with undefined, and nothing done, if the shard is not being read
   */
  closeShard(shard: string, closed: (of: ClosedShard | undefined) => void): void {
    const actor = this.#actors.get(shard);
    if (actor === undefined || this.#stopping) return closed(undefined);
    const { position } = actor;
    const { times } = this.#outputs;
    const origin = shardOrigin(this.name, shard);
    const closedAt = this.#context.clock.now();
    const { generators: due } = times.of(origin);
    actor.close();
    this.#actors.delete(shard);
    this.#closed.set(shard, position);
    const answer = () => {
      const time = times.of(origin);
      const generators = withDue(time.generators, due);
      closed({ position, closedAt, time: { ...time, generators } });
    };
    if (plantedBugs.has("shard opened before the output of its old worker has arrived")) answer();
    else this.#outputs.settle(() => this.#arrived(answer));
  }

  /** A shard that was closed is another worker's. */
  shardMoved(shard: string): void {
    if (this.#closed.delete(shard)) this.#outputs.times.forget(shardOrigin(this.name, shard));
  }

  /** Reads on where another worker has closed a shard. Returns for how long nobody has read it, ms. */
  adoptShard(shard: string, { position, closedAt, time }: ClosedShard): number {
    this.#outputs.adopt(shardOrigin(this.name, shard), time);
    this.#newActor(shard, position).read(this.#source, this.#context);
    return Math.max(0, this.#context.clock.now() - closedAt);
  }

  #newActor(shard: string, after: string | undefined): ShardActor {
    const actor: ShardActor = new ShardActor({
      name: this.name,
      shard,
      after,
      outputs: this.#outputs,
      queue: this.#queue,
      cursor: this.#cursor,
      failures: this.#failures,
      took: (batch) => {
        this.records += batch.length;
        this.bytes += batch.bytes;
      },
      ended: (phase) => this.#actorEnded(shard, phase, actor.position),
    });
    this.#actors.set(shard, actor);
    return actor;
  }

  /**
   * Lets a shard go that has ended: its watermark no longer counts, that of its successors does. Until then it holds the
   * stage's watermark, so that what its children carry is not late.
   *
   * @param released called when that has gone on
   */
  releaseShard(shard: string, successors: readonly string[], released: () => void): void {
    if (!this.#unreleased.delete(shard)) return;
    this.#outputs.watermark(shardOrigin(this.name, shard), {
      kind: "ended",
      successors: successors.map((successor) => shardOrigin(this.name, successor)),
    });
    this.#outputs.drain(() => this.#arrived(released));
    this.#mayEnd();
  }

  /** No shard will be opened any more: the source ends with its last one. */
  endSource(): void {
    this.#noMoreShards = true;
    this.#mayEnd();
  }

  /** Cuts what it has read into before and after: shards stand between two records, and the barrier goes on. */
  barrier(snapshot: EpochSnapshot): void {
    this.handOver(snapshot);
    if (!this.#handedOn) this.#outputs.barrier(snapshot.epoch, { kind: "snapshot" });
  }

  /** A barrier that is not for a checkpoint. */
  pass(epoch: number, purpose: BarrierPurpose): void {
    if (!this.#handedOn) this.#outputs.barrier(epoch, purpose);
    else if (purpose.kind === "join") {
      // No barrier comes from it any more: the worker is told that it has ended.
      for (const channels of this.#outputs.channels) channels.join(purpose.worker);
    }
  }

  /** A worker takes part no more. */
  left(worker: number): void {
    for (const channels of this.#outputs.channels) channels.left(worker);
  }

  /** What it is now: its part of a checkpoint, but for where its shards are. */
  snapshot(): StageSnapshot {
    const { name } = this;
    const time = { keys: 0, inputs: [], watermark: -Infinity, completed: [], broadcast: undefined };
    return { name, ...time, ...this.#outputs.snapshot() };
  }

  /** Its part of an epoch: where its shards are now. */
  handOver(snapshot: EpochSnapshot): void {
    const source = this.name;
    const shards: ShardSnapshot[] = [
      ...[...this.#actors].map(([shard, { position }]) => ({ source, shard, position })),
      ...[...this.#unreleased, ...this.#stopped, ...this.#closed]
        .map(([shard, position]) => ({ source, shard, position })),
    ];
    snapshot.source(shards, this.snapshot());
  }

  /**
   * Reads no further; what is in the mailboxes is still handled.
   *
   * @param drain the job goes on as if the input were over
   */
  stop(drain: boolean): void {
    this.#stopping = true;
    this.#draining = drain;
    for (const actor of [...this.#actors.values()]) actor.stop(drain);
    // No other worker will read them in this run: this one has their places to the end.
    for (const [shard, position] of this.#closed) {
      this.#stopped.set(shard, position);
      if (drain) this.#outputs.generators.finish(shardOrigin(this.name, shard));
    }
    this.#closed.clear();
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

  #actorEnded(
    shard: string,
    phase: "ending" | "stopping",
    position: string | undefined,
  ): void {
    this.#actors.delete(shard);
    if (phase === "stopping") this.#stopped.set(shard, position);
    else {
      this.#unreleased.set(shard, position);
      this.#outputs.drain(() => this.#shardEnded(shard));
    }
    this.#mayEnd();
  }

  #mayEnd(): void {
    if (this.#over || this.#actors.size > 0 || this.#closed.size > 0) return;
    if (!this.#stopping && (!this.#noMoreShards || this.#unreleased.size > 0)) return;
    this.#over = true;
    this.#outputs.end(!this.#stopping || this.#draining, () => {
      this.#handedOn = true;
      this.#ended();
    });
  }
}

/** Times of generators, with what was due when they were no longer asked: their answers from then on are of records alone. */
function withDue(
  generators: readonly OperatorTime[],
  due: readonly OperatorTime[],
): readonly OperatorTime[] {
  return generators.map((of) => {
    const { takenAt, nextInMs } = due.find(({ index }) => index === of.index) ?? of;
    return { ...of, takenAt, nextInMs };
  });
}
