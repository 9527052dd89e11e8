/**
 * Opens a job on its workers, each linked to each other.
 *
 * @module
 */

import type { Placement } from "../worker/protocol.ts";
import type { RestoredJob } from "./attempt_listener.ts";
import type { WorkerHandle } from "./worker_handle.ts";
import { linkAll, type WorkerHost } from "./worker_port.ts";

/** Resolves when all are open; rejects if one can't be. */
export async function openWorkers(
  host: WorkerHost,
  handles: readonly WorkerHandle[],
  of: {
    readonly placement: Omit<Placement, "worker" | "workers">;
    readonly restored: RestoredJob | undefined;
    /** Whether checkpoints are taken. */
    readonly checkpoints: boolean;
  },
): Promise<void> {
  const { restored, checkpoints } = of;
  const workers = handles.length;
  const links = linkAll(host, workers);
  await Promise.all(handles.map((handle, worker) => {
    const mine = links[worker] ?? [];
    const placement = { ...of.placement, worker, workers };
    const sent = Array.from({ length: workers }, (_, other) => mine[other]?.end);
    const transfer = mine.flatMap((link) => link.of.transfer(link.end));
    return handle.ask<"open">({
      type: "open",
      placement,
      links: sent,
      restored: restored?.workers[worker],
      checkpoints,
    }, transfer);
  }));
}
