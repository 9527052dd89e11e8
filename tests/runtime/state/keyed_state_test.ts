import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { seededRandom } from "../../../runtime/random.ts";
import { KeyedState } from "../../../runtime/state/keyed_state.ts";
import { store } from "../../../runtime/state/state.ts";
import { handlesOf, StateCursor } from "../../../runtime/state/memory_state.ts";
import { SEGMENT_SLOTS, SlotMark } from "../../../runtime/state/state_segment.ts";

function state() {
  const keyed = new KeyedState({ value: store.value() }, seededRandom(1));
  const cursor = new StateCursor(keyed);
  /** A turn of the key in a slot, which sets its cell. */
  const set = (slot: number, value: unknown) => {
    cursor.begin(slot);
    if (value === undefined) cursor.clear(0);
    else cursor.write(0, value);
    cursor.commit();
  };
  const read = (slot: number) => {
    cursor.begin(slot);
    return cursor.read(0);
  };
  return { keyed, set, read };
}

describe("KeyedState", () => {
  it("keeps a key's slot while it has state, whatever comes and goes", () => {
    const { keyed, set, read } = state();
    const slot = keyed.enterKey("a", 7);
    set(slot, 5);
    keyed.leave(slot);
    const others = Array.from({ length: 100 }, (_, n) => keyed.enterKey(n, 0));
    assert(!others.includes(slot));
    for (const other of others) keyed.leave(other);
    assertEquals([keyed.keys.size, keyed.kept, keyed.keys.groupAt(slot)], [1, 1, 7]);
    assertEquals([keyed.enterKey("a", 7), read(slot)], [slot, 5]);
  });

  it("gives a slot away only when no row of its key waits, and then with no state in it", () => {
    const { keyed, set, read } = state();
    const slots = new Uint32Array([keyed.keys.slotOf("a", 0), 0]);
    slots[1] = slots[0] ?? 0;
    keyed.enter(slots);
    const [slot = 0] = slots;
    set(slot, 5);
    set(slot, undefined);
    keyed.leave(slot);
    assertEquals([keyed.keys.find("a"), keyed.keys.size], [slot, 1], "a second row waits");
    keyed.leave(slot);
    assertEquals([keyed.keys.size, keyed.kept], [0, 0]);
    const next = keyed.enterKey("b", 0);
    assertEquals([next, read(next)], [slot, undefined]);
  });

  it("tells the key of a slot, and that of the next key when the slot goes to another", () => {
    const { keyed } = state();
    for (const key of ["a", 0, "", "b"]) {
      const slot = keyed.enterKey(key, 0);
      assertEquals([slot, keyed.keyAt(slot), keyed.keyAt(slot)], [0, key, key]);
      keyed.touch(new Uint32Array([slot]), new Uint32Array(1), 0, 1);
      keyed.leave(slot);
    }
  });

  it("marks keys whose state has changed", () => {
    const { keyed, set } = state();
    const [a, b, c] = ["a", "b", "c"].map((key) => keyed.enterKey(key, 0));
    set(a ?? 0, 1);
    set(b ?? 0, 1);
    set(b ?? 0, undefined);
    const marks = [a, b, c].map((slot = 0) => keyed.marksOf(slot));
    const { KEPT, CHANGED, ROW } = SlotMark;
    assertEquals(marks, [ROW | KEPT | CHANGED, ROW | CHANGED, ROW]);
    keyed.leave(b ?? 0);
    assertEquals(keyed.marksOf(b ?? 0), CHANGED, "a free slot still stands in the list");
  });

  it("finds every key's state beyond one segment", () => {
    const { keyed, set, read } = state();
    const count = 2 * SEGMENT_SLOTS + 1;
    for (let n = 0; n < count; n++) {
      const slot = keyed.enterKey(n, 0);
      set(slot, `state of ${n}`);
      keyed.leave(slot);
    }
    assertEquals(keyed.kept, count);
    for (let n = 0; n < count; n++) assertEquals(read(keyed.keys.find(n)), `state of ${n}`);
  });

  it("keeps a key's slot while it has timers of either kind", () => {
    const { keyed } = state();
    const timers = keyed.timersOf(3);
    const slot = keyed.enterKey("a", 3);
    timers.event.set(slot, "late", 5);
    timers.processing.set(slot, "soon", 6);
    keyed.leave(slot);
    const other = keyed.enterKey("b", 3);
    assertEquals([keyed.keys.find("a"), keyed.kept, other === slot], [slot, 1, false]);
    keyed.leave(other);
    for (const queue of [timers.event, timers.processing]) {
      assertEquals(keyed.marksOf(slot) & SlotMark.TIMED, SlotMark.TIMED);
      assertEquals([queue.takeDue(9)?.slot, keyed.keys.find("a")], [slot, slot]);
      keyed.enterSlot(slot);
      keyed.leave(slot);
    }
    assertEquals([keyed.keys.size, keyed.kept], [0, 0]);
  });

  it("restores keys with what they had, however state is declared now", () => {
    const specs = { list: store.list<number>(), sum: store.value(0), map: store.map() };
    const keyed = new KeyedState(specs, seededRandom(1));
    const cursor = new StateCursor(keyed);
    const { list, sum, map } = handlesOf(specs, cursor);
    const timer = { domain: "processing", name: "", at: 9 } as const;
    const changes = {
      ...{ states: ["sum", "list"], deleted: [], keys: ["a", 7, "b", "gone"] },
      cells: [[5, NaN, "text", undefined], [[1, 2], undefined, undefined, undefined]],
      timers: [undefined, [timer], undefined, undefined],
    };
    keyed.restore(changes, (key) => key === 7 ? 2 : 1);
    const seen = (key: string | number): unknown[] => {
      const slot = keyed.keys.find(key);
      cursor.begin(slot);
      return [keyed.keys.groupAt(slot), sum.value, [...list], [...map.entries()]];
    };
    assertEquals(["a", 7, "b"].map(seen), [
      [1, 5, [1, 2], []],
      [2, NaN, [], []],
      [1, "text", [], []],
    ]);
    assertEquals(keyed.timersOf(2).of(keyed.keys.find(7)), [timer]);
    assertEquals([keyed.kept, keyed.keys.size], [3, 3], "no slot for a key without anything");
    assertThrows(
      () => keyed.restore(changes, () => 1),
      Error,
      'Cannot restore key "a": it has state already',
    );
  });

  it("drops a key from the next checkpoint that has nothing left of what was stored", () => {
    const { keyed } = state();
    const stored = {
      states: ["value"],
      deleted: [],
      keys: ["a"],
      cells: [[undefined]],
      timers: [],
    };
    keyed.restore(stored, () => 4);
    const changes = keyed.takeChanges();
    changes.step(1);
    assertEquals(changes.chunks.map(({ group, deleted }) => [group, deleted]), [[4, 1]]);
  });
});
