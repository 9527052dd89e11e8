/**
 * What a job takes over of a checkpoint besides keys and positions: calls under way and prepared output of what it still
 * has, broadcast state, and event time of the streams that there still are. Pure.
 *
 * | in the checkpoint | in the job | |
 * |---|---|---|
 * | calls of a `mapAsync` under way | not there, or behind another operator | only with leave to drop them |
 * | the same, of a source's records | the source does not go on | dropped with it |
 * | prepared output of a sink | not there, or another sink | only with leave to drop it |
 * | what a shard or operator said of event time | does not feed the operator any more | not waited for |
 *
 * @module
 */

import type { JobPlan, PlannedStage } from "../stage_plan.ts";
import type { GateTime } from "../time/gate_watermark.ts";
import { counted, type Fit, type FitOptions, isByPlace, RestoreCheck } from "./fit_checkpoint.ts";
import type { Manifest } from "./manifest.ts";
import type { RestOfCheckpoint } from "./rest_of_checkpoint.ts";
import type { StageTime } from "./stage_times.ts";
import type { PendingCall } from "./worker_snapshot.ts";

/** The rest that a job takes over. */
export interface FittedRest {
  readonly rest: RestOfCheckpoint;
  /** What was dropped, for people. */
  readonly dropped: readonly string[];
}

/**
 * Matches the rest of a checkpoint with a job.
 *
 * @param options `fit`: of the same checkpoint and job
 * @throws {RestoreError} if there are calls or prepared output that the job has no use for, and they may not be dropped
 */
export function fitRest(
  { manifest, rest }: { readonly manifest: Manifest; readonly rest: RestOfCheckpoint },
  plan: JobPlan,
  { fit, ...options }: FitOptions & { readonly fit: Fit },
): FittedRest {
  const check = new RestoreCheck(manifest, plan, options);
  const isMoved = placesOf(manifest.operators) !== placesOf(plan.stages);
  const stages = rest.stages.flatMap((time) => {
    const stage = isMoved && isByPlace(time.name)
      ? undefined
      : plan.stages.find(({ name }) => name === time.name);
    const goesOn = stage?.kind !== "source" || fit.sources.includes(stage.name);
    const pending = goesOn ? time.pending.filter((call) => isOf(call, stage)) : [];
    dropCalls(time, time.pending.filter((call) => !pending.includes(call)), stage, check);
    if (stage === undefined || !goesOn) return [];
    const inputs = time.inputs.map((input, number) =>
      withOrigins(input, feedersOf(plan, fit, stage.name, number), plan)
    );
    return [{ ...time, pending, inputs, broadcast: broadcastOf(time, fit) }];
  });
  return { rest: { stages, sinks: fitSinks(manifest, rest, plan, check) }, dropped: check.dropped };
}

/** Operators that are called by their place: where those have changed, a name may mean another one. */
function placesOf(stages: readonly { readonly name: string }[]): string {
  return stages.flatMap(({ name }) => isByPlace(name) ? [name] : []).join();
}

function isOf({ operator, owner }: PendingCall, stage: PlannedStage | undefined): boolean {
  if (stage === undefined || !stage.calls.includes(operator)) return false;
  // A broadcast record has no key group: only what has a broadcast input has a place for its calls.
  return typeof owner === "string" || owner >= 0 || stage.broadcast !== undefined;
}

function dropCalls(
  { name }: StageTime,
  calls: readonly PendingCall[],
  stage: PlannedStage | undefined,
  check: RestoreCheck,
): void {
  for (const [operator, { length }] of Map.groupBy(calls, ({ operator }) => operator)) {
    const why = stage === undefined
      ? `${belong(length)} behind "${name}", which is not in the job any more`
      : stage.calls.includes(operator)
      ? `${belong(length)} to records of "${name}" that the job does not go on from`
      : `${belong(length)} behind "${name}", where the job has no such mapAsync any more`;
    check.drop(
      `${counted(length, "call")} of mapAsync "${operator}" under way`,
      why,
      "keep it there until they are done, or stop the old job, which waits for them",
    );
  }
}

function belong(count: number): string {
  return count === 1 ? "belongs" : "belong";
}

function broadcastOf({ name, broadcast }: StageTime, fit: Fit): StageTime["broadcast"] {
  const { droppedBroadcast = [] } = fit.operators.find((other) => other.name === name) ?? {};
  if (broadcast === undefined || droppedBroadcast.length === 0) return broadcast;
  return Object.fromEntries(
    Object.entries(broadcast).filter(([state]) => !droppedBroadcast.includes(state)),
  );
}

function fitSinks(
  manifest: Manifest,
  { sinks }: RestOfCheckpoint,
  plan: JobPlan,
  check: RestoreCheck,
): RestOfCheckpoint["sinks"] {
  const planned = plan.deadLetters === undefined ? plan.sinks : [...plan.sinks, plan.deadLetters];
  const kept = Object.entries(sinks).filter(([name, prepared]) => {
    const was = manifest.sinks.find((sink) => sink.name === name);
    const is = planned.find((sink) => sink.name === name);
    const label = was === undefined ? `sink "${name}"` : `sink "${name}" (${was.kind} "${was.of}")`;
    if (is !== undefined && (was === undefined || (is.kind === was.kind && is.of === was.of))) {
      return true;
    }
    check.drop(
      `output of ${counted(prepared.length, "worker")} that ${label} had prepared`,
      is === undefined
        ? "can't be committed, as the sink is not in the job any more"
        : `can't be committed, as the sink is ${is.kind} "${is.of}" in the job`,
      "keep the sink as it was until the job has taken a checkpoint or was stopped; output that was committed " +
        "before is not lost",
    );
    return false;
  });
  return Object.fromEntries(kept);
}

/** Who feeds an input, sources that begin anew left out. */
function feedersOf(
  plan: JobPlan,
  fit: Fit,
  stage: string,
  input: number,
): ReadonlySet<string> {
  const isNew = (name: string) =>
    plan.sources.some((source) => source.name === name) && !fit.sources.includes(name);
  return new Set(
    plan.edges.flatMap((edge) =>
      edge.to === stage && edge.input === input && !isNew(edge.from) ? [edge.from] : []
    ),
  );
}

/** An input without the origins that do not feed it any more: nobody would ever hear of them again. */
function withOrigins(
  { splits, channels }: GateTime,
  feeders: ReadonlySet<string>,
  plan: JobPlan,
): GateTime {
  return {
    splits: Object.fromEntries(Object.entries(splits).filter(([source]) => feeders.has(source))),
    channels: {
      ...channels,
      origins: channels.origins.filter(({ name }) => feeders.has(feederOf(name, plan))),
    },
  };
}

/** The source or operator that an origin is of. */
function feederOf(origin: string, { stages }: JobPlan): string {
  const of = stages.find(({ name, kind }) =>
    kind === "source"
      ? origin === name || origin.startsWith(`${name}/`)
      : origin.slice(0, Math.max(0, origin.lastIndexOf("@"))) === name
  );
  return of?.name ?? "";
}
