/**
 * A job's checkpoints in a store: what a snapshot becomes there, and what is read back.
 *
 * @module
 */

import { CheckpointCatalogue } from "../checkpoint/catalogue.ts";
import { type Chains } from "../checkpoint/chains.ts";
import { compacted, isToBeCompacted } from "../checkpoint/compaction.ts";
import { keysOf } from "../checkpoint/fit_checkpoint.ts";
import type {
  CheckpointKind,
  Manifest,
  ManifestChain,
  ManifestPart,
  ManifestState,
} from "../checkpoint/manifest.ts";
import type { LoadedCheckpoint } from "../checkpoint/loaded_checkpoint.ts";
import { encodeManifest } from "../checkpoint/manifest_codec.ts";
import { framePart, unframePart } from "../checkpoint/part.ts";
import { decodeRest, encodeRest } from "../checkpoint/rest_of_checkpoint.ts";
import { selfContained } from "../checkpoint/self_contained.ts";
import { joinedStage, stageParts } from "../checkpoint/stage_times.ts";
import type { OpenCheckpointStore, StoredPart } from "../checkpoint/store.ts";
import type { Clock } from "../clock.ts";
import { COMPACTED_BYTES_MAX } from "../limits.ts";
import type { Logger } from "../logger.ts";
import type { Random } from "../random.ts";
import type { JobPlan } from "../stage_plan.ts";
import { keysIn, mergeChain } from "../state/key_chain.ts";
import type { JobSnapshot } from "./attempt_listener.ts";
import type { ReadCheckpoint } from "./restored_job.ts";

/** A checkpoint that is kept. */
export interface KeptCheckpoint {
  readonly id: number;
  /** The store, for people. */
  readonly store: string;
  readonly kind: CheckpointKind;
  /** What was written for it. */
  readonly writtenBytes: number;
}

/** A checkpoint to go on from. */
export interface ShelvedCheckpoint extends ReadCheckpoint {
  /** Whether it lies in the store to which checkpoints are written: then those may build upon it. */
  readonly isOwn: boolean;
}

/** What a shelf works with. */
export interface ShelfOptions {
  readonly store: OpenCheckpointStore;
  readonly catalogue: CheckpointCatalogue;
  /** What the job begins with instead of its last checkpoint, until it has kept one of its own. */
  readonly from: LoadedCheckpoint | "none" | undefined;
  readonly keep: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** The checkpoints of one job. */
export class CheckpointShelf {
  readonly #options: ShelfOptions;
  /** Makes the names of parts differ from those of every other run. */
  readonly #run: string;
  #from: LoadedCheckpoint | "none" | undefined;
  /** Parts of the checkpoints that are built upon. */
  #parts = new Map<string, ManifestPart>();
  #nextNumber = 1;
  /** Checkpoints that are being copied, and how often: they are not removed meanwhile. */
  readonly #copied = new Map<number, number>();

  constructor(options: ShelfOptions) {
    this.#options = options;
    this.#from = options.from;
    this.#run = Math.floor(options.random() * 2 ** 48).toString(36);
  }

  /** The least number that no checkpoint has. Known after `read`. */
  get nextNumber(): number {
    return this.#nextNumber;
  }

