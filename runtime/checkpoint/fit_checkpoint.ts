/**
 * Whether a job can go on from a checkpoint: operators, state, sources and sinks are matched by name. Nothing is dropped
 * unless that is allowed, and nothing is read as something else. What a manifest does not tell, calls under way and
 * prepared output, is in `fit_rest.ts`. Pure.
 *
 * | in the checkpoint | in the job | |
 * |---|---|---|
 * | an operator or source | not there | only with leave to drop it |
 * | state, broadcast state | not there | only with leave to drop it |
 * | timers | no `onTimer` | only with leave to drop them |
 * | state of a lower version | `migrate` declared | migrated |
 * | state of a lower version | no `migrate` | refused |
 * | state of a higher version | | refused |
 * | state of another kind or type, same version | | refused |
 * | keys hashed in another way | | refused |
 * | a key function with another text | | a warning: it may give the same keys |
 * | not there | an operator, state or source | begins empty, or where the source begins |
 *
 * @module
 */

import type { EvolvingState, JobPlan, PlannedStage, PlannedState } from "../stage_plan.ts";
import type { Manifest, ManifestOperator, ManifestSource, ManifestState } from "./manifest.ts";

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
  /** The same of broadcast state; none unless said. */
  readonly droppedBroadcast?: readonly string[];
  readonly migratedBroadcast?: Readonly<Record<string, number>>;
  /** What its key functions were and are, as texts, where that has changed: other keys would find no state. */
  readonly keysChanged?: { readonly was: readonly string[]; readonly is: readonly string[] };
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
  /** Whether what the job no longer has may be dropped: state, positions of sources, calls under way, prepared output. */
  readonly allowDroppedState: boolean;
}

/** What can't be taken over of a checkpoint: refused, or dropped where that is allowed. */
export class RestoreCheck {
  /** What was dropped, for people. */
  readonly dropped: string[] = [];
  readonly #attempt: string;
  readonly #allowDroppedState: boolean;

  constructor(manifest: Manifest, plan: JobPlan, { allowDroppedState }: FitOptions) {
    this.#attempt = `Cannot start job "${plan.job}" from ${manifest.kind} ${manifest.id}`;
    this.#allowDroppedState = allowDroppedState;
  }

  /** @throws {RestoreError} always */
  refuse(what: string, remedy: string): never {
    throw new RestoreError(`${this.#attempt}: ${what}; ${remedy}`);
  }

  /**
   * Drops something.
   *
   * @param why it can't be taken over
   * @throws {RestoreError} if that is not allowed
   */
  drop(what: string, why = "is not in the job any more", remedy = "give it its name back"): void {
    if (!this.#allowDroppedState) {
      this.refuse(`${what} ${why}`, `${remedy}, or allow dropped state (--allow-dropped-state)`);
    }
    this.dropped.push(what);
  }
}

/**
 * Matches a checkpoint with a job.
 *
 * @throws {RestoreError} if they don't fit
 */
export function fitCheckpoint(manifest: Manifest, plan: JobPlan, options: FitOptions): Fit {
  const check = new RestoreCheck(manifest, plan, options);
  if (manifest.job !== plan.job) {
    check.refuse(`it is of job "${manifest.job}"`, "give one of this job, or the job that name");
  }
  if (manifest.maxParallelism !== plan.maxParallelism) {
    check.refuse(
      `it has ${manifest.maxParallelism} key groups and the job ${plan.maxParallelism}`,
      `set maxParallelism to ${manifest.maxParallelism}, or start without the checkpoint`,
    );
  }
  const stages = new Map(plan.stages.map((stage) => [stage.name, stage]));
  const known = new Set([...manifest.operators, ...manifest.sources].map(({ name }) => name));
  const fresh = (kind: PlannedStage["kind"]) =>
    plan.stages.flatMap((stage) =>
      stage.kind === kind && !known.has(stage.name) && !isByPlace(stage.name) ? [stage.name] : []
    );
  const operators = manifest.operators.flatMap((operator) => {
    const stage = stages.get(operator.name);
    if (stage?.kind === "keyed") {
      const was = operator.keyedBy;
      const is = keysOf(plan, stage.name);
      const isSame = was === undefined || operator.keys === 0 || was.join("\n") === is.join("\n");
      const fitted = fitOperator(operator, stage, check);
      return [isSame ? fitted : { ...fitted, keysChanged: { was, is } }];
    }
    const has = contentsOf(operator);
    if (has.length > 0) {
      const what = `operator "${operator.name}" with ${has.join(" and ")}`;
      check.drop(what, `is not in the job any more${whereNew("operator", fresh("keyed"))}`);
    }
    return [];
  });
  const sources = manifest.sources.flatMap((source) =>
    fitsSource(source, plan, fresh("source"), check) ? [source.name] : []
  );
  return { operators, sources, dropped: check.dropped };
}

