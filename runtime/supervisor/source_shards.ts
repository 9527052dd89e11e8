/**
 * The shards of a job's sources during an attempt: which there are, which worker reads which, and what follows on one
 * that has ended.
 *
 * @module
 */

import type { Shard } from "../../connectors/source.ts";
import type { Command } from "../worker/protocol.ts";
import { placeShard } from "./placement.ts";
import { ShardTracker, type TrackedShard } from "./shard_tracker.ts";

/** A shard at the checkpoint that the job starts from. */
export interface RestoredShard extends TrackedShard {
  /** Undefined where nothing had been read. */
  readonly position: string | undefined;
}

/** Tells a worker. */
export type Tell = (worker: number, command: Command) => void;

/** The shards of all sources of one attempt. */
export class SourceShards {
  #workers: number;
  readonly #tell: Tell;
  readonly #restored: Readonly<Record<string, readonly RestoredShard[]>>;
  readonly #trackers = new Map<string, ShardTracker>();
  readonly #bounded = new Set<string>();
  /** Sources that are over. */
  readonly #over = new Set<string>();
  /** Of each shard that is being read, by source and id, its worker. */
  readonly #workerOf = new Map<string, number>();
  /** The same of those that have ended and are not let go of. */
  readonly #ending = new Map<string, number>();
  #closed = false;

  constructor(options: {
    workers: number;
    tell: Tell;
    restored: Readonly<Record<string, readonly RestoredShard[]>>;
  }) {
    this.#workers = options.workers;
    this.#tell = options.tell;
    this.#restored = options.restored;
  }

  /** A source of the job. */
  add(name: string, bounded: boolean): void {
    if (bounded) this.#bounded.add(name);
    this.#trackers.set(name, new ShardTracker(this.#restored[name]));
  }

  /** Sources whose shards can become more. */
  get growing(): readonly string[] {
    return [...this.#trackers.keys()].filter((name) => !this.#bounded.has(name));
  }

  /** By source: the shards that will be read first. */
  get readable(): Readonly<Record<string, readonly string[]>> {
    return Object.fromEntries(
      [...this.#trackers].map(([name, tracker]) => [name, tracker.readable]),
    );
  }

  /** By source: shards that are being read or have been. */
  get tracked(): Readonly<Record<string, readonly TrackedShard[]>> {
    return Object.fromEntries(
      [...this.#trackers].map(([name, tracker]) => [name, tracker.tracked]),
    );
  }

  /** Takes a listing of a source's shards. */
  list(source: string, shards: readonly Shard[]): void {
    this.#trackers.get(source)?.list(shards);
  }

  /** What a worker reads or has to let go of, as `source/shard`. */
  ofWorker(worker: number): readonly string[] {
    return [...this.#workerOf, ...this.#ending]
      .flatMap(([shard, of]) => of === worker ? [shard] : []);
  }

  /** There are so many workers from now on: a new one is told what is over. */
  resize(workers: number): void {
    for (let worker = this.#workers; worker < workers; worker++) {
      for (const source of this.#over) this.#tell(worker, { type: "endSource", source });
    }
    this.#workers = workers;
  }

  /** No shard is opened any more: the job stops. */
  close(): void {
    this.#closed = true;
  }

  /** Has all shards read that may be. */
  openReadable(): void {
    for (const name of this.#trackers.keys()) this.open(name);
  }

  /** The same for one source. */
  open(source: string): void {
    if (this.#closed) return;
    const tracker = this.#trackers.get(source);
    for (const shard of tracker?.takeReadable() ?? []) {
      const worker = placeShard(this.#shardsOfWorkers());
      this.#workerOf.set(shardKey(source, shard), worker);
      const after = this.#restored[source]?.find(({ id }) => id === shard)?.position;
      this.#tell(worker, { type: "openShard", source, shard, after });
    }
    if (!this.#bounded.has(source) || !tracker?.allEnded || this.#over.has(source)) return;
    this.#over.add(source);
    for (let worker = 0; worker < this.#workers; worker++) {
      this.#tell(worker, { type: "endSource", source });
    }
  }

  /** A shard has been read to its end. */
  ended(source: string, shard: string): void {
    this.#trackers.get(source)?.end(shard);
    const key = shardKey(source, shard);
    this.#ending.set(key, this.#workerOf.get(key) ?? 0);
    this.#workerOf.delete(key);
  }

  /** Lets go of a shard that has ended. */
  release(worker: number, source: string, shard: string): void {
    const successors = this.#trackers.get(source)?.successorsOf(shard) ?? [];
    this.#tell(worker, { type: "releaseShard", source, shard, successors });
  }

  /** All workers know that it has ended: those are read that go on in its place. */
  released(source: string, shard: string): void {
    this.#trackers.get(source)?.release(shard);
    this.#ending.delete(shardKey(source, shard));
    this.open(source);
  }

  #shardsOfWorkers(): readonly number[] {
    const counts = Array.from({ length: this.#workers }, () => 0);
    for (const worker of this.#workerOf.values()) counts[worker] = (counts[worker] ?? 0) + 1;
    return counts;
  }
}

function shardKey(source: string, shard: string): string {
  return `${source}/${shard}`;
}
