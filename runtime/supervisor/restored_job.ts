/**
 * What the workers of a new attempt begin with, from a checkpoint that fits the job: state by key group for whoever has
 * the group now, positions by shard, times for as many workers as there are. Pure.
 *
 * @module
 */

import type { Fit } from "../checkpoint/fit_checkpoint.ts";
import type { Chunk, Manifest } from "../checkpoint/manifest.ts";
import type { RestOfCheckpoint } from "../checkpoint/rest_of_checkpoint.ts";
import { pendingFor, timesFor } from "../checkpoint/stage_times.ts";
import type {
  RestoredGroup,
  RestoredStage,
  RestoredWorker,
} from "../checkpoint/worker_snapshot.ts";
import type { JobPlan } from "../stage_plan.ts";
import { originOf } from "../worker/stage_inputs.ts";
import type { RestoredJob } from "./attempt_listener.ts";

/** A checkpoint that has been read. */
export interface ReadCheckpoint {
  readonly manifest: Manifest;
  /** Of what the job has no more, nothing: see `checkpoint/fit_rest.ts`. */
  readonly rest: RestOfCheckpoint;
  /** The bytes of a chunk. */
  readonly chunkAt: (chunk: Chunk) => Uint8Array<ArrayBuffer>;
}

/** How it is dealt out. */
export interface RestoreOptions {
  readonly plan: JobPlan;
  readonly fit: Fit;
  /** The worker of each key group. */
  readonly routing: readonly number[];
  readonly workers: number;
  /** Operators whose next checkpoint is to have all keys. */
  readonly anew: (operator: string) => boolean;
}

/** What an attempt begins with. */
export function restoredJob(checkpoint: ReadCheckpoint, options: RestoreOptions): RestoredJob {
  const { manifest } = checkpoint;
  const { fit, workers } = options;
  return {
    startedAt: manifest.startedAt,
    workers: Array.from(
      { length: workers },
      (_, worker) => restoredWorker(checkpoint, options, worker),
    ),
    shards: Object.fromEntries(
      manifest.sources
        .filter(({ name }) => fit.sources.includes(name))
        .map(({ name, shards }) => [
          name,
          shards.map(({ id, state, position, parents }) => ({ id, state, position, parents })),
        ]),
    ),
  };
}

function restoredWorker(
  { manifest, rest, chunkAt }: ReadCheckpoint,
  options: RestoreOptions,
  worker: number,
): RestoredWorker {
  const { plan, fit, routing, workers, anew } = options;
  const stages = plan.stages.flatMap(({ name }): [string, RestoredStage][] => {
    const time = rest.stages.find((stage) => stage.name === name);
    const operator = fit.operators.find((other) => other.name === name);
    if (time === undefined) return [];
    return [[name, {
      ...timesFor(time, { worker, workers, partOf: partOf(plan), partName: originOf }),
      pending: pendingFor(time.pending, worker, routing),
      broadcast: time.broadcast,
      groups: operator === undefined ? [] : groupsOf(manifest, name, worker, routing, chunkAt),
      dropped: operator?.dropped ?? [],
      migrated: operator?.migrated ?? {},
      ...(operator?.migratedBroadcast === undefined
        ? {}
        : { migratedBroadcast: operator.migratedBroadcast }),
      anew: anew(name),
    }]];
  });
  return {
    epoch: manifest.id,
    stages: Object.fromEntries(stages),
    // One worker commits what all had prepared: a transaction must not be committed twice.
    sinks: worker === 0 ? rest.sinks : {},
  };
}

/** The stage that the name of a part is of: gives undefined for a shard's. */
export function partOf(plan: JobPlan): (origin: string) => string | undefined {
  const keyed = new Set(plan.stages.flatMap(({ name, kind }) => kind === "keyed" ? [name] : []));
  return (origin) => {
    // Names of a job are such that no shard's reads like that.
    const stage = origin.slice(0, Math.max(0, origin.lastIndexOf("@")));
    return keyed.has(stage) ? stage : undefined;
  };
}

function groupsOf(
  manifest: Manifest,
  operator: string,
  worker: number,
  routing: readonly number[],
  chunkAt: ReadCheckpoint["chunkAt"],
): RestoredGroup[] {
  return manifest.chunks
    .filter((of) => of.operator === operator && routing[of.group] === worker)
    .map(({ group, chain }) => ({ group, chain: chain.map(chunkAt) }));
}