  /** The checkpoint to go on from; undefined if there is none. */
  async read(): Promise<ShelvedCheckpoint | undefined> {
    const { catalogue } = this.#options;
    this.#nextNumber = await catalogue.nextId();
    const isOwn = this.#from === undefined;
    if (this.#from === "none") return undefined;
    const loaded = this.#from ?? await catalogue.latest();
    if (loaded === undefined) return undefined;
    const { manifest } = loaded;
    this.#nextNumber = Math.max(this.#nextNumber, manifest.id + 1);
    this.#parts = new Map(isOwn ? manifest.parts.map((part) => [part.name, part]) : []);
    return {
      manifest,
      rest: decodeRest(loaded.rest),
      // A copy: it is moved to a worker.
      chunkAt: (chunk) => new Uint8Array(loaded.bytes(chunk)),
      isOwn,
    };
  }

  /**
   * Keeps a snapshot as a checkpoint.
   *
   * @param verdict asked once it is written: whether later ones build upon it, it is left as it is, or, having been given
   * up meanwhile, is taken away again
   * @throws {Error} if it can't be written, or was given up
   */
  async keep(
    snapshot: JobSnapshot,
    { plan, routing, chains, startedAt, verdict }: {
      plan: JobPlan;
      /** The worker of each key group. */
      routing: readonly number[];
      chains: Chains;
      startedAt: number;
      verdict: () => "build upon" | "leave" | "give up";
    },
  ): Promise<{ kept: KeptCheckpoint; chains: Chains }> {
    const { store, clock } = this.#options;
    const name = (what: string | number) => `${snapshot.epoch}-${this.#run}-${what}`;
    const parts: StoredPart[] = [];
    const listed = new Map(this.#parts);
    const fresh = new Map<string, Uint8Array>();
    const add = (part: string, bytes: readonly Uint8Array[]) => {
      const framed = framePart(bytes);
      parts.push({ name: part, bytes: framed.bytes });
      listed.set(part, { name: part, bytes: framed.bytes.length, crc32: framed.crc32 });
    };
    let after = chains;
    for (const [worker, part] of snapshot.workers.entries()) {
      if (part.bytes.length > 0) add(name(worker), [part.bytes]);
      fresh.set(name(worker), part.bytes);
      const groups = routing.flatMap((of, group) => of === worker ? [group] : []);
      after = after.with(part, name(worker), groups);
    }
    const merged = await this.#compacted(snapshot, after, fresh, name("merged"));
    if (merged.bytes.length > 0) add(name("merged"), merged.bytes);
    after = after.replaced(merged.chains);
    const rest = restOf(snapshot, plan);
    add(name("rest"), [rest]);
    const chunks = after.chunks;
    const used = new Set(chunks.flatMap(({ chain }) => chain.map(({ part }) => part)));
    const manifest = manifestOf(snapshot, plan, {
      at: clock.now(),
      startedAt,
      chunks,
      rest: { part: name("rest"), offset: 0, length: rest.length },
      parts: [...listed.values()].filter(({ name: part }) =>
        used.has(part) || part === name("rest")
      ),
    });
    const written = parts.filter(({ name: part }) => used.has(part) || part === name("rest"));
    await store.write({ id: snapshot.epoch, manifest: encodeManifest(manifest), parts: written });
    const is = verdict();
    if (is === "give up") await this.#takeAway(snapshot.epoch, written);
    if (is === "build upon") {
      this.#parts = new Map(manifest.parts.map((part) => [part.name, part]));
      this.#from = undefined;
    }
    this.#tidy();
    const writtenBytes = written.reduce((sum, { bytes }) => sum + bytes.length, 0);
    const kept: KeptCheckpoint = {
      id: snapshot.epoch,
      store: store.name,
      kind: "checkpoint",
      writtenBytes,
    };
    return { kept, chains: after };
  }

  /**
   * A copy of a checkpoint that depends on no other and is kept until somebody removes it.
   *
   * @param other the store for it, if not this one
   * @param number its number in this store
   */
  async copy(
    id: number,
    other: OpenCheckpointStore | undefined,
    number: number | undefined,
  ): Promise<KeptCheckpoint> {
    this.#copied.set(id, (this.#copied.get(id) ?? 0) + 1);
    try {
      return await this.#copy(id, other ?? this.#options.store, number);
    } finally {
      const others = (this.#copied.get(id) ?? 0) - 1;
      if (others > 0) this.#copied.set(id, others);
      else this.#copied.delete(id);
    }
  }

  async #copy(
    id: number,
    to: OpenCheckpointStore,
    number: number | undefined,
  ): Promise<KeptCheckpoint> {
    const { catalogue, clock, logger } = this.#options;
    const as = number ?? await new CheckpointCatalogue(to, logger).nextId();
    const loaded = await catalogue.load(id);
    const { manifest, parts } = selfContained(loaded, { merge: mergeChain, keysIn }, {
      id: as,
      at: clock.now(),
      partName: (index) => `savepoint-${as}-${this.#run}-${index}`,
    });
    await to.write({ id: as, manifest: encodeManifest(manifest), parts });
    const writtenBytes = parts.reduce((sum, { bytes }) => sum + bytes.length, 0);
    return { id: as, store: to.name, kind: "savepoint", writtenBytes };
  }

  /** Chains that have grown long, made short: of those that this snapshot adds to, and not too many at once. */
  async #compacted(
    { workers }: JobSnapshot,
    chains: Chains,
    fresh: ReadonlyMap<string, Uint8Array>,
    part: string,
  ): Promise<{ bytes: Uint8Array[]; chains: ManifestChain[] }> {
    const bytes: Uint8Array[] = [];
    const merged: ManifestChain[] = [];
    const read = this.#reader(fresh);
    let offset = 0;
    for (const { operator, group } of workers.flatMap(({ chunks }) => chunks)) {
      const chain = chains.chain(operator, group);
      if (offset > COMPACTED_BYTES_MAX || !isToBeCompacted(chain)) continue;
      const base = await compacted(chain, read, mergeChain);
      const keys = keysIn(base);
      const chunk = { part, offset, length: base.length, keys, deleted: 0 };
      merged.push({ operator, group, chain: keys === 0 ? [] : [chunk] });
      if (keys === 0) continue;
      bytes.push(base);
      offset += base.length;
    }
    return { bytes, chains: merged };
  }

  /** Reads chunks of parts that are stored, each part once, and of those that are about to be. */
  #reader(fresh: ReadonlyMap<string, Uint8Array>) {
    const { store } = this.#options;
    const bodies = new Map<string, Promise<Uint8Array>>();
    return async ({ part, offset, length }: { part: string; offset: number; length: number }) => {
      let body = bodies.get(part);
      if (body === undefined) {
        const known = fresh.get(part);
        body = known === undefined
          ? store.readPart(part).then((bytes) => unframePart(part, bytes, this.#parts.get(part)))
          : Promise.resolve(known);
        bodies.set(part, body);
      }
      return (await body).subarray(offset, offset + length);
    };
  }

  /** What was given up must not be gone on from: workers have been told that it is not there. */
  async #takeAway(id: number, written: readonly StoredPart[]): Promise<never> {
    const { store } = this.#options;
    await store.remove(id, written.map(({ name }) => name));
    throw new Error(`checkpoint ${id} was written after it had been given up, and is removed`);
  }

  /** Removes what is older than what is kept: in the background, since nothing waits for it. */
  #tidy(): void {
    const { catalogue, keep, logger, store } = this.#options;
    catalogue.retain(keep, this.#copied).catch((error) => {
      logger.warn("Old checkpoints could not be removed; trying again after the next one", {
        store: store.name,
        reason: error instanceof Error ? error.message : String(error),
      });
    });
  }
}

