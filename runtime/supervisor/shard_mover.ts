/**
 * Moves shards between workers while the job runs: has them closed where they are read, then read on elsewhere. No barrier
 * is needed: a shard's rows have one reader, and stand still in between.
 *
 * ```
 *            closeShard            shardClosed: all has arrived          adoptShard
 *  reading ─────────────> closing ──────────────────────────────> between ──────────> reading elsewhere
 *     ^                      │ it has ended                          │ the job is stopped
 *     └──────────────────────┘                                       └──> its old worker keeps its place
 * ```
 *
 * @module
 */

import type { JobPlan } from "../stage_plan.ts";
import type { ClosedShard } from "../worker/protocol.ts";
import type { ShardMove, ShardName } from "./placement.ts";
import { shardKey, type SourceShards } from "./source_shards.ts";
import type { WorkerHandle } from "./worker_handle.ts";

/** A shard that has moved. */
export interface MovedShard extends ShardMove {
  /** From the last row that its old worker handled until the new one began to read, ms. */
  readonly pauseMs: number;
}

/** What moves of shards work with. */
export interface ShardMoverOptions {
  /** By number. */
  readonly handles: () => readonly WorkerHandle[];
  /** Those of the attempt. */
  readonly shards: () => SourceShards;
  /** Whether the job runs, and is not being stopped. */
  readonly isOpen: () => boolean;
  /** A shard may have no reader: the attempt can't go on. */
  readonly failed: (error: Error) => void;
}

/** The moves of shards of one attempt. */
export class ShardMover {
  readonly #options: ShardMoverOptions;
  /** Rejects when the attempt is over. */
  readonly #over = Promise.withResolvers<never>();
  /** Sources with operators that remember what can't move. */
  #remembering: ReadonlySet<string> = new Set();
  /** By shard, who waits until it is closed. */
  readonly #closing = new Map<string, (closed: ClosedShard | undefined) => void>();
  /** Shards that are on their way. */
  readonly #moving = new Set<string>();
  #settled: Promise<unknown> = Promise.resolve();

  constructor(options: ShardMoverOptions) {
    this.#options = options;
    this.#over.promise.catch(() => {});
  }

  /** Says what job it is. */
  place({ stages }: JobPlan): void {
    const remembering = stages.filter(({ kind, remembers }) => kind === "source" && remembers);
    this.#remembering = new Set(remembering.map(({ name }) => name));
  }

  /** Whether a source's shards can move: no operator behind it remembers what is no state. */
  canMove(source: string): boolean {
    return !this.#remembering.has(source);
  }

  /** By worker, the shards that it reads. */
  get shardsOf(): readonly (readonly ShardName[])[] {
    return this.#options.shards().byWorker;
  }

  /** The attempt is over: moves that are under way come to nothing, as all else. */
  end(): void {
    this.#over.reject(new Error("Cannot move shards: the job has failed or ended meanwhile"));
  }

  /** Resolves when no move is under way. */
  get settled(): Promise<unknown> {
    return this.#settled;
  }

  /**
   * Moves shards, all at once.
   *
   * @returns those that have moved: one that is not being read, as it has ended, stays, and so do all that are still being
   * closed when the job is stopped
   * @throws {RangeError} if a shard is read by another worker than it is to move from, or there is no such worker
   * @throws {Error} if one can't move, since operators behind it remember what is no state, or is on its way already; or if
   * a worker fails
   */
  async move(moves: readonly ShardMove[]): Promise<readonly MovedShard[]> {
    this.#check(moves);
    if (!this.#options.isOpen()) return [];
    const { shards } = this.#options;
    const reading = moves.filter(({ source, shard }) =>
      shards().workerOf(source, shard) !== undefined
    );
    const moving = Promise.all(reading.map((move) => this.#move(move)));
    this.#settled = Promise.allSettled([this.#settled, moving]);
    return (await moving).filter((moved) => moved !== undefined);
  }

  /** A worker has closed a shard, or could not. */
  closed(source: string, shard: string, closed: ClosedShard | undefined): void {
    this.#closing.get(shardKey(source, shard))?.(closed);
  }

  #check(moves: readonly ShardMove[]): void {
    const { handles, shards } = this.#options;
    const workers = handles().length;
    const seen = new Set<string>();
    for (const { source, shard, from, to } of moves) {
      const what = `Cannot move shard "${shard}" of "${source}" from worker ${from} to ${to}`;
      if (this.#remembering.has(source)) {
        throw new Error(
          `${what}: RxJS operators behind "${source}" remember what is no state, and would forget it; ` +
            "put them behind a keyBy(), or use map, filter and the like of penstock",
        );
      }
      const key = shardKey(source, shard);
      if (seen.has(key) || this.#moving.has(key)) {
        throw new Error(`${what}: it is on its way already; wait until it is there`);
      }
      seen.add(key);
      const reader = shards().workerOf(source, shard) ?? from;
      const isThere = to >= 0 && to < workers && Number.isInteger(to);
      if (reader === from && to !== from && isThere) continue;
      throw new RangeError(`${what}: it is read by worker ${reader} of ${workers}`);
    }
  }

  async #move(move: ShardMove): Promise<MovedShard | undefined> {
    const { handles, shards, isOpen, failed } = this.#options;
    const { source, shard, from, to } = move;
    const key = shardKey(source, shard);
    this.#moving.add(key);
    try {
      const closed = await Promise.race([this.#close(move), this.#over.promise]);
      // Behind a stop its old worker keeps its place; both are told in one go, so that it is always the place of one.
      if (closed === undefined || !isOpen()) return undefined;
      shards().moved(source, shard, to);
      handles()[from]?.tell({ type: "shardMoved", source, shard });
      const adopted = handles()[to]?.ask<"adoptShard">({
        ...{ type: "adoptShard", source, shard, closed },
      });
      const answer = await Promise.race([adopted, this.#over.promise]);
      return { ...move, pauseMs: answer?.pauseMs ?? 0 };
    } catch (error) {
      failed(error instanceof Error ? error : new Error(String(error)));
      throw error;
    } finally {
      this.#moving.delete(key);
      this.#closing.delete(key);
    }
  }

  #close({ source, shard, from }: ShardMove): Promise<ClosedShard | undefined> {
    return new Promise((resolve) => {
      this.#closing.set(shardKey(source, shard), resolve);
      this.#options.handles()[from]?.tell({ type: "closeShard", source, shard });
    });
  }
}