/** The key functions of an operator, each once, as the plan quotes them. */
export function keysOf({ edges }: JobPlan, operator: string): readonly string[] {
  const texts = edges.flatMap((edge) => edge.to === operator && "key" in edge ? [edge.key] : []);
  return [...new Set(texts)].toSorted();
}

/** Whether a keyed stage is called by its place in the job, since it keeps nothing. */
export function isByPlace(name: string): boolean {
  return /^pipe-\d+$/.test(name);
}

/** What was perhaps renamed to. */
function whereNew(what: string, names: readonly string[]): string {
  if (names.length === 0) return "";
  const list = names.map((name) => `"${name}"`).join(", ");
  return `, where ${what}${names.length > 1 ? "s" : ""} ${list} ${
    names.length > 1 ? "are" : "is"
  } new`;
}

/** What an operator has, for people. */
function contentsOf({ keys, timers = 0, broadcast = [] }: ManifestOperator): string[] {
  return [
    ...(keys > 0 ? [counted(keys, "key")] : []),
    ...(timers > 0 ? [counted(timers, "timer")] : []),
    ...broadcast.map(({ name }) => `broadcast state "${name}"`),
  ];
}

/** So many of something, for people. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function fitsSource(
  { name, kind, of }: ManifestSource,
  plan: JobPlan,
  fresh: readonly string[],
  check: RestoreCheck,
): boolean {
  const source = plan.sources.find((other) => other.name === name);
  if (source === undefined) {
    check.drop(
      `source "${name}" (${kind} "${of}")`,
      `is not in the job any more${whereNew("source", fresh)}`,
    );
    return false;
  }
  if (source.kind === kind && source.of === of) return true;
  check.drop(
    `source "${name}" reading ${kind} "${of}" (now ${source.kind} "${source.of}")`,
    "is not in the job any more",
    `let it read ${kind} "${of}" again`,
  );
  return false;
}

function fitOperator(
  operator: ManifestOperator,
  stage: PlannedStage,
  check: RestoreCheck,
): FittedOperator {
  const of = `of operator "${operator.name}"`;
  const [was, is] = [operator.hash ?? "string", stage.hash ?? "string"];
  if (operator.keys > 0 && was !== is) {
    check.refuse(
      `${counted(operator.keys, "key")} ${of} ${
        operator.keys === 1 ? "is" : "are"
      } hashed as ${was} there and as ${is} in the job, so that state would not be found`,
      `give its keyBy hash "${was}" again, or start without the checkpoint`,
    );
  }
  const { timers = 0 } = operator;
  if (timers > 0 && stage.firesTimers !== true) {
    check.drop(
      `${counted(timers, "timer")} ${of}`,
      `can't fire, as it has no onTimer in the job`,
      "give it its onTimer back until they have fired",
    );
  }
  const keyed = fitStates(operator.states, stage.states, {
    isKept: operator.keys > 0,
    named: (state) => `state "${state}" ${of}`,
    check,
  });
  if (operator.broadcast === undefined) return { name: operator.name, ...keyed };
  const broadcast = fitStates(operator.broadcast, stage.broadcast ?? [], {
    isKept: true,
    named: (state) => `broadcast state "${state}" ${of}`,
    check,
  });
  return {
    name: operator.name,
    ...keyed,
    droppedBroadcast: broadcast.dropped,
    migratedBroadcast: broadcast.migrated,
  };
}

function fitStates(
  before: readonly ManifestState[],
  after: readonly EvolvingState[],
  { isKept, named, check }: {
    /** Whether there may be content. */
    isKept: boolean;
    named: (state: string) => string;
    check: RestoreCheck;
  },
): Pick<FittedOperator, "dropped" | "migrated"> {
  const dropped: string[] = [];
  const migrated: Record<string, number> = {};
  for (const state of before) {
    const now = after.find(({ name }) => name === state.name);
    const name = named(state.name);
    if (now === undefined) {
      if (isKept) check.drop(name);
      dropped.push(state.name);
      continue;
    }
    if (!isKept) continue;
    const [was, is] = [described(state), described(now)];
    const versions = `is of version ${state.version} there and ${now.version} in the job`;
    if (state.version > now.version) {
      check.refuse(`${name} ${versions}`, "start the newer version of the job");
    }
    if (state.version < now.version) {
      if (!now.migrates) {
        check.refuse(
          `${name} ${versions}`,
          `declare it with migrate(content, version) for content of version ${state.version}`,
        );
      }
      migrated[state.name] = state.version;
    } else if (was !== is) {
      check.refuse(
        `${name} is ${was} there and ${is} in the job, both of version ${state.version}`,
        `raise its version to ${state.version + 1} and declare migrate(content, version)`,
      );
    }
  }
  return { dropped, migrated };
}

/** The kind of state, and for a value its type if that is declared by what it is before it is set. */
function described({ kind, holds }: PlannedState): string {
  return kind === "value" && holds !== "undefined" ? `a value of type ${holds}` : `a ${kind}`;
}
