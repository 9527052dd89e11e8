import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { seededRandom } from "../../../runtime/random.ts";
import { BroadcastState } from "../../../runtime/state/broadcast_state.ts";
import {
  type ListState,
  type MapState,
  store,
  type ValueState,
} from "../../../runtime/state/state.ts";

const SPECS = {
  limit: store.value(7),
  other: store.value(0),
  text: store.value<string>(),
  list: store.list<number>(),
  map: store.map<string, number>(),
};

function opened() {
  const state = new BroadcastState(SPECS, seededRandom(1));
  const { handles } = state;
  return {
    state,
    limit: handles["limit"] as ValueState<unknown>,
    other: handles["other"] as ValueState<number>,
    text: handles["text"] as ValueState<string | undefined>,
    list: handles["list"] as ListState<number>,
    map: handles["map"] as MapState<string, number>,
  };
}

function written() {
  const all = opened();
  all.other.value = 3;
  all.text.value = "a";
  all.list.add(1);
  all.map.set("x", 1);
  all.state.commit();
  return all;
}

describe("BroadcastState", () => {
  it("has what calls wrote that succeeded, and nothing of those that failed", () => {
    const { state, limit, other, list, map } = written();
    limit.value = 9;
    other.clear();
    list.add(2);
    map.delete("x");
    map.set("y", 2);
    state.rollback();
    assertEquals([limit.value, other.value, [...list], [...map.entries()]], [7, 3, [1], [[
      "x",
      1,
    ]]]);
    limit.value = 8;
    list.add(5);
    state.commit();
    assertEquals([limit.value, [...list]], [8, [1, 5]]);
    list.clear();
    state.rollback();
    assertEquals([...list], [1, 5]);
    state.close();
  });

  it("undoes the very first writes", () => {
    const { state, other, map } = opened();
    other.value = 1;
    map.set("x", 1);
    state.rollback();
    assertEquals([other.value, map.size, state.snapshot()], [0, 0, {}]);
    state.close();
  });

  it("gives a snapshot of what is set, which later changes leave as it is", () => {
    const { state, list, map, limit } = written();
    const snapshot = state.snapshot();
    const expected = { other: 3, text: "a", list: [1], map: new Map([["x", 1]]) };
    assertEquals(snapshot, expected);
    list.add(2);
    map.set("y", 2);
    limit.value = "not a number";
    state.commit();
    assertEquals(snapshot, expected);
    assertEquals(state.snapshot(), {
      limit: "not a number",
      other: 3,
      text: "a",
      list: [1, 2],
      map: new Map([["x", 1], ["y", 2]]),
    });
    state.close();
  });

  it("takes a snapshot back, in place of all that was there, as a copy", () => {
    const snapshot = { limit: 5, list: [1, 2], map: new Map([["z", 9]]) };
    const { state, limit, other, text, list, map } = written();
    state.restore(snapshot);
    assertEquals([limit.value, other.value, text.value, [...list], map.get("z"), map.size], [
      ...[5, 0, undefined],
      ...[[1, 2], 9, 1],
    ]);
    list.add(3);
    map.set("a", 1);
    state.rollback();
    list.add(4);
    state.commit();
    assertEquals(snapshot, { limit: 5, list: [1, 2], map: new Map([["z", 9]]) });
    state.restore({ limit: "text" });
    assertEquals(state.snapshot(), { limit: "text" });
    state.close();
  });

  it("refuses what is no snapshot of this state, and stays as it was", () => {
    const { state } = written();
    const before = state.snapshot();
    assertThrows(
      () => state.restore({ other: 1, gone: 1 }),
      RangeError,
      'Cannot restore broadcast state "gone": it is not declared; found "limit", "other"',
    );
    const wrong = 'Cannot restore broadcast state "map": found object, expected a Map';
    assertThrows(() => state.restore({ other: 1, map: {} }), TypeError, wrong);
    assertThrows(
      () => state.restore({ list: new Map() }),
      TypeError,
      "expected an array for a list",
    );
    assertEquals(state.snapshot(), before);
    state.close();
  });
});
