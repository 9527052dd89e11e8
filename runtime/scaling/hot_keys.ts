/**
 * Key groups that moves can't relieve. Pure.
 *
 * @module
 */

import type { GroupDemand, LoadView } from "./demand.ts";
import { fairShare } from "./fair_share.ts";
import { coresText } from "./scaling_text.ts";

/** A key group that needs so many cores leaves its worker no time for anything else. */
export const HOT_CORES = 0.9;
/** One that is above its worker's share by this part of it makes loads uneven, whoever has it. */
export const UNEVEN_PART = 0.1;
/** And by so many cores: below that it does not count. */
export const UNEVEN_CORES = 0.05;

/** A key group that is too much. */
export interface HotGroup {
  readonly group: GroupDemand;
  readonly limits: "throughput" | "balance";
  readonly because: string;
}

/** The key groups that are too much for their worker, or more than their worker's share, hottest first. */
export function hotGroups(load: LoadView): readonly HotGroup[] {
  const workers = load.workers.length;
  const { cores: share, heavy } = fairShare(load, workers);
  const hot = new Set(load.groups.filter(({ cores }) => cores >= HOT_CORES));
  for (const group of heavy) {
    const above = group.cores - share;
    if (above > Math.max(UNEVEN_PART * share, UNEVEN_CORES)) hot.add(group);
  }
  return [...hot].sort((a, b) => b.cores - a.cores).map((group) =>
    group.cores >= HOT_CORES
      ? { group, limits: "throughput", because: "no worker can do more than 1 core of it" }
      : {
        group,
        limits: "balance",
        because: `each of the other workers has ${coresText(share)} to do`,
      }
  );
}
