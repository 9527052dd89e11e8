/**
 * Moves key groups between workers while the job runs: has them copied ahead, then handed over at a barrier. One move at a
 * time; checkpoints wait meanwhile.
 *
 * ```
 *          move()              all has been copied            every worker has what it gets
 *  still ──────────> copying ────────────────────> handing over ──────────────────────> still
 *    ^                  │ the job is stopped, or ends
 *    └── abandoned <────┘
 * ```
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import type { Command, CopyFigures, GroupMove, HandOverFigures } from "../worker/protocol.ts";
import type { WorkerHandle } from "./worker_handle.ts";

/** What a move was. */
export interface MoveFigures {
  readonly groups: number;
  /** Copied ahead, while turns went on. */
  readonly copied: CopyFigures;
  readonly copyMs: number;
  /** Changed since, and sent at the barrier. */
  readonly rest: CopyFigures;
  /** From the barrier until every worker had what it gets, ms. */
  readonly handOverMs: number;
  /** The longest stop of a moved key group, ms. */
  readonly pauseMs: number;
}

/** Where a move stands. */
type State =
  | { readonly kind: "still" }
  | { readonly kind: "copying" }
  | {
    readonly kind: "handing over";
    readonly epoch: number;
    readonly figures: HandOverFigures[];
    readonly done: () => void;
  };

/** What moves work with. */
export interface GroupMoverOptions {
  /** By number. */
  readonly handles: () => readonly WorkerHandle[];
  readonly clock: Clock;
  readonly tellAll: (command: Command) => void;
  /** Whether barriers come through: the job runs, and is not being stopped. */
  readonly isOpen: () => boolean;
}

/** The moves of one attempt. */
export class GroupMover {
  readonly #options: GroupMoverOptions;
  /** Rejects when the attempt is over. */
  readonly #over = Promise.withResolvers<never>();
  #state: State = { kind: "still" };
  #routing: readonly number[] = [];
  #moves = 0;
  #settled: Promise<unknown> = Promise.resolve();

  constructor(options: GroupMoverOptions) {
    this.#options = options;
    this.#over.promise.catch(() => {});
  }

  /** The worker of each key group; empty before the job is known. */
  get routing(): readonly number[] {
    return this.#routing;
  }

  /** Says where key groups are at the beginning. */
  place(routing: readonly number[]): void {
    this.#routing = routing;
  }

  /** The attempt is over: a move that is under way comes to nothing, as all else. */
  end(): void {
    this.#over.reject(new Error("Cannot move key groups: the job has failed or ended meanwhile"));
  }

  /** Resolves when no move is under way. */
  get settled(): Promise<unknown> {
    return this.#settled;
  }

  /**
   * Moves key groups.
   *
   * @param nextEpoch gives the number of the barrier
   * @returns undefined if the job was stopped or ended before the barrier: nothing has moved
   * @throws {RangeError} if a group is not where it is to move from, or there is no such worker
   * @throws {Error} if another move is under way, or a worker fails
   */
  async move(
    moves: readonly GroupMove[],
    nextEpoch: () => number,
  ): Promise<MoveFigures | undefined> {
    this.#check(moves);
    if (!this.#options.isOpen()) return undefined;
    const moving = this.#move(moves, nextEpoch);
    this.#settled = moving.catch(() => {});
    const moved = await moving;
    if (moved === undefined) return undefined;
    const routing = [...this.#routing];
    for (const { group, to } of moves) routing[group] = to;
    this.#routing = routing;
    return moved;
  }

  /** A worker has handed over what leaves it and has what comes. */
  handedOver(epoch: number, figures: HandOverFigures): void {
    const state = this.#state;
    if (state.kind !== "handing over" || state.epoch !== epoch) return;
    state.figures.push(figures);
    if (state.figures.length === this.#options.handles().length) state.done();
  }

  #check(moves: readonly GroupMove[]): void {
    const { kind } = this.#state;
    if (kind !== "still") {
      throw new Error(
        `Cannot move ${moves.length} key groups: others are ${kind}; wait until they are there`,
      );
    }
    const workers = this.#options.handles().length;
    const seen = new Set<number>();
    for (const { group, from, to } of moves) {
      const isThere = to >= 0 && to < workers && Number.isInteger(to);
      if (this.#routing[group] === from && to !== from && isThere && !seen.has(group)) {
        seen.add(group);
        continue;
      }
      throw new RangeError(
        `Cannot move key group ${group} from worker ${from} to ${to}: it is on worker ${
          this.#routing[group]
        } of ${workers}, and moves once at a time`,
      );
    }
  }

  async #move(
    moves: readonly GroupMove[],
    nextEpoch: () => number,
  ): Promise<MoveFigures | undefined> {
    const { clock, tellAll, isOpen } = this.#options;
    this.#state = { kind: "copying" };
    try {
      const began = clock.monotonic();
      const copied = await Promise.race([this.#copy(moves), this.#over.promise]);
      if (!isOpen()) {
        tellAll({ type: "abandonMove" });
        return undefined;
      }
      const copiedAt = clock.monotonic();
      const epoch = nextEpoch();
      const figures: HandOverFigures[] = [];
      const { promise, resolve: done } = Promise.withResolvers<void>();
      this.#state = { kind: "handing over", epoch, figures, done };
      tellAll({ type: "handOver", epoch, moves });
      await Promise.race([promise, this.#over.promise]);
      return {
        groups: moves.length,
        copied: sum(copied),
        copyMs: copiedAt - began,
        rest: sum(figures),
        handOverMs: clock.monotonic() - copiedAt,
        pauseMs: Math.max(0, ...figures.map(({ pauseMs }) => pauseMs)),
      };
    } finally {
      this.#state = { kind: "still" };
    }
  }

  async #copy(moves: readonly GroupMove[]): Promise<readonly CopyFigures[]> {
    const handles = this.#options.handles();
    const move = ++this.#moves;
    const by = (end: "from" | "to") => [...Map.groupBy(moves, (of) => of[end])];
    const expecting = by("to").map(([worker, of]) =>
      handles[worker]?.ask<"expectGroups">({
        ...{ type: "expectGroups", move, groups: of.map(({ group }) => group) },
      })
    );
    await Promise.all(expecting);
    const copying = by("from").map(([worker, of]) =>
      handles[worker]?.ask<"copyGroups">({ type: "copyGroups", move, moves: of })
    );
    return (await Promise.all(copying)).filter((figures) => figures !== undefined);
  }
}

function sum(figures: readonly CopyFigures[]): CopyFigures {
  return {
    keys: figures.reduce((sum, { keys }) => sum + keys, 0),
    bytes: figures.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
