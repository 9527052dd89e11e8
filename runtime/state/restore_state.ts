/**
 * Putting a stage's keys back from a checkpoint: what the job no longer declares is left out, and what it declares in a
 * newer version is migrated.
 *
 * @module
 */

import type { RestoredStage } from "../checkpoint/worker_snapshot.ts";
import type { BroadcastState } from "./broadcast_state.ts";
import type { KeyChanges } from "./key_changes.ts";
import { readChain } from "./key_chain.ts";
import type { KeyedState } from "./keyed_state.ts";
import type { StateSpec, StateSpecs } from "./state.ts";

/** What is restored of a stage's keys. */
export type RestoredKeys = Pick<RestoredStage, "groups" | "dropped" | "migrated" | "anew">;

/**
 * Restores keys and their timers.
 *
 * @param operator for messages
 * @throws {Error} if `migrate` throws, or gives what is no content of the state, naming operator, state and key
 */
export function restoreState(
  state: KeyedState,
  { groups, dropped, migrated, anew }: RestoredKeys,
  specs: StateSpecs,
  operator: string,
): void {
  for (const { group, chain } of groups) {
    const changes = withoutStates(readChain(chain), dropped);
    state.restore(withMigrated(changes, migrated, specs, operator), () => group);
  }
  if (anew) state.changed.takeWholeNext();
}

function withoutStates(changes: KeyChanges, dropped: readonly string[]): KeyChanges {
  if (dropped.length === 0) return changes;
  const kept = changes.states.flatMap((name, at) => dropped.includes(name) ? [] : [at]);
  return {
    ...changes,
    states: kept.map((at) => changes.states[at] ?? ""),
    cells: kept.map((at) => changes.cells[at] ?? []),
  };
}

function withMigrated(
  changes: KeyChanges,
  migrated: RestoredKeys["migrated"],
  specs: StateSpecs,
  operator: string,
): KeyChanges {
  if (Object.keys(migrated).length === 0) return changes;
  const cells = changes.states.map((name, at) => {
    const column = changes.cells[at] ?? [];
    const [version, spec] = [migrated[name], specs[name]];
    if (version === undefined || spec === undefined) return column;
    const state = `state "${name}" of operator "${operator}"`;
    return column.map((content, row) =>
      migratedContent(content, version, spec, () => [
        state,
        ` for key ${JSON.stringify(changes.keys[row])}`,
      ])
    );
  });
  return { ...changes, cells };
}

/** @param what which state, and whose, for the message */
function migratedContent(
  content: unknown,
  version: number,
  spec: StateSpec<unknown>,
  what: () => readonly [state: string, whose: string],
): unknown {
  if (content === undefined) return undefined;
  try {
    return contentOf(spec, spec.migrate?.(content, version));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const [state, whose] = what();
    throw new Error(
      `Cannot migrate ${state} from version ${version} to ${spec.version}${whose}: ${reason}; correct its migrate()`,
      { cause },
    );
  }
}

/**
 * Restores a worker's copy of an operator's broadcast state.
 *
 * @param operator for messages
 * @throws {Error} if `migrate` throws, or gives what is no content of the state, naming operator and state
 */
export function restoreBroadcast(
  state: BroadcastState,
  { broadcast = {}, migratedBroadcast = {} }: Pick<
    RestoredStage,
    "broadcast" | "migratedBroadcast"
  >,
  specs: StateSpecs,
  operator: string,
): void {
  const content = Object.entries(broadcast).map(([name, value]) => {
    const [version, spec] = [migratedBroadcast[name], specs[name]];
    if (version === undefined || spec === undefined) return [name, value];
    const what = `broadcast state "${name}" of operator "${operator}"`;
    return [name, migratedContent(value, version, spec, () => [what, ""])];
  });
  state.restore(Object.fromEntries(content));
}

/** What a migration gave, as state keeps it: nothing for an empty list or map. */
function contentOf({ kind }: StateSpec<unknown>, content: unknown): unknown {
  if (content === undefined || kind === "value") return content;
  if (kind === "list" && Array.isArray(content)) {
    return content.length === 0 ? undefined : [...content];
  }
  if (kind === "map" && content instanceof Map) {
    return content.size === 0 ? undefined : new Map(content);
  }
  throw new TypeError(
    `it gave ${typeof content}, expected ${kind === "list" ? "an array" : "a Map"}`,
  );
}
