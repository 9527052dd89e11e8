import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { KeyChanges } from "../../../runtime/state/key_changes.ts";
import { restoredColumns } from "../../../runtime/state/restored_columns.ts";

const stored = (states: string[], ...cells: unknown[][]): KeyChanges => ({
  states,
  deleted: [],
  keys: ["a", 7],
  cells,
  timers: [undefined, undefined],
});

describe("restoredColumns()", () => {
  it("gives columns in the order of declaration, none for what is new", () => {
    const changes = stored(["b", "a"], [1, 2], [[3], undefined]);
    assertEquals(restoredColumns(changes, ["a", "new", "b"], ["list", "map", "value"]), [
      [[3], undefined],
      undefined,
      [1, 2],
    ]);
  });

  it("refuses state that is not declared, by name", () => {
    const changes = stored(["a", "old", "older"], [1, 2], [1, 2], [1, 2]);
    const thrown = assertThrows(() => restoredColumns(changes, ["a"], ["value"]), RangeError);
    assertEquals(
      thrown.message,
      'Cannot restore state "old", "older": the operator declares "a"; declare it again, or drop it from what is restored',
    );
    assertThrows(() => restoredColumns(changes, [], []), RangeError, "declares no state");
  });

  it("refuses a list or map where something else is stored", () => {
    for (const [kind, fits] of [["list", [1]], ["map", new Map()]] as const) {
      assertThrows(
        () => restoredColumns(stored(["a"], [fits, 5]), ["a"], [kind]),
        TypeError,
        `Cannot restore state "a" of key 7: it is declared as a ${kind}`,
      );
    }
  });
});
