/**
 * Whether a job can go on from a checkpoint: operators, state, sources and sinks are matched by name. Nothing is dropped
 * unless that is allowed, and nothing is read as something else. Pure.
 *
 * | in the checkpoint | in the job | |
 * |---|---|---|
 * | an operator or source | not there | only with leave to drop it |
 * | state | not there | only with leave to drop it |
 * | state of a lower version | `migrate` declared | migrated |
 * | state of a lower version | no `migrate` | refused |
 * | state of a higher version | | refused |
 * | state of another kind or type, same version | | refused |
 * | not there | an operator, state or source | begins empty, or where the source begins |
 *
 * @module
 */

import type { JobPlan, PlannedStage, PlannedState } from "../stage_plan.ts";
import type { Manifest } from "./manifest.ts";

/** A job can't go on from a checkpoint. The message says why and what can be done. */
export class RestoreError extends Error {
  override readonly name = "RestoreError";
}

/** How an operator goes on. */
export interface FittedOperator {
  readonly name: string;
  /** State of the checkpoint that is not restored. */
  readonly dropped: readonly string[];
  /** State that is migrated, with the version that the checkpoint has. */
  readonly migrated: Readonly<Record<string, number>>;
}

/** What a job takes over of a checkpoint. */
export interface Fit {
  readonly operators: readonly FittedOperator[];
  /** Sources that go on from their positions. */
  readonly sources: readonly string[];
  /** What was dropped, for people. */
  readonly dropped: readonly string[];
}

/** A checkpoint and what is to be done with it. */
export interface FitOptions {
  /** Whether state of operators and positions of sources that the job no longer has may be dropped. */
  readonly allowDroppedState: boolean;
}

/**
 * Matches a checkpoint with a job.
 *
 * @throws {RestoreError} if they don't fit
 */
export function fitCheckpoint(manifest: Manifest, plan: JobPlan, options: FitOptions): Fit {
  const which = `${manifest.kind} ${manifest.id}`;
  const refuse = (what: string, remedy: string): never => {
    throw new RestoreError(`Cannot start job "${plan.job}" from ${which}: ${what}; ${remedy}`);
  };
  if (manifest.job !== plan.job) {
    refuse(`it is of job "${manifest.job}"`, "give one of this job, or the job that name");
  }
  if (manifest.maxParallelism !== plan.maxParallelism) {
    refuse(
      `it has ${manifest.maxParallelism} key groups and the job ${plan.maxParallelism}`,
      `set maxParallelism to ${manifest.maxParallelism}, or start without the checkpoint`,
    );
  }
  const dropped: string[] = [];
  const drop = (what: string) => {
    if (!options.allowDroppedState) {
      refuse(
        `${what} is not in the job any more`,
        "give it its name back, or allow dropped state (--allow-dropped-state)",
      );
    }
    dropped.push(what);
  };
  const stages = new Map(plan.stages.map((stage) => [stage.name, stage]));
  const operators = manifest.operators.flatMap((operator) => {
    const stage = stages.get(operator.name);
    if (stage?.kind === "keyed") return [fitOperator(operator, stage, refuse, drop)];
    if (operator.keys > 0) drop(`operator "${operator.name}" with ${operator.keys} keys`);
    return [];
  });
  const sources = manifest.sources.flatMap(({ name, kind, of }) => {
    const source = plan.sources.find((other) => other.name === name);
    if (source === undefined) drop(`source "${name}" (${kind} "${of}")`);
    else if (source.kind === kind && source.of === of) return [name];
    else {
      drop(`source "${name}" reading ${kind} "${of}" (now ${source.kind} "${source.of}")`);
    }
    return [];
  });
  return { operators, sources, dropped };
}

type Operator = Manifest["operators"][number];

function fitOperator(
  operator: Operator,
  stage: PlannedStage,
  refuse: (what: string, remedy: string) => never,
  drop: (what: string) => void,
): FittedOperator {
  const dropped: string[] = [];
  const migrated: Record<string, number> = {};
  for (const state of operator.states) {
    const now = stage.states.find(({ name }) => name === state.name);
    const name = `state "${state.name}" of operator "${operator.name}"`;
    if (now === undefined) {
      if (operator.keys > 0) drop(name);
      dropped.push(state.name);
      continue;
    }
    if (operator.keys === 0) continue;
    const [was, is] = [described(state), described(now)];
    if (state.version > now.version) {
      refuse(
        `${name} is of version ${state.version} there and ${now.version} in the job`,
        "start the newer version of the job",
      );
    }
    if (state.version < now.version) {
      if (!now.migrates) {
        refuse(
          `${name} is of version ${state.version} there and ${now.version} in the job`,
          `declare it with migrate(content, version) for content of version ${state.version}`,
        );
      }
      migrated[state.name] = state.version;
    } else if (was !== is) {
      refuse(
        `${name} is ${was} there and ${is} in the job, both of version ${state.version}`,
        `raise its version to ${state.version + 1} and declare migrate(content, version)`,
      );
    }
  }
  return { name: operator.name, dropped, migrated };
}

/** The kind of state, and for a value its type if that is declared by what it is before it is set. */
function described({ kind, holds }: PlannedState): string {
  return kind === "value" && holds !== "undefined" ? `a value of type ${holds}` : `a ${kind}`;
}
