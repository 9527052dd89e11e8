import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  type ListState,
  type MapState,
  type StateSpec,
  store,
  type ValueState,
} from "../../../runtime/state/state.ts";

describe("store", () => {
  it("declares values, lists and maps, and compiles to their handles", () => {
    const count: StateSpec<ValueState<number>> = store.value(0);
    const latest: StateSpec<ValueState<string | undefined>> = store.value<string>();
    const seen: StateSpec<ListState<string>> = store.list<string>();
    const totals: StateSpec<MapState<string, number>> = store.map<string, number>();
    assertEquals([count, latest, seen, totals].map(({ kind, initial }) => [kind, initial]), [
      ["value", 0],
      ["value", undefined],
      ["list", undefined],
      ["map", undefined],
    ]);
  });

  it("freezes an initial value, which all keys share", () => {
    const initial = { total: 0 };
    store.value(initial);
    assertThrows(() => initial.total++, TypeError);
  });
});
