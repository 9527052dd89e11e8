/**
 * What a checkpoint knows of event time and of calls under way, made from what the workers have handed over, and dealt
 * out to the workers of the next start, however many they are. Pure.
 *
 * At a barrier all parts of a stage have heard the same watermarks, so that one part's inputs speak for all. What a part
 * says of itself (`stage@worker`) is made one by the least: nobody may promise more than the one that is furthest back.
 *
 * @module
 */

import type { GateTime } from "../time/gate_watermark.ts";
import type { GeneratorTime, InputTime, OriginTime } from "../time/watermark.ts";
import type { MergeTime, OperatorTime, PendingCall, StageSnapshot } from "./worker_snapshot.ts";

/** A stage at a barrier, all its parts together. */
export interface StageTime {
  readonly name: string;
  readonly inputs: readonly GateTime[];
  readonly watermark: number;
  readonly generators: readonly OperatorTime[];
  readonly merges: readonly MergeTime[];
  readonly pending: readonly PendingCall[];
  readonly broadcast: Readonly<Record<string, unknown>> | undefined;
}

/** A part's own name, as it is known to others. */
export type PartName = (stage: string, worker: number) => string;

/**
 * The parts of a stage as one.
 *
 * @param parts one of each worker
 */
export function joinedStage(parts: readonly StageSnapshot[]): StageTime {
  const [first] = parts;
  if (first === undefined) throw new Error("Cannot join a stage of no parts");
  return {
    name: first.name,
    inputs: first.inputs,
    watermark: Math.min(...parts.map(({ watermark }) => watermark)),
    generators: parts.flatMap(({ generators }) => generators),
    merges: parts.flatMap(({ merges }) => merges),
    pending: parts.flatMap(({ pending }) => pending),
    broadcast: first.broadcast,
  };
}

/**
 * A stage's times for one of the workers of the next start.
 *
 * @param partOf the stage that a part's name is of, or undefined if it is a shard's
 */
export function timesFor(
  stage: StageTime,
  { worker, workers, partOf, partName }: {
    worker: number;
    workers: number;
    partOf: (origin: string) => string | undefined;
    partName: PartName;
  },
): Pick<StageTime, "inputs" | "watermark" | "generators" | "merges"> {
  const own = partName(stage.name, worker);
  return {
    watermark: stage.watermark,
    inputs: stage.inputs.map(({ splits, channels }) => ({
      splits,
      channels: repartitioned(channels, workers, partOf, partName),
    })),
    generators: withOneOf(
      stage.generators,
      ({ domain }) => partOf(domain) === stage.name,
      ({ index }) => index,
      (parts) => ({ ...first(parts), domain: own, time: least(parts.map(({ time }) => time)) }),
    ),
    merges: withOneOf(
      stage.merges,
      ({ origin }) => partOf(origin) === stage.name,
      ({ index }) => index,
      (parts) => ({ ...furthestBack(parts), origin: own }),
    ),
  };
}

/** An input whose origins are parts of stages, for another number of parts. */
function repartitioned(
  input: InputTime,
  workers: number,
  partOf: (origin: string) => string | undefined,
  partName: PartName,
): InputTime {
  const origins: OriginTime[] = [];
  for (const [stage, of] of Map.groupBy(input.origins, ({ name }) => partOf(name))) {
    if (stage === undefined) {
      origins.push(...of);
      continue;
    }
    const active = of.filter(({ idle }) => !idle);
    const counted = active.length > 0 ? active : of;
    const joined = {
      at: Math.min(...counted.map(({ at }) => at)),
      idle: active.length === 0,
      aligned: counted.every(({ aligned }) => aligned),
      spoken: of.some(({ spoken }) => spoken),
    };
    for (let worker = 0; worker < workers; worker++) {
      origins.push({ name: partName(stage, worker), ...joined });
    }
  }
  return { ...input, origins };
}

/** Things that are parts' made one for each group; the others stay as they are. */
function withOneOf<T>(
  all: readonly T[],
  isPart: (one: T) => boolean,
  group: (one: T) => number,
  join: (parts: readonly T[]) => T,
): readonly T[] {
  const parts = Map.groupBy(all.filter(isPart), group);
  return [...all.filter((one) => !isPart(one)), ...[...parts.values()].map(join)];
}

function first<T>(parts: readonly T[]): T {
  const [one] = parts;
  if (one === undefined) throw new Error("Cannot join no parts");
  return one;
}

function least(times: readonly GeneratorTime[]): GeneratorTime {
  return {
    newest: Math.min(...times.map(({ newest }) => newest)),
    told: Math.min(...times.map(({ told }) => told)),
  };
}

function furthestBack(parts: readonly MergeTime[]): MergeTime {
  return parts.reduce((least, part) => part.branches.at < least.branches.at ? part : least);
}

/**
 * Calls that one worker makes again: those of its key groups, or, behind a source, all: whoever reads the shard takes its.
 * Those of broadcast records, which have no key group, are the first worker's.
 *
 * @param routing the worker of each key group
 */
export function pendingFor(
  pending: readonly PendingCall[],
  worker: number,
  routing: readonly number[],
): readonly PendingCall[] {
  return pending.filter(({ owner }) =>
    typeof owner === "string" || (routing[owner] ?? 0) === worker
  );
}
