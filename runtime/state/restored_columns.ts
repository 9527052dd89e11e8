/**
 * Whether what a checkpoint has of keys fits what the operator declares.
 *
 * @module
 */

import type { KeyChanges } from "./key_changes.ts";
import type { StateSpec } from "./state.ts";

/**
 * The column of each declared state; undefined where there is none.
 *
 * @throws {RangeError} if there is state that is not declared
 * @throws {TypeError} if a list or map is declared where the content is something else
 *
 * @example A state that is new, and one that is stored
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { restoredColumns } from "./restored_columns.ts";
 * const stored = { states: ["sum"], keys: ["a"], deleted: [], cells: [[5]], timers: [undefined] };
 * assertEquals(restoredColumns(stored, ["seen", "sum"], ["list", "value"]), [undefined, [5]]);
 * ```
 */
export function restoredColumns(
  { states, cells, keys }: KeyChanges,
  declared: readonly string[],
  kinds: readonly StateSpec<unknown>["kind"][],
): (readonly unknown[] | undefined)[] {
  const quoted = (names: readonly string[]) => names.map((name) => JSON.stringify(name)).join(", ");
  const unknown = states.filter((name) => !declared.includes(name));
  if (unknown.length > 0) {
    const known = declared.length === 0 ? "no state" : quoted(declared);
    throw new RangeError(
      `Cannot restore state ${quoted(unknown)}: the operator declares ${known}; ` +
        "declare it again, or drop it from what is restored",
    );
  }
  return declared.map((name, state) => {
    const column = cells[states.indexOf(name)];
    const kind = kinds[state];
    if (column === undefined || kind === undefined || kind === "value") return column;
    const row = column.findIndex((content) =>
      content !== undefined &&
      !(kind === "list" ? Array.isArray(content) : content instanceof Map)
    );
    if (row < 0) return column;
    throw new TypeError(
      `Cannot restore state ${quoted([name])} of key ${
        JSON.stringify(keys[row])
      }: it is declared as a ${kind}, ` +
        "and what is stored is none; give the state a new name, or drop it from what is restored",
    );
  });
}
