/**
 * What a coordinator and its shelf are given when they are tested by themselves: a plan with one stage, snapshots of it,
 * and a store that can be told to fail or to wait.
 *
 * @module
 */

import { CheckpointCatalogue, partsOfManifest } from "../../../runtime/checkpoint/catalogue.ts";
import type { LoadedCheckpoint } from "../../../runtime/checkpoint/loaded_checkpoint.ts";
import { memoryStore } from "../../../runtime/checkpoint/memory_store.ts";
import type { CheckpointStore, OpenCheckpointStore } from "../../../runtime/checkpoint/store.ts";
import type { WorkerSnapshot } from "../../../runtime/checkpoint/worker_snapshot.ts";
import type { Clock } from "../../../runtime/clock.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import type { JobPlan } from "../../../runtime/stage_plan.ts";
import { encodeChanges } from "../../../runtime/state/key_changes.ts";
import { CheckpointShelf } from "../../../runtime/supervisor/checkpoint_shelf.ts";
import type { JobSnapshot } from "../../../runtime/supervisor/attempt_listener.ts";
import { stagePart } from "../checkpoint/stage_parts.ts";

/** A source and a keyed stage over two key groups. */
export const KEYED_PLAN: JobPlan = {
  job: "demo",
  maxParallelism: 2,
  onError: "resume",
  sources: [{ name: "in", kind: "memory", of: "numbers", bounded: false }],
  sinks: [{ name: "out", kind: "memory", of: "results" }],
  stages: [
    { name: "in", kind: "source", states: [], calls: [] },
    {
      name: "sum",
      kind: "keyed",
      states: [{ name: "sum", kind: "value", version: 1, holds: "number", migrates: false }],
      calls: ["look up"],
    },
  ],
  edges: [],
  decoding: [],
};

/** Changes of the keyed stage, by key group: sums by key, and keys that have gone. */
export type Changed = Readonly<
  Record<number, { readonly put?: Readonly<Record<string, number>>; readonly gone?: string[] }>
>;

/** What a worker hands over. */
export function workerPart(
  epoch: number,
  changed: Changed,
  more: Partial<WorkerSnapshot> = {},
): WorkerSnapshot {
  let offset = 0;
  const bodies: Uint8Array[] = [];
  const chunks = Object.entries(changed).map(([group, { put = {}, gone = [] }]) => {
    const keys = Object.keys(put);
    const bytes = encodeChanges({
      states: ["sum"],
      deleted: gone,
      keys,
      cells: [Object.values(put)],
      timers: [],
    });
    const at = offset;
    offset += bytes.length;
    bodies.push(bytes);
    return {
      operator: "sum",
      group: Number(group),
      offset: at,
      length: bytes.length,
      keys: keys.length,
      deleted: gone.length,
      isBase: false,
    };
  });
  return {
    epoch,
    bytes: new Uint8Array(bodies.flatMap((bytes) => [...bytes])),
    chunks,
    wholes: [],
    shards: [],
    stages: [stagePart("in"), stagePart("sum")],
    sinks: {},
    figures: { alignMs: 0, stopMs: 0, totalMs: 0 },
    ...more,
  };
}

/** What one worker, with one shard, hands over. */
export function jobSnapshot(epoch: number, changed: Changed = {}): JobSnapshot {
  const shards = [{ source: "in", shard: "s0", position: String(epoch) }];
  return {
    epoch,
    workers: [workerPart(epoch, changed, { shards })],
    shards: { in: [{ id: "s0", parents: [], state: "reading" }] },
  };
}

/** A store that does what a test says. */
export class TestStore {
  readonly store: CheckpointStore = memoryStore("test");
  /** The next write fails with this. */
  fails: Error | undefined;
  /** Writes wait for this. */
  waits: Promise<void> | undefined;
  /** So does the reading of parts for this. */
  readsWait: Promise<void> | undefined;
  /** Names of all parts that were written. */
  readonly written: string[] = [];

  async open(clock: Clock): Promise<OpenCheckpointStore> {
    const open = await this.store.open({
      clock,
      random: () => 0,
      logger: silentLogger,
      aws: {},
      job: "demo",
      signal: new AbortController().signal,
      partsOf: partsOfManifest,
    });
    return {
      kind: open.kind,
      name: open.name,
      job: open.job,
      write: async (checkpoint) => {
        await this.waits;
        const error = this.fails;
        this.fails = undefined;
        if (error !== undefined) throw error;
        await open.write(checkpoint);
        this.written.push(...checkpoint.parts.map(({ name }) => name));
      },
      list: () => open.list(),
      readManifest: (id) => open.readManifest(id),
      readPart: async (name) => {
        await this.readsWait;
        return await open.readPart(name);
      },
      remove: (id, parts) => open.remove(id, parts),
      close: () => open.close(),
    };
  }
}

/** A shelf over a store. */
export async function shelfOver(
  test: TestStore,
  clock: Clock,
  { keep = 3, from, random = () => 0.5 }: {
    keep?: number;
    from?: LoadedCheckpoint;
    random?: () => number;
  } = {},
): Promise<{ shelf: CheckpointShelf; store: OpenCheckpointStore; catalogue: CheckpointCatalogue }> {
  const store = await test.open(clock);
  const catalogue = new CheckpointCatalogue(store, silentLogger);
  const shelf = new CheckpointShelf({
    ...{ store, catalogue, from, keep, clock, random },
    logger: silentLogger,
  });
  return { shelf, store, catalogue };
}
