import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { seededRandom } from "../../../runtime/random.ts";
import { KeyedState } from "../../../runtime/state/keyed_state.ts";
import { handlesOf, StateCursor } from "../../../runtime/state/memory_state.ts";
import { store, type ValueState } from "../../../runtime/state/state.ts";
import { KeyVisits } from "../../../runtime/worker/key_visits.ts";

const SPECS = { sum: store.value(0), list: store.list<number>() };

/** Keys `a` and `b` with a sum, and `waiting` without state but with a row that waits. */
function opened() {
  const state = new KeyedState(SPECS, seededRandom(1));
  const cursor = new StateCursor(state);
  const { sum } = handlesOf(SPECS, cursor);
  const sumOf = (key: string) => {
    const slot = state.enterKey(key, 0);
    cursor.begin(slot);
    const { value } = sum;
    state.leave(slot);
    return value;
  };
  for (const [at, key] of ["a", "b"].entries()) {
    const slot = state.enterKey(key, 0);
    cursor.begin(slot);
    sum.value = at + 1;
    cursor.commit();
    state.leave(slot);
  }
  state.enterKey("waiting", 0);
  const visits = new KeyVisits(SPECS, state);
  const visited: string[] = [];
  const visit = (change: (sum: ValueState<number>, key: string) => void) =>
    visits.each((slot) => {
      const key = String(state.keyAt(slot));
      visited.push(key);
      change(visits.handles["sum"] as ValueState<number>, key);
    });
  return { state, visits, visit, visited, sumOf };
}

describe("KeyVisits", () => {
  it("goes through keys with state only, and sees what an earlier visit of the call has cleared", () => {
    const { visits, visit, visited } = opened();
    visit((sum, key) => key === "a" ? sum.clear() : undefined);
    assertEquals(visited.splice(0).toSorted(), ["a", "b"]);
    visit(() => {});
    assertEquals(visited, ["b"]);
    visits.end();
  });

  it("lets go of keys that it has cleared, once the call is over", () => {
    const { state, visits, visit } = opened();
    visit((sum) => sum.clear());
    assertEquals([state.kept, state.keys.size], [0, 3]);
    visits.end();
    assertEquals([state.kept, state.keys.size], [0, 1]);
  });

  it("undoes several visits: state, and which keys have any", () => {
    const { state, visits, visit, sumOf } = opened();
    visit((sum) => sum.value += 10);
    visit((sum, key) => key === "a" ? sum.clear() : sum.value += 10);
    visits.undo();
    visits.end();
    assertEquals([sumOf("a"), sumOf("b"), state.kept, state.keys.size], [1, 2, 2, 3]);
    visit((sum) => sum.clear());
    visits.end();
    assertEquals([state.kept, state.keys.size], [0, 1]);
  });

  it("undoes the visit that throws, and ends with it", () => {
    const { visits, visit, visited, sumOf } = opened();
    const fail = () =>
      visit((sum) => {
        sum.value += 10;
        throw new RangeError("boom");
      });
    assertThrows(fail, RangeError, "boom");
    visits.end();
    assertEquals([visited.length, sumOf("a"), sumOf("b")], [1, 1, 2]);
  });
});
