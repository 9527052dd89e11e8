import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { seededRandom } from "../../../runtime/random.ts";
import {
  decodeChanges,
  type KeyChanges,
  mergeChanges,
} from "../../../runtime/state/key_changes.ts";
import { KeyedState } from "../../../runtime/state/keyed_state.ts";
import { StateCursor } from "../../../runtime/state/memory_state.ts";
import type { StateChanges } from "../../../runtime/state/state_changes.ts";
import { SlotMark } from "../../../runtime/state/state_segment.ts";
import { store } from "../../../runtime/state/state.ts";
import type { Key } from "../../../runtime/key.ts";
import { fc } from "../../deps.ts";
import { type Change, ChangingState, contentsOf, groupOf, GROUPS } from "./changing_state.ts";

const NOTHING: KeyChanges = { states: [], deleted: [], keys: [], cells: [], timers: [] };

function decoded(changes: StateChanges): KeyChanges[] {
  return changes.chunks.map(({ bytes }) => decodeChanges(bytes));
}

/** Steps to the end, and tells what has been taken. */
function taken(state: ChangingState): KeyChanges[] {
  const changes = state.keyed.takeChanges();
  while (!changes.step(1));
  changes.committed();
  return decoded(changes);
}

/** State of keys that are numbers, and a turn that writes a key's count; NaN clears it. */
function counts() {
  const state = new KeyedState({ count: store.value(0) }, seededRandom(1));
  const cursor = new StateCursor(state);
  const turn = (key: number, value: number) => {
    const slot = state.enterKey(key, key % GROUPS);
    cursor.begin(slot);
    cursor.writeNumber(0, value);
    cursor.commit();
    state.leave(slot);
  };
  return { state, turn };
}

function merged(base: KeyChanges, chunks: readonly KeyChanges[]): KeyChanges {
  return chunks.reduce((base, chunk) => mergeChanges(base, chunk, { keepDeleted: false }), base);
}

const change = (kind: Change["kind"], more: Partial<Change> = {}): Change => ({
  ...{ kind, name: "count", entry: "x", domain: "event", number: 1 },
  ...more,
});

const keyArbitrary: fc.Arbitrary<Key> = fc.constantFrom("a", "b", "c", "e", 1, 2);
const changesArbitrary: fc.Arbitrary<Change[]> = fc.array(
  fc.record({
    kind: fc.constantFrom(
      ...["count", "last", "add", "put", "remove", "clear"] as const,
      ...["clear", "timer", "timer at", "clear timer", "clear timer at"] as const,
    ),
    name: fc.constantFrom("count", "last", "seen", "totals"),
    entry: fc.constantFrom("x", "y"),
    domain: fc.constantFrom("event", "processing"),
    number: fc.integer({ min: 0, max: 3 }),
  }),
  { maxLength: 4 },
);
const actionArbitrary = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("turn" as const),
      key: keyArbitrary,
      changes: changesArbitrary,
      fails: fc.boolean(),
      waits: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("fire" as const),
      group: fc.integer({ min: 0, max: GROUPS - 1 }),
      domain: fc.constantFrom("event" as const, "processing" as const),
      time: fc.integer({ min: 0, max: 3 }),
      changes: changesArbitrary,
      fails: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("leave" as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("take" as const), isWhole: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("step" as const),
      keys: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("abort" as const) }) },
);

