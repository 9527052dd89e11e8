/**
 * What a checkpoint has of one key. Pure.
 *
 * @module
 */

import type { LoadedCheckpoint } from "../checkpoint/loaded_checkpoint.ts";
import type { Key } from "../key.ts";
import type { KeyTimer } from "../state/group_timers.ts";
import { readChain } from "../state/key_chain.ts";
import { contentText } from "./inspected_checkpoint.ts";

/** State and timers of a key in one operator. */
export interface InspectedKey {
  readonly operator: string;
  readonly key: Key;
  readonly group: number;
  /** By name: a value, the array of a list, or a Map; what is not set is not there. */
  readonly state: Readonly<Record<string, unknown>>;
  readonly timers: readonly KeyTimer[];
}

/** A key in all operators that have it, found by its string form: there may be a number and a string of that form. */
export function inspectedKey(loaded: LoadedCheckpoint, text: string): InspectedKey[] {
  return loaded.manifest.chunks.flatMap(({ operator, group }) => {
    const { states, keys, cells, timers } = readChain(loaded.chunks(operator, group));
    return keys.flatMap((key, row): InspectedKey[] => {
      if (String(key) !== text) return [];
      const state = states.flatMap((name, at) => {
        const content = cells[at]?.[row];
        return content === undefined ? [] : [[name, content]];
      });
      return [{
        ...{ operator, key, group },
        state: Object.fromEntries(state),
        timers: timers[row] ?? [],
      }];
    });
  });
}

/**
 * The same for a terminal.
 *
 * @example A sum
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { keyText } from "./inspected_key.ts";
 * const key = { operator: "total", key: "ann", group: 7, state: { sum: 5 }, timers: [] };
 * assertEquals(keyText(key), 'total, key "ann" in key group 7\n  sum  5');
 * ```
 */
export function keyText({ operator, key, group, state, timers }: InspectedKey): string {
  const lines = [
    `${operator}, key ${typeof key === "string" ? JSON.stringify(key) : key} in key group ${group}`,
    ...Object.entries(state).map(([name, content]) => `  ${name}  ${contentText(content, "  ")}`),
    ...timers.map(({ domain, name, at }) =>
      `  timer${name === "" ? "" : ` ${JSON.stringify(name)}`} at ${at} of ${domain} time`
    ),
  ];
  return lines.join("\n");
}
