/**
 * Key groups on workers, on paper: what the loads would be if some had moved.
 *
 * @module
 */

import type { GroupDemand, LoadView } from "./demand.ts";

/** A key group that is to move. */
export interface GroupMove {
  readonly group: number;
  readonly from: number;
  readonly to: number;
  /** Cores that move with it. */
  readonly cores: number;
  readonly bytes: number;
  /** How long its rows are expected to wait, ms. */
  readonly pauseMs: number;
}

/** Moves that are made together. */
export interface MovePlan {
  /** In the order in which they should begin. */
  readonly moves: readonly GroupMove[];
  /** The largest load of a worker before and after, in cores. */
  readonly maxBefore: number;
  readonly maxAfter: number;
  readonly bytes: number;
  /** The longest expected pause of a key group, ms. */
  readonly pauseMs: number;
}

/** The pause of a hand-over of no state, ms. */
export const MOVE_PAUSE_MS = 2;
/** What each byte of state adds: ten ms a MB, as encoding and decoding it takes about that. */
export const MOVE_PAUSE_MS_PER_BYTE = 1e-5;

/** A place to plan on. Workers that the view doesn't have may be added, and left. */
export class Layout {
  readonly #loads = new Map<number, number>();
  readonly #groups = new Map<number, GroupDemand[]>();
  /** The key groups that have moved, and to where. */
  readonly #moved = new Map<GroupDemand, number>();
  readonly #maxBefore: number;

  /** @param added workers that are to be started */
  constructor(load: LoadView, added: readonly number[] = []) {
    for (const { worker, overhead } of load.workers) this.#add(worker, overhead);
    for (const worker of added) this.#add(worker, 0);
    for (const group of load.groups) {
      this.#groups.get(group.worker)?.push(group);
      this.#loads.set(group.worker, this.loadOf(group.worker) + group.cores);
    }
    this.#maxBefore = this.max;
  }

  #add(worker: number, overhead: number): void {
    this.#loads.set(worker, overhead);
    this.#groups.set(worker, []);
  }

  /** The numbers of the workers. */
  get workers(): readonly number[] {
    return [...this.#loads.keys()];
  }

  /** Cores that a worker has to do. */
  loadOf(worker: number): number {
    return this.#loads.get(worker) ?? 0;
  }

  /** The key groups of a worker. */
  groupsOf(worker: number): readonly GroupDemand[] {
    return this.#groups.get(worker) ?? [];
  }

  /** The largest load. */
  get max(): number {
    return Math.max(0, ...this.#loads.values());
  }

  /** The worker with the least to do among some, the first of those that are equal. */
  idlest(workers: Iterable<number> = this.#loads.keys()): number | undefined {
    let best: number | undefined;
    for (const worker of workers) {
      if (best === undefined || this.loadOf(worker) < this.loadOf(best)) best = worker;
    }
    return best;
  }

  /** Whether a key group has moved. */
  hasMoved(group: GroupDemand): boolean {
    return this.#moved.has(group);
  }

  /** Moves a key group. */
  move(group: GroupDemand, to: number): void {
    const from = this.#moved.get(group) ?? group.worker;
    if (from === to) return;
    this.#groups.set(from, this.groupsOf(from).filter((other) => other !== group));
    this.#loads.set(from, this.loadOf(from) - group.cores);
    this.#groups.set(to, [...this.groupsOf(to), group]);
    this.#loads.set(to, this.loadOf(to) + group.cores);
    if (to === group.worker) this.#moved.delete(group);
    else this.#moved.set(group, to);
  }

  /** Takes away a worker that has no key groups any more; what else it did falls to the others in equal parts. */
  remove(worker: number): void {
    const share = this.loadOf(worker) / Math.max(1, this.#loads.size - 1);
    this.#loads.delete(worker);
    this.#groups.delete(worker);
    for (const other of this.workers) this.#loads.set(other, this.loadOf(other) + share);
  }

  /**
   * What has moved.
   *
   * @param first which goes first: what relieves most, or what is quickest
   */
  plan(first: "hottest" | "smallest"): MovePlan {
    const moves = [...this.#moved].map(([group, to]): GroupMove => ({
      group: group.group,
      from: group.worker,
      to,
      cores: group.cores,
      bytes: group.bytes,
      pauseMs: MOVE_PAUSE_MS + group.bytes * MOVE_PAUSE_MS_PER_BYTE,
    }));
    moves.sort((a, b) => first === "hottest" ? b.cores - a.cores : a.bytes - b.bytes);
    return {
      moves,
      maxBefore: this.#maxBefore,
      maxAfter: this.max,
      bytes: moves.reduce((sum, { bytes }) => sum + bytes, 0),
      pauseMs: moves.reduce((longest, { pauseMs }) => Math.max(longest, pauseMs), 0),
    };
  }
}