describe("StateChanges", () => {
  it("are what has changed, as of their taking, whatever happens while they are read", () => {
    let completed = 0;
    fc.assert(
      fc.property(fc.array(actionArbitrary, { maxLength: 60, size: "max" }), (actions) => {
        const state = new ChangingState();
        let base = NOTHING;
        let open: { changes: StateChanges; model: ChangingState["model"] } | undefined;
        const complete = () => {
          if (open === undefined) return;
          while (!open.changes.step(2));
          open.changes.committed();
          base = merged(open.changes.isWhole ? NOTHING : base, decoded(open.changes));
          assertEquals(sorted(contentsOf(base)), sorted(open.model));
          open = undefined;
          completed++;
        };
        for (const action of actions) {
          switch (action.kind) {
            case "turn":
              state.turn(action.key, action.changes, action.fails, action.waits);
              break;
            case "fire":
              state.fire(action.group, action.domain, action.time, action.changes, action.fails);
              break;
            case "leave":
              state.leaveOne();
              break;
            case "take":
              complete();
              if (action.isWhole) state.keyed.changed.takeWholeNext();
              open = { changes: state.keyed.takeChanges(), model: new Map(state.model) };
              break;
            case "step":
              open?.changes.step(action.keys);
              break;
            case "abort":
              open?.changes.aborted();
              open = undefined;
              break;
          }
          assertEquals(state.keyed.kept, state.model.size);
        }
        complete();
        open = { changes: state.keyed.takeChanges(), model: new Map(state.model) };
        complete();

        const restored = new ChangingState();
        restored.keyed.restore(base, groupOf);
        restored.model = state.model;
        assertEquals(restored.keyed.kept, state.model.size);
        assertEquals(taken(restored), [], "what is restored has not changed");
        for (const key of state.model.keys()) {
          restored.turn(key, [change("count", { number: 77 })]);
          restored.leaveOne();
        }
        const all = merged(NOTHING, taken(restored));
        assertEquals(sorted(contentsOf(all)), sorted(restored.model));
      }),
      { numRuns: 300, seed: 7 },
    );
    assert(completed > 1000, `only ${completed}`);
  });

  it("are all that there is where most of it has changed", () => {
    const { state, turn } = counts();
    const take = () => {
      const changes = state.takeChanges();
      while (!changes.step(1000));
      changes.committed();
      return [changes.isWhole, decoded(changes).reduce((sum, { keys }) => sum + keys.length, 0)];
    };
    for (let key = 0; key < 3000; key++) turn(key, 1);
    assertEquals(take(), [true, 3000]);
    for (let key = 0; key < 1400; key++) turn(key, 2);
    assertEquals(take(), [false, 1400]);
    for (let key = 0; key < 1600; key++) turn(key, 3);
    assertEquals(take(), [true, 3000]);
  });

  it("are all that there is where most keys have gone, and names that nobody asks for are not kept", () => {
    const { state, turn } = counts();
    for (let key = 0; key < 3000; key++) turn(key, 1);
    state.takeChanges().aborted();
    const take = () => {
      const changes = state.takeChanges();
      while (!changes.step(1000));
      changes.committed();
      const keys = decoded(changes).flatMap(({ keys }) => keys);
      const deleted = decoded(changes).flatMap(({ deleted }) => deleted);
      return [changes.isWhole, keys.length, deleted.map(Number).toSorted((a, b) => a - b)];
    };
    assertEquals(take(), [true, 3000, []]);
    for (let key = 0; key < 700; key++) turn(key, NaN);
    assertEquals(state.changed.isWholeNext, false);
    for (let key = 700; key < 1500; key++) turn(key, NaN);
    assertEquals(state.changed.isWholeNext, true);
    // So many keys come that those that have gone are few, but for their changes.
    for (let key = 5000; key < 20_000; key++) turn(key, 1);
    assertEquals(take(), [true, 16_500, []]);
    for (let key = 5000; key < 5003; key++) turn(key, NaN);
    assertEquals(take(), [false, 0, [5000, 5001, 5002]]);
  });

  it("still name what has gone to whoever copies key groups, though all will be taken", () => {
    const { state, turn } = counts();
    turn(1, 1);
    turn(2, 1);
    state.changed.takeWholeNext();
    state.changed.beginCopy();
    state.changed.copied(state.keys.find(2));
    turn(2, NaN);
    assertEquals(state.changed.deletedSinceCopy(new Set([groupOf(2)])), [2]);
  });

  it("are all that there is again when those of before were, and nobody kept them", () => {
    const state = new ChangingState();
    state.turn("a", [change("count")]);
    state.turn("b", [change("count")]);
    taken(state);
    state.turn("a", [change("clear")]);
    state.keyed.changed.takeWholeNext();
    state.keyed.takeChanges().aborted();
    const changes = state.keyed.takeChanges();
    while (!changes.step(1));
    assertEquals([changes.isWhole, decoded(changes).map(({ keys }) => keys)], [true, [["b"]]]);
  });

  it("leave out what a failed turn did", () => {
    const state = new ChangingState();
    state.turn("a", [change("count"), change("timer")], true);
    assertEquals(taken(state), []);
    state.turn("a", [change("count")]);
    taken(state);
    state.turn("a", [change("count", { number: 2 }), change("add"), change("timer")], true);
    state.turn("b", [change("count", { number: 5 })]);
    state.turn("c", [change("add"), change("timer at")], true);
    const contents = contentsOf(merged(NOTHING, taken(state)));
    assertEquals(contents.get("a"), { count: 1, seen: [], totals: {}, timers: {} });
    assertEquals([...contents.keys()].toSorted(), ["a", "b"]);
  });

  it("have a chunk for each key group in which something has changed, and nothing else", () => {
    const state = new ChangingState();
    for (const key of [0, 3, 1]) state.turn(key, [change("count")]);
    assertEquals(taken(state).map(({ keys }) => keys), [[0, 3], [1]]);
    assertEquals(taken(state), []);
    state.turn(2, [change("last")]);
    state.turn(3, [change("count", { number: 8 })]);
    state.turn(1, [change("clear")]);
    const changes = state.keyed.takeChanges();
    assertEquals(changes.step(100), true);
    assertEquals(
      changes.chunks.map(({ group, keys, deleted }) => [group, keys, deleted]),
      [[0, 1, 0], [1, 0, 1], [2, 1, 0]],
    );
    assertEquals(decoded(changes).map(({ cells: [counts, lasts] }) => [counts, lasts]), [
      [[8], [undefined]],
      [[], []],
      [[undefined], [{ entry: "x", number: 1 }]],
    ]);
  });

  it("count a timer that fires as a change, even if its handler writes nothing or fails", () => {
    const state = new ChangingState();
    state.turn("a", [change("count"), change("timer"), change("timer at", { number: 2 })]);
    taken(state);
    state.fire(groupOf("a"), "event", 1, [], false);
    assertEquals(taken(state)[0]?.timers, [[{ domain: "event", name: "", at: 2 }]]);
    state.fire(groupOf("a"), "event", 2, [change("count", { number: 9 })], true);
    const [left] = taken(state);
    assertEquals([left?.timers, left?.cells[0]], [[undefined], [1]]);
  });

  it("name a key that has gone once it was stored, and never one that was not", () => {
    const state = new ChangingState();
    const clear = [change("clear"), change("clear timer")];
    state.turn("a", [change("count")]);
    state.turn("a", clear);
    assertEquals(taken(state), []);
    state.turn("a", [change("timer")]);
    taken(state);
    state.turn("a", clear);
    state.turn("b", [change("count")]);
    state.turn("b", clear);
    assertEquals(taken(state).map(({ keys, deleted }) => [keys, deleted]), [[[], ["a"]]]);
    assertEquals(taken(state), []);
  });

  it("name a key as deleted that is known only for a row that waits, and not again", () => {
    const state = new ChangingState();
    state.turn("a", [change("count")]);
    taken(state);
    state.turn("a", [change("clear")], false, true);
    assertEquals(taken(state).map(({ deleted }) => deleted), [["a"]]);
    state.leaveOne();
    assertEquals([taken(state), state.keyed.keys.size], [[], 0]);

    state.turn("a", [change("count")]);
    taken(state);
    state.turn("a", [change("clear")], false, true);
    const changes = state.keyed.takeChanges();
    state.leaveOne();
    changes.step(9);
    assertEquals(decoded(changes).map(({ deleted }) => deleted), [["a"]]);
  });

  it("do not name a key as deleted that is back", () => {
    const state = new ChangingState();
    state.turn("a", [change("count")]);
    taken(state);
    state.turn("a", [change("clear")]);
    state.turn("d", [change("count")]);
    state.turn("a", [change("count", { number: 3 })]);
    const [of] = taken(state);
    assertEquals([of?.keys.toSorted(), of?.deleted], [["a", "d"], []]);
  });

  it("count as changed again when the checkpoint failed, deletions too", () => {
    const state = new ChangingState();
    for (const key of ["a", "b", "c"]) state.turn(key, [change("count")]);
    taken(state);
    for (const key of ["a", "b"]) state.turn(key, [change("clear")]);
    state.turn("c", [change("count", { number: 2 })]);
    for (const steps of [0, 1, 5]) {
      const changes = state.keyed.takeChanges();
      for (let step = 0; step < steps; step++) changes.step(1);
      changes.aborted();
    }
    state.turn("b", [change("count", { number: 4 })]);
    const contents = taken(state);
    assertEquals(contents.flatMap(({ keys }) => keys).toSorted(), ["b", "c"]);
    assertEquals(contents.flatMap(({ deleted }) => deleted), ["a"]);
    assertEquals(taken(state), []);
  });

  it("count deletions again that were only found when they were read, or not even that", () => {
    for (const steps of [0, 9]) {
      for (const leaves of [false, true]) {
        const state = new ChangingState();
        state.turn("a", [change("count")]);
        taken(state);
        state.turn("a", [change("clear")], false, true);
        const changes = state.keyed.takeChanges();
        if (steps > 0) changes.step(steps);
        if (leaves) state.leaveOne();
        changes.aborted();
        assertEquals(taken(state).map(({ deleted }) => deleted), [["a"]]);
      }
    }
  });

  it("are read a group at a time", () => {
    const state = new ChangingState();
    for (let key = 0; key < 30; key++) state.turn(key, [change("count")]);
    const changes = state.keyed.takeChanges();
    const pending = () =>
      Array.from({ length: 30 }, (_, slot) => state.keyed.marksOf(slot) & SlotMark.PENDING)
        .filter((mark) => mark > 0).length;
    const seen: number[] = [];
    do seen.push(pending()); while (!changes.step(5));
    assertEquals([...new Set(seen), pending()], [30, 20, 10, 0]);
  });

  it("are taken again only when it is known what became of them", () => {
    const { keyed } = new ChangingState();
    const changes = keyed.takeChanges();
    assertThrows(() => keyed.takeChanges(), Error, "call committed() or aborted()");
    assertThrows(() => changes.committed(), Error, "not all read");
    assertThrows(() => changes.chunks, Error, "not all read");
    assertEquals([changes.step(1), changes.chunks], [true, []]);
    changes.committed();
    assertThrows(() => changes.aborted(), Error, "Cannot abort changes");
    assertThrows(() => changes.step(1), Error, "Cannot read changes");
    keyed.takeChanges().aborted();
    keyed.takeChanges();
  });

  it("say which state of which key can't be kept, and can be taken again", () => {
    const keyed = new KeyedState({ n: store.value(0), call: store.value() }, seededRandom(1));
    const cursor = new StateCursor(keyed);
    const set = (key: string, value: unknown) => {
      const slot = keyed.enterKey(key, 0);
      cursor.begin(slot);
      cursor.write(1, value);
      cursor.commit();
      keyed.leave(slot);
    };
    set("a", { done: 1 });
    set("b", { done: () => 1 });
    const changes = keyed.takeChanges();
    assertThrows(
      () => changes.step(10),
      TypeError,
      'Cannot keep state "call" of key "b" in a checkpoint: "done" is a function; keep plain data',
    );
    changes.aborted();
    set("b", { done: 2 });
    const again = keyed.takeChanges();
    again.step(10);
    assertEquals(decoded(again)[0]?.cells[1], [{ done: 1 }, { done: 2 }]);
  });
});

function sorted(contents: ReadonlyMap<Key, unknown>): unknown[] {
  return [...contents].map(([key, content]) => [`${typeof key} ${key}`, content]).sort();
}
