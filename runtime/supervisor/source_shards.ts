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
  readonly #workers: number;
  readonly #tell: Tell;
  readonly #restored: Readonly<Record<string, readonly RestoredShard[]>>;
  readonly #trackers = new Map<string, ShardTracker>();
  readonly #bounded = new Set<string>();
  /** The shards that are being read, each with its worker. */
  readonly #reading = new Map<string, ShardName & { readonly worker: number }>();
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
    if (!this.#bounded.has(source) || !tracker?.allEnded) return;
    for (let worker = 0; worker < this.#workers; worker++) {
      this.#tell(worker, { type: "endSource", source });
    }
  }

  /** A shard has been read to its end. */
  ended(source: string, shard: string): void {
    this.#trackers.get(source)?.end(shard);
    this.#reading.delete(shardKey(source, shard));
  }

  /** The worker that reads a shard; undefined if it is not being read. */
  workerOf(source: string, shard: string): number | undefined {
    return this.#reading.get(shardKey(source, shard))?.worker;
  }

  /** By worker, the shards that it reads: those that it has had for the longest first. */
  get byWorker(): readonly (readonly ShardName[])[] {
    const reading = [...this.#reading.values()];
    return Array.from(
      { length: this.#workers },
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

  /** Lets go of a shard that has ended, and has those read that go on in its place. */
  release(worker: number, source: string, shard: string): void {
    const successors = this.#trackers.get(source)?.successorsOf(shard) ?? [];
    this.#tell(worker, { type: "releaseShard", source, shard, successors });
    this.open(source);
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
