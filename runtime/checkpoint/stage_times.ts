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
import { joinedOrigin } from "../time/joined_origin.ts";
import type { GeneratorTime, InputTime, OriginTime } from "../time/watermark.ts";
import type {
  FeedTime,
  MergeTime,
  OperatorTime,
  OriginWords,
  PendingCall,
  RestoredFeed,
  SinkTime,
  StageSnapshot,
  WorkerSnapshot,
} from "./worker_snapshot.ts";

/** A stage at a barrier, all its parts together. */
export interface StageTime {
  readonly name: string;
  readonly inputs: readonly GateTime[];
  readonly watermark: number;
  readonly generators: readonly OperatorTime[];
  readonly merges: readonly MergeTime[];
  readonly words: readonly OriginWords[];
  readonly feeds: readonly FeedTime[];
  readonly completed: readonly number[];
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
    words: parts.flatMap(({ words }) => words),
    feeds: parts.flatMap(({ feeds }) => feeds),
    completed: parts.flatMap(({ completed }) => completed),
    pending: parts.flatMap(({ pending }) => pending),
    broadcast: first.broadcast,
  };
}

/**
 * The parts of a stage, one a worker, without what a worker says of shards that another one reads: it was given that when
 * the job started, and has not heard of them since.
 *
 * @param workers by number
 */
export function stageParts(name: string, workers: readonly WorkerSnapshot[]): StageSnapshot[] {
  const readers = new Map(
    workers.flatMap(({ shards }, worker) =>
      shards.map(({ source, shard }): [string, number] => [`${source}/${shard}`, worker])
    ),
  );
  return workers.flatMap(({ stages }, worker) => {
    const isKnown = ({ origin }: { readonly origin: string }) =>
      (readers.get(origin) ?? worker) === worker;
    return stages.filter((stage) => stage.name === name).map((stage) => ({
      ...stage,
      words: stage.words.filter(isKnown),
      merges: stage.merges.filter(isKnown),
    }));
  });
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
):
  & Pick<StageTime, "inputs" | "watermark" | "generators" | "merges" | "words" | "completed">
  & { readonly feeds: readonly RestoredFeed[] } {
  const own = partName(stage.name, worker);
  const isPart = (origin: string) => partOf(origin) === stage.name;
  return {
    watermark: stage.watermark,
    completed: stage.completed,
    words: stage.words,
    inputs: stage.inputs.map(({ splits, channels }) => ({
      splits,
      channels: repartitioned(channels, workers, partOf, partName),
    })),
    generators: withOneOf(
      stage.generators,
      ({ domain }) => isPart(domain),
      ({ index }) => index,
      (parts) => ({ ...first(parts), domain: own, time: least(parts.map(({ time }) => time)) }),
    ),
    merges: withOneOf(
      stage.merges,
      ({ origin }) => isPart(origin),
      ({ index }) => index,
      (parts) => ({ ...furthestBack(parts), origin: own }),
    ),
    feeds: [...Map.groupBy(stage.feeds, ({ index }) => index).values()].map((parts) =>
      joinedFeed(parts, { own, isPart, spread: workers > 1 })
    ),
  };
}

/**
 * A stage's times for a worker that joins while the others go on: it hears what they hear from the barrier on. Shards are
 * theirs, as are the calls that are under way.
 *
 * @param worker the first number that is not taken
 */
export function timesForJoining(
  stage: StageTime,
  { worker, partOf, partName }: {
    worker: number;
    partOf: (origin: string) => string | undefined;
    partName: PartName;
  },
): Omit<StageTime, "name" | "feeds"> & { readonly feeds: readonly RestoredFeed[] } {
  const times = timesFor(stage, { worker, workers: worker + 1, partOf, partName });
  const own = partName(stage.name, worker);
  return {
    ...times,
    // What others have said stays as it is, and is not made one: they will not say it again.
    inputs: stage.inputs.map(({ splits, channels }) => ({
      splits,
      channels: withPart(channels, worker, partOf, partName),
    })),
    generators: times.generators.filter(({ domain }) => domain === own),
    merges: times.merges.filter(({ origin }) => origin === own),
    words: [],
    pending: [],
    broadcast: stage.broadcast,
  };
}

/** An input to which parts of stages send, with one part more of each. */
function withPart(
  input: InputTime,
  worker: number,
  partOf: (origin: string) => string | undefined,
  partName: PartName,
): InputTime {
  const parts = Map.groupBy(input.origins, ({ name }) => partOf(name));
  const added = [...parts].flatMap(([stage, of]): OriginTime[] =>
    stage === undefined ? [] : [{ name: partName(stage, worker), ...joinedOrigin(of) }]
  );
  return { ...input, origins: [...input.origins, ...added] };
}

/** What the parts of a stage have told a sink's writers, made what one writer has been told. */
function joinedFeed(
  parts: readonly FeedTime[],
  { own, isPart, spread }: { own: string; isPart: (origin: string) => boolean; spread: boolean },
): RestoredFeed {
  // A worker that read no shard has told its writer nothing, and has held nobody back.
  const speakers = parts.filter(({ splits, channels, at }) =>
    at > -Infinity || channels.origins.length > 0 || (splits?.splits.length ?? 0) > 0
  );
  const all = speakers.length > 0 ? speakers : parts;
  const { index } = first(parts);
  const { at, idle } = leastOf(all);
  const origins = all.flatMap(({ channels }) => channels.origins);
  const ofParts = origins.filter(({ name }) => isPart(name));
  const splits = all.flatMap(({ splits }) => splits === undefined ? [] : [splits]);
  const sinks = all.flatMap(({ sink }) => sink === undefined ? [] : [sink]);
  return {
    index,
    at,
    idle,
    splits: splits.length === 0 ? undefined : {
      at: Math.min(...splits.map(({ at }) => at)),
      saidIdle: splits.every(({ saidIdle }) => saidIdle),
      splits: splits.flatMap(({ splits }) => splits),
    },
    channels: {
      ...leastOf(all.map(({ channels }) => channels)),
      origins: [
        ...origins.filter(({ name }) => !isPart(name)),
        ...ofParts.length === 0 ? [] : [{ name: own, ...joinedOrigin(ofParts) }],
      ],
    },
    sink: sinks.length === 0 ? undefined : joinedSink(sinks),
    spread: spread && ofParts.length === 0,
  };
}

function joinedSink(sinks: readonly SinkTime[]): SinkTime {
  return { ...leastOf(sinks), feed: joinedOrigin(sinks.map(({ feed }) => feed)) };
}

/** Of several, the one furthest back, idle if all are. */
function leastOf(times: readonly { at: number; idle: boolean }[]): { at: number; idle: boolean } {
  return {
    at: Math.min(...times.map(({ at }) => at)),
    idle: times.every(({ idle }) => idle),
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
    const joined = joinedOrigin(of);
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

/** The one furthest back of those that are not idle; it has been quiet for as long as all have. */
function least(times: readonly GeneratorTime[]): GeneratorTime {
  const active = times.filter(({ idle }) => !idle);
  const counted = active.length > 0 ? active : times;
  const quiet = counted.flatMap(({ quietMs }) => quietMs === undefined ? [] : [quietMs]);
  return {
    newest: Math.min(...counted.map(({ newest }) => newest)),
    told: Math.min(...counted.map(({ told }) => told)),
    idle: active.length === 0,
    quietMs: quiet.length < counted.length ? undefined : Math.min(...quiet),
    seenSinceTick: counted.some(({ seenSinceTick }) => seenSinceTick),
    seenSinceProbe: counted.some(({ seenSinceProbe }) => seenSinceProbe),
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
