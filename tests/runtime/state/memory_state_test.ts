import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { handlesOf, StateCursor } from "../../../runtime/state/memory_state.ts";
import { seededRandom } from "../../../runtime/random.ts";
import { KeyedState } from "../../../runtime/state/keyed_state.ts";
import { store } from "../../../runtime/state/state.ts";
import type { Key } from "../../../runtime/key.ts";
import { fc } from "../../deps.ts";

const specs = {
  count: store.value(0),
  list: store.list<number>(),
  map: store.map<string, number>(),
};

function state() {
  const keyed = new KeyedState(specs, seededRandom(1));
  const cursor = new StateCursor(keyed);
  const handles = handlesOf(specs, cursor);
  return { keyed, cursor, handles, begin: (key: Key) => cursor.begin(keyed.keys.slotOf(key, 0)) };
}

/** What handlers see of a key. An entry that comes back after a failed turn may stand elsewhere in a map. */
function seen({ begin, handles }: ReturnType<typeof state>, key: string) {
  begin(key);
  const { count, list, map } = handles;
  assertEquals([list.size, map.size], [[...list].length, [...map.entries()].length]);
  return {
    count: count.value,
    list: [...list],
    map: Object.fromEntries([...map.entries()].sort()),
  };
}

interface Model {
  count: number;
  list: number[];
  map: Record<string, number>;
}

/** Does one thing to the state and to its model. */
type Action = readonly [
  "set" | "clear" | "add" | "clearList" | "put" | "remove" | "clearMap",
  string,
  number,
];

function act(
  { count, list, map }: ReturnType<typeof state>["handles"],
  model: Model,
  [kind, name, number]: Action,
) {
  switch (kind) {
    case "set":
      count.value = model.count = number;
      return;
    case "clear":
      count.clear();
      model.count = 0;
      return;
    case "add":
      list.add(number);
      model.list.push(number);
      return;
    case "clearList":
      list.clear();
      model.list = [];
      return;
    case "put":
      map.set(name, number);
      model.map[name] = number;
      return;
    case "remove":
      map.delete(name);
      delete model.map[name];
      return;
    case "clearMap":
      map.clear();
      model.map = {};
      return;
  }
}

const actions: fc.Arbitrary<Action> = fc.tuple(
  fc.constantFrom("set", "clear", "add", "clearList", "put", "remove", "clearMap"),
  fc.constantFrom("x", "y", "z"),
  fc.integer({ min: 1, max: 9 }),
);
const turns = fc.array(
  fc.record({
    key: fc.constantFrom("a", "b"),
    fails: fc.boolean(),
    actions: fc.array(actions, { maxLength: 6 }),
  }),
  { maxLength: 20 },
);

describe("StateCursor", () => {
  it("keeps what a turn did, or takes all of it back", () => {
    fc.assert(
      fc.property(turns, (turns) => {
        const actual = state();
        const models = new Map<string, Model>([["a", { count: 0, list: [], map: {} }], ["b", {
          count: 0,
          list: [],
          map: {},
        }]]);
        for (const { key, fails, actions } of turns) {
          const model = structuredClone(models.get(key) ?? { count: 0, list: [], map: {} });
          actual.begin(key);
          for (const action of actions) act(actual.handles, model, action);
          // Within the turn it sees its own writes.
          const { count, list } = actual.handles;
          assertEquals([count.value, [...list]], [model.count, model.list]);
          if (fails) actual.cursor.rollback();
          else {
            actual.cursor.commit();
            models.set(key, model);
          }
          for (const [key, model] of models) assertEquals(seen(actual, key), model);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("keeps nothing of a key whose state is all cleared, nor of one whose first turn failed", () => {
    const { keyed, begin, cursor, handles: { count, list, map } } = state();
    const turn = (run: () => void, end: "commit" | "rollback") => {
      begin("a");
      run();
      cursor[end]();
      return keyed.kept;
    };
    assertEquals(turn(() => count.value = 1, "rollback"), 0);
    assertEquals(turn(() => (count.value = 1, list.add(1), map.set("x", 1)), "commit"), 1);
    assertEquals(turn(() => (count.clear(), list.clear()), "commit"), 1);
    assertEquals(turn(() => map.delete("x"), "rollback"), 1);
    assertEquals(turn(() => map.delete("x"), "commit"), 0);
    assertEquals(
      turn(() => (map.delete("x"), count.clear(), list.clear(), map.clear()), "commit"),
      0,
    );
  });

  it("stands for no state at all where none is declared", () => {
    const keyed = new KeyedState({}, seededRandom(1));
    const cursor = new StateCursor(keyed);
    cursor.begin(0);
    cursor.commit();
    cursor.begin(0);
    cursor.rollback();
    assertEquals([keyed.kept, handlesOf({}, cursor)], [0, {}]);
  });

  it("undoes what stands outside of the cells, the last first", () => {
    const { begin, cursor } = state();
    const undone: string[] = [];
    begin("a");
    cursor.onRollback(() => undone.push("committed"));
    cursor.commit();
    begin("a");
    cursor.onRollback(() => undone.push("first"));
    cursor.onRollback(() => undone.push("second"));
    cursor.rollback();
    begin("a");
    cursor.rollback();
    assertEquals(undone, ["second", "first"]);
  });
});

describe("handlesOf()", () => {
  it("gives a value's initial one until it is set, and after undefined", () => {
    const initial = { total: 0 };
    const keyed = new KeyedState({ sum: store.value() }, seededRandom(1));
    const cursor = new StateCursor(keyed);
    const { sum } = handlesOf({ sum: store.value<{ total: number } | undefined>(initial) }, cursor);
    cursor.begin(0);
    assertStrictEquals(sum.value, initial);
    sum.value = { total: 5 };
    assertEquals(sum.value, { total: 5 });
    sum.value = undefined;
    assertStrictEquals(sum.value, initial);
    cursor.commit();
    assertEquals(keyed.kept, 0);
  });

  it("gives back any number, and what is none, from a value that is a number at first", () => {
    const specs = { sum: store.value<unknown>(7), other: store.value(0) };
    const keyed = new KeyedState(specs, seededRandom(1));
    const cursor = new StateCursor(keyed);
    const { sum, other } = handlesOf(specs, cursor);
    cursor.begin(0);
    for (const value of [0, -0, 1.5, Infinity, NaN, "text", 2 ** 60, null, 3]) {
      sum.value = value;
      assertStrictEquals(sum.value, value);
      cursor.commit();
      assertEquals(keyed.kept, 1);
      cursor.begin(0);
      sum.value = "undone";
      sum.value = 12;
      sum.clear();
      cursor.rollback();
      cursor.begin(0);
      assertStrictEquals(sum.value, value);
      assertEquals(other.value, 0);
    }
    sum.clear();
    assertEquals(sum.value, 7);
    cursor.commit();
    assertEquals(keyed.kept, 0);
  });

  it("tells keys apart by type, and gives handles that can't be replaced", () => {
    const { begin, cursor, handles } = state();
    begin(1);
    handles.count.value = 5;
    cursor.commit();
    begin("1");
    assertEquals(handles.count.value, 0);
    assertThrows(() => Object.assign(handles, { count: undefined }), TypeError);
  });
});
