/**
 * What each worker would have to do if key groups could be spread as they like, and which can't: one that needs more
 * than its worker's share can't be cut by moving it. It is isolated, and the others share the rest.
 *
 * @module
 */

import type { GroupDemand, LoadView } from "./demand.ts";

/** A share, and what does not fit into it. */
export interface FairShare {
  /** Cores for each worker without a heavy key group. */
  readonly cores: number;
  /** Key groups that need a worker for themselves, heaviest first; fewer than there are workers. */
  readonly heavy: readonly GroupDemand[];
}

/**
 * The fair share of each of so many workers.
 *
 * @example One of four key groups is too heavy for a third of all
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { fairShare } from "./fair_share.ts";
 * const group = (group: number, cores: number) => ({ group, worker: 0, cores, oldestMs: 0, bytes: 0, keys: [] });
 * const groups = [group(0, 0.1), group(1, 0.8), group(2, 0.15), group(3, 0.15)];
 * const { cores, heavy } = fairShare({ cores: 1.2, groups }, 3);
 * assertEquals([Math.round(cores * 100), heavy.map(({ group }) => group)], [20, [1]]);
 * ```
 */
export function fairShare(
  { cores, groups }: Pick<LoadView, "cores" | "groups">,
  workers: number,
): FairShare {
  const heavy: GroupDemand[] = [];
  let rest = cores;
  for (const group of groups.toSorted((a, b) => b.cores - a.cores)) {
    const left = workers - heavy.length;
    if (left <= 1 || group.cores <= rest / left) break;
    heavy.push(group);
    rest -= group.cores;
  }
  return { cores: Math.max(0, rest) / (workers - heavy.length), heavy };
}