function restOf({ workers }: JobSnapshot, plan: JobPlan): Uint8Array {
  const stages = plan.stages.map(({ name }) => joinedStage(stageParts(name, workers)));
  const sinks: Record<string, unknown[]> = {};
  for (const part of workers) {
    for (const [name, prepared] of Object.entries(part.sinks)) {
      (sinks[name] ??= []).push(prepared);
    }
  }
  return encodeRest({ stages, sinks });
}

function manifestOf(
  { epoch, workers, shards }: JobSnapshot,
  plan: JobPlan,
  rest: Pick<Manifest, "at" | "startedAt" | "chunks" | "rest" | "parts">,
): Manifest {
  const bytesOf = new Map<string, number>();
  for (const { operator, chain } of rest.chunks) {
    const bytes = chain.reduce((sum, { length }) => sum + length, 0);
    bytesOf.set(operator, (bytesOf.get(operator) ?? 0) + bytes);
  }
  const positions = new Map(
    workers.flatMap((part) => part.shards)
      .map(({ source, shard, position }) => [`${source}/${shard}`, position]),
  );
  return {
    format: 1,
    id: epoch,
    job: plan.job,
    kind: "checkpoint",
    maxParallelism: plan.maxParallelism,
    workers: workers.length,
    ...rest,
    operators: plan.stages.flatMap(({ name, kind, states, broadcast = [], hash }) => {
      if (kind !== "keyed") return [];
      const parts = workers.flatMap(({ stages }) => stages.filter((stage) => stage.name === name));
      const keys = parts.reduce((sum, { keys }) => sum + keys, 0);
      const timers = parts.reduce((sum, { timers = 0 }) => sum + timers, 0);
      const set = broadcast.filter(({ name }) => parts[0]?.broadcast?.[name] !== undefined);
      return [{
        name,
        kind,
        states: states.map(asDeclared),
        ...(set.length === 0 ? {} : { broadcast: set.map(asDeclared) }),
        ...(hash === undefined ? {} : { hash }),
        keyedBy: keysOf(plan, name),
        ...(timers === 0 ? {} : { timers }),
        keys,
        bytes: bytesOf.get(name) ?? 0,
      }];
    }),
    sources: plan.sources.map(({ name, kind, of }) => ({
      name,
      kind,
      of,
      shards: (shards[name] ?? []).map(({ id, parents, state }) => {
        const at = `${name}/${id}`;
        const position = positions.get(at);
        // A shard that a worker still knows has not been let go of, though it may have been read to its end.
        const known = positions.has(at) ? "reading" as const : state;
        return { id, parents, state: known, ...(position === undefined ? {} : { position }) };
      }),
    })),
    sinks: plan.deadLetters === undefined ? plan.sinks : [...plan.sinks, plan.deadLetters],
  };
}

function asDeclared({ name, kind, version, holds }: ManifestState): ManifestState {
  return { name, kind, version, holds };
}
