/**
 * Where key groups should be: spread over the workers there are, over workers that are to be started, and away from
 * workers that are to go. Where they are at first is in `supervisor/placement.ts`.
 *
 * @module
 */

import type { GroupDemand, LoadView } from "./demand.ts";
import { type FairShare, fairShare } from "./fair_share.ts";
import { Layout, type MovePlan } from "./layout.ts";

/** A worker that is above its share by less than this part of it is left alone, once others have begun to move. */
export const INNER_BAND = 0.05;
/** Key groups that differ by less than this part of what is wanted are equally good: the one with less state moves. */
const EQUALLY_GOOD = 0.05;

/** Whether a key group may move now. */
export type MayMove = (group: GroupDemand) => boolean;

/** Moves that even loads out. */
export interface BalancePlan extends MovePlan {
  /** By how many cores the worst worker is above its share before and after. */
  readonly aboveBefore: number;
  readonly aboveAfter: number;
}

/**
 * Moves to workers that are to be started.
 *
 * @param added their numbers
 */
export function planSpread(load: LoadView, added: readonly number[]): MovePlan {
  const layout = new Layout(load, added);
  balance(layout, fairShare(load, layout.workers.length), () => true);
  return layout.plan("hottest");
}

/**
 * Moves away from workers that are to end, longest processing time first (Graham 1969): the key group that needs most
 * goes to whoever has least, then the next.
 */
export function planDrain(load: LoadView, leaving: readonly number[]): MovePlan {
  const layout = new Layout(load);
  const staying = layout.workers.filter((worker) => !leaving.includes(worker));
  const orphans = leaving.flatMap((worker) => layout.groupsOf(worker));
  for (const group of orphans.toSorted((a, b) => b.cores - a.cores)) {
    const to = layout.idlest(staying);
    if (to !== undefined) layout.move(group, to);
  }
  for (const worker of leaving) layout.remove(worker);
  return layout.plan("smallest");
}

/**
 * The workers that go: those with the highest numbers, whatever they have to do. So numbers stay 0 to n - 1, and a key
 * group that moves costs the same whoever had it.
 */
export function leavingWorkers(load: LoadView, count: number): readonly number[] {
  return load.workers
    .map(({ worker }) => worker)
    .toSorted((a, b) => b - a)
    .slice(0, count);
}

/** The lowest numbers that no worker has. */
export function freeWorkers(load: LoadView, count: number): readonly number[] {
  const taken = new Set(load.workers.map(({ worker }) => worker));
  const free: number[] = [];
  for (let worker = 0; free.length < count; worker++) if (!taken.has(worker)) free.push(worker);
  return free;
}

/**
 * Moves that even the loads out. The fewest first: from the worker that is furthest above its share to the one that is
 * furthest below. Where that ends with large key groups in each other's way, all are dealt out anew, keeping what can
 * stay where it is.
 *
 * @param mayMove false for key groups that this plan must leave where they are; the next may move them
 */
export function planBalance(load: LoadView, mayMove: MayMove): BalancePlan {
  const layout = new Layout(load);
  const fair = fairShare(load, layout.workers.length);
  const aboveBefore = excess(layout, fair);
  balance(layout, fair, mayMove);
  const aboveAfter = excess(layout, fair);
  const band = INNER_BAND * fair.cores;
  if (aboveAfter > band) {
    const anew = new Layout(load);
    dealOut(anew, fair, mayMove);
    // Many more moves: only for a difference that counts.
    const above = excess(anew, fair);
    if (above < aboveAfter - band && anew.max <= layout.max) {
      return { ...anew.plan("hottest"), aboveBefore, aboveAfter: above };
    }
  }
  return { ...layout.plan("hottest"), aboveBefore, aboveAfter };
}

/** The heavy key group that a worker keeps. */
function heaviestOf(layout: Layout, { heavy }: FairShare, worker: number): GroupDemand | undefined {
  const groups = layout.groupsOf(worker);
  return heavy.find((group) => groups.includes(group));
}

/** What a worker has above its share; with a heavy key group, all that is beside that. */
function above(layout: Layout, fair: FairShare, worker: number): number {
  const heaviest = heaviestOf(layout, fair, worker);
  if (heaviest === undefined) return layout.loadOf(worker) - fair.cores;
  const beside = layout.groupsOf(worker).reduce((sum, { cores }) => sum + cores, -heaviest.cores);
  return Math.max(0, beside);
}

/** By how many cores the worst worker is above its share. */
export function excess(layout: Layout, fair: FairShare): number {
  return layout.workers.reduce((max, worker) => Math.max(max, above(layout, fair, worker)), 0);
}

function balance(layout: Layout, fair: FairShare, mayMove: MayMove): void {
  const stuck = new Set<number>();
  while (true) {
    let high: number | undefined;
    let most = INNER_BAND * fair.cores;
    for (const worker of layout.workers) {
      const over = stuck.has(worker) ? 0 : above(layout, fair, worker);
      if (over <= most) continue;
      high = worker;
      most = over;
    }
    if (high === undefined) return;
    const isHeavy = (worker: number) => heaviestOf(layout, fair, worker) !== undefined;
    const low = layout.idlest(layout.workers.filter((worker) => !isHeavy(worker)));
    const group = low === undefined ? undefined : bestToMove(layout, fair, mayMove, high, low);
    if (group === undefined || low === undefined) stuck.add(high);
    else layout.move(group, low);
  }
}

/** The key group whose move brings both workers closest to their shares without making the other one the worse. */
function bestToMove(
  layout: Layout,
  fair: FairShare,
  mayMove: MayMove,
  high: number,
  low: number,
): GroupDemand | undefined {
  const want = Math.min(above(layout, fair, high), fair.cores - layout.loadOf(low));
  const pinned = heaviestOf(layout, fair, high);
  let best: GroupDemand | undefined;
  let bestOff = Infinity;
  for (const group of layout.groupsOf(high)) {
    const { cores, bytes } = group;
    if (cores <= 0 || group === pinned || layout.hasMoved(group) || !mayMove(group)) continue;
    if (layout.loadOf(low) + cores >= layout.loadOf(high)) continue;
    const off = Math.abs(cores - want);
    const isClose = Math.abs(off - bestOff) <= EQUALLY_GOOD * Math.abs(want);
    if (best === undefined || (isClose ? bytes < best.bytes : off < bestOff)) {
      best = group;
      bestOff = off;
    }
  }
  return best;
}

/** Deals all key groups out, longest processing time first; each stays where it is while that has room. */
function dealOut(layout: Layout, fair: FairShare, mayMove: MayMove): void {
  const loads = new Map(layout.workers.map((worker) => {
    const movable = layout.groupsOf(worker).filter(mayMove);
    return [worker, movable.reduce((sum, { cores }) => sum - cores, layout.loadOf(worker))];
  }));
  const loadOf = (worker: number) => loads.get(worker) ?? 0;
  const room = fair.cores * (1 + INNER_BAND);
  const groups = layout.workers.flatMap((worker) => layout.groupsOf(worker)).filter(mayMove);
  for (const group of groups.toSorted((a, b) => b.cores - a.cores)) {
    const isHeavy = fair.heavy.includes(group);
    let to = group.worker;
    if (loadOf(to) + group.cores > (isHeavy ? group.cores + room / 2 : room)) {
      for (const worker of layout.workers) if (loadOf(worker) < loadOf(to)) to = worker;
    }
    loads.set(to, loadOf(to) + group.cores);
    layout.move(group, to);
  }
}
