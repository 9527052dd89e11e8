import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { seededRandom } from "../../../runtime/random.ts";
import { GroupChanges } from "../../../runtime/state/group_changes.ts";
import { KeyedState } from "../../../runtime/state/keyed_state.ts";
import { store } from "../../../runtime/state/state.ts";

/** Keys 0, 1, ... of group 7 in slots of the same numbers. */
function restored(counts: unknown[], lasts: unknown[] = counts.map(() => undefined)): KeyedState {
  const state = new KeyedState(
    { count: store.value(0), last: store.value<unknown>(), seen: store.list<number>() },
    seededRandom(1),
  );
  const seen = counts.map((_, key) => [key]);
  state.restore({
    ...{ states: ["count", "last", "seen"], deleted: [], keys: counts.map((_, key) => key) },
    ...{ cells: [counts, lasts, seen], timers: counts.map(() => undefined) },
  }, () => 7);
  return state;
}

function add(changes: GroupChanges, state: KeyedState, slot: number): void {
  changes.add(slot, state.marksOf(slot));
}

describe("GroupChanges", () => {
  it("has numbers as numbers, with gaps, captured ones first", () => {
    const state = restored([5, undefined, -0, 0.5]);
    const changes = new GroupChanges(state, 7);
    changes.capture(2);
    changes.capture(1);
    add(changes, state, 0);
    add(changes, state, 3);
    const { keys, cells: [count, last, seen] } = changes.read();
    assertEquals(keys, [2, 1, 0, 3]);
    assertEquals(count, new Float64Array([-0, NaN, 5, 0.5]));
    assertEquals(last, keys.map(() => undefined));
    assertEquals(seen, [[2], [1], [0], [3]]);
  });

  for (const other of ["text", NaN, null]) {
    it(`has a number state's ${other} beside its numbers, captured or not`, () => {
      for (const isCaptured of [true, false]) {
        const state = restored([5, other, undefined]);
        const changes = new GroupChanges(state, 7);
        if (isCaptured) changes.capture(1);
        else add(changes, state, 1);
        add(changes, state, 0);
        add(changes, state, 2);
        assertEquals(changes.read().cells[0], [other, 5, undefined]);
      }
    });
  }

  it("has captured lists as they were, whatever is appended later", () => {
    const state = restored([1, 2]);
    const changes = new GroupChanges(state, 7);
    changes.capture(0);
    const list = state.contentOf(0, 2);
    if (Array.isArray(list)) list.push(99);
    add(changes, state, 1);
    assertEquals(changes.read().cells[2], [[0], [1]]);
  });

  it("has timers by key, and none if there are none", () => {
    const state = restored([1, 2, 3]);
    const timer = { domain: "event" as const, name: "late", at: 5 };
    state.timersOf(7).put(1, [timer]);
    const timed = new GroupChanges(state, 7);
    for (const slot of [0, 1, 2]) add(timed, state, slot);
    assertEquals([...timed.read().timers], [undefined, [timer], undefined]);
    const untimed = new GroupChanges(state, 7);
    add(untimed, state, 0);
    assertEquals(untimed.read().timers, []);
  });
});
