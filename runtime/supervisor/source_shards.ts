/**
 * The shards of a job's sources during an attempt: which there are, which worker reads which, and what follows on one
 * that has ended.
 *
 * @module
 */

import type { Shard } from "../../connectors/source.ts";
import type { Command } from "../worker/protocol.ts";
import { placeShard, type ShardName } from "./placement.ts";
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
  /** The shards that are being read, each with its worker. */
  readonly #reading = new Map<string, ShardName & { readonly worker: number }>();
  /** The workers of those that have ended and are not let go of. */
  readonly #ending = new Map<string, number>();
  /** Those who wait until a worker has let go of all that have ended. */
  #waiting: { readonly worker: number; readonly then: () => void }[] = [];
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

  /** Resolves when a worker has let go of all its shards that have ended. */
  letGo(worker: number): Promise<void> {
    return new Promise((then) => {
      this.#waiting.push({ worker, then });
      this.#mayBeLetGo();
    });
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
      this.#reading.set(shardKey(source, shard), { source, shard, worker });
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
    this.#ending.set(key, this.#reading.get(key)?.worker ?? 0);
    this.#reading.delete(key);
  }

  /** The worker that reads a shard; undefined if it is not being read. */
  workerOf(source: string, shard: string): number | undefined {
    return this.#reading.get(shardKey(source, shard))?.worker;
  }

  /** By worker, the shards that it reads: those that it has had for the longest first. */
  get byWorker(): readonly (readonly ShardName[])[] {
    const reading = [...this.#reading.values()];
    return Array.from(
      { length: Math.max(this.#workers, ...reading.map(({ worker }) => worker + 1)) },
      (_, worker) =>
        reading.filter((of) => of.worker === worker).map(({ source, shard }) => ({
          source,
          shard,
        })),
    );
  }

  /** A shard that is being read is another worker's from now on. */
  moved(source: string, shard: string, worker: number): void {
    const key = shardKey(source, shard);
    this.#reading.delete(key);
    this.#reading.set(key, { source, shard, worker });
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
    this.#mayBeLetGo();
  }

  #mayBeLetGo(): void {
    const left = new Set(this.#ending.values());
    const waiting = this.#waiting;
    this.#waiting = waiting.filter(({ worker }) => left.has(worker));
    for (const { worker, then } of waiting) if (!left.has(worker)) then();
  }

  #shardsOfWorkers(): readonly number[] {
    const counts = Array.from({ length: this.#workers }, () => 0);
    for (const { worker } of this.#reading.values()) counts[worker] = (counts[worker] ?? 0) + 1;
    return counts;
  }
}

/** A shard among all sources. */
export function shardKey(source: string, shard: string): string {
  return `${source}/${shard}`;
}
