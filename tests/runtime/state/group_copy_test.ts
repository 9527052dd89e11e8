import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { seededRandom } from "../../../runtime/random.ts";
import {
  forgetGroups,
  GroupCopy,
  putSent,
  type SentKeys,
} from "../../../runtime/state/group_copy.ts";
import { decodeChanges } from "../../../runtime/state/key_changes.ts";
import { KeyedState } from "../../../runtime/state/keyed_state.ts";
import { handlesOf, StateCursor } from "../../../runtime/state/memory_state.ts";
import { store } from "../../../runtime/state/state.ts";
import type { Key } from "../../../runtime/key.ts";
import { fc } from "../../deps.ts";
import { type Change, ChangingState, type Content, contentsOf, groupOf } from "./changing_state.ts";

const change = (kind: Change["kind"], more: Partial<Change> = {}): Change => ({
  ...{ kind, name: "count", entry: "x", domain: "event", number: 1 },
  ...more,
});
const counts = (number: number) => [change("count", { number })];
const goes = [change("clear")];

/** Copies of these groups, each its own, which begin together. */
function copiesOf(state: ChangingState, ...groups: (readonly number[])[]): GroupCopy[] {
  state.keyed.changed.beginCopy();
  return groups.map((of) => new GroupCopy(state.keyed, new Set(of)));
}

/** Copies to the end, so many keys at a time; returns how many it were. */
function copyAll(copy: GroupCopy, to: ChangingState, keys = 1000): number {
  let count = 0;
  for (let sent = copy.next(keys); sent !== undefined; sent = copy.next(keys)) {
    count += sent.groups.length;
    putSent(to.keyed, sent);
  }
  return count;
}

/** A checkpoint: chunks by key group. */
function checkpoint(keyed: KeyedState) {
  const changes = keyed.takeChanges();
  while (!changes.step(1000));
  changes.committed();
  return changes.chunks.map(({ bytes, ...chunk }) => ({ ...chunk, ...decodeChanges(bytes) }));
}

/** All that state has, in the order of keys. */
function contentOf({ keyed }: ChangingState): [Key, Content][] {
  keyed.changed.takeWholeNext();
  return checkpoint(keyed).flatMap((chunk) => [...contentsOf(chunk)]).toSorted(byKey);
}

/** What there is to be in some groups. */
function modelOf({ model }: ChangingState, groups: readonly number[]): [Key, Content][] {
  return [...model].filter(([key]) => groups.includes(groupOf(key))).toSorted(byKey);
}

function byKey([a]: readonly [Key, unknown], [b]: readonly [Key, unknown]): number {
  return `${typeof a} ${a}` < `${typeof b} ${b}` ? -1 : 1;
}

/** What was sent: keys with their groups, and keys that have gone. */
function read({ groups, bytes }: SentKeys) {
  const { keys, deleted } = decodeChanges(bytes);
  return { keys: keys.map((key, row) => [key, groups[row]]), deleted };
}

// "a" and "d" are of group 1, "b" of group 2, "c" and "f" of group 0.
describe("GroupCopy", () => {
  it("tells the second worker of what has gone, though the first one's groups have been let go of", () => {
    const [from, ...to] = [new ChangingState(), new ChangingState(), new ChangingState()];
    for (const key of ["c", "a"]) from.turn(key, counts(1));
    checkpoint(from.keyed);
    from.turn("c", goes);
    const copies = copiesOf(from, [0], [1]);
    copies.forEach((copy, index) => copyAll(copy, to[index] ?? from));
    from.turn("a", goes);
    const rests = copies.map((copy, group) => {
      const rest = copy.rest();
      forgetGroups(from.keyed, new Set([group]), 0, 10_000);
      return read(rest).deleted;
    });
    assertEquals(rests, [[], ["a"]]);
  });

  it("sends a group's keys once, a few at a time, and then what has changed since, but nothing else", () => {
    const [from, to] = [new ChangingState(), new ChangingState()];
    for (const key of ["a", "b", "c", "d", "f"]) from.turn(key, counts(1));
    const [copy] = copiesOf(from, [0, 1]);
    assert(copy !== undefined);
    const pieces: number[] = [];
    for (let sent = copy.next(1); sent !== undefined; sent = copy.next(1)) {
      pieces.push(sent.groups.length);
      putSent(to.keyed, sent);
    }
    assertEquals([Math.max(...pieces), pieces.reduce((sum, keys) => sum + keys)], [1, 4]);
    from.turn("d", counts(2));
    from.turn("b", counts(2));
    from.turn("g", counts(5));
    const rest = copy.rest();
    assertEquals(read(rest), { keys: [["d", 1], ["g", 1]], deleted: [] });
    putSent(to.keyed, rest);
    assertEquals(contentOf(to), modelOf(from, [0, 1]));
  });

  it("tells of keys that have gone since, those that have come back as well", () => {
    const [from, to] = [new ChangingState(), new ChangingState()];
    for (const key of ["a", "d", "g"]) from.turn(key, [...counts(1), change("put")]);
    from.turn("g", [...goes, change("remove")]);
    const [copy] = copiesOf(from, [1]);
    assert(copy !== undefined);
    copyAll(copy, to);
    for (const key of ["a", "d"]) from.turn(key, [...goes, change("remove")]);
    from.turn("d", counts(7));
    const rest = copy.rest();
    assertEquals(read(rest), { keys: [["d", 1]], deleted: ["a", "d"] });
    putSent(to.keyed, rest);
    assertEquals(contentOf(to), [["d", { count: 7, seen: [], totals: {}, timers: {} }]]);
  });

  it("tells of no keys of other groups, and of none that had gone before", () => {
    const from = new ChangingState();
    for (const key of ["a", "b", "d"]) from.turn(key, counts(1));
    checkpoint(from.keyed);
    from.turn("a", goes);
    const [copy] = copiesOf(from, [1]);
    for (const key of ["b", "d"]) from.turn(key, goes);
    assertEquals(copy && read(copy.rest()), { keys: [], deleted: ["d"] });
  });

  it("tells a key from the one whose slot it has got", () => {
    const [from, to] = [new ChangingState(), new ChangingState()];
    for (const key of ["a", "c"]) from.turn(key, [...counts(1), change("add")]);
    const slots = ["a", "c"].map((key) => from.keyed.keys.find(key));
    const [copy] = copiesOf(from, [1]);
    assert(copy !== undefined);
    copyAll(copy, to);
    // The slot of "a" goes to a key of another group, and that of "c" to one that moves.
    from.turn("a", [...goes, change("clear", { name: "seen" })]);
    from.turn("b", counts(3));
    from.turn("c", [...goes, change("clear", { name: "seen" })]);
    from.turn("d", counts(4));
    assertEquals(["b", "d"].map((key) => from.keyed.keys.find(key)), slots);
    const rest = copy.rest();
    assertEquals(read(rest), { keys: [["d", 1]], deleted: ["a"] });
    putSent(to.keyed, rest);
    assertEquals(contentOf(to), modelOf(from, [1]));
  });

  it("has a key that comes behind where it is, or before", () => {
    const [from, to] = [new ChangingState(), new ChangingState()];
    for (const key of ["a", "b", "c"]) from.turn(key, counts(1));
    from.turn("a", goes);
    const [copy] = copiesOf(from, [0, 1]);
    assert(copy !== undefined);
    const first = copy.next(1);
    assert(first !== undefined);
    putSent(to.keyed, first);
    for (const key of ["d", "f", "g"]) from.turn(key, counts(2));
    copyAll(copy, to);
    putSent(to.keyed, copy.rest());
    assertEquals(contentOf(to), modelOf(from, [0, 1]));
  });

  it("takes timers along, and those that were set, moved, taken back or fired since", () => {
    const [from, to] = [new ChangingState(), new ChangingState()];
    const timer = (entry: string, number: number, domain: Change["domain"] = "event") =>
      change("timer", { entry, number, domain });
    from.turn("a", [timer("stays", 5), timer("moves", 6), timer("goes", 7)]);
    from.turn("d", [timer("fires", 1, "processing")]);
    from.turn("g", [change("timer at", { number: 9 })]);
    const [copy] = copiesOf(from, [1]);
    assert(copy !== undefined);
    assertEquals(copyAll(copy, to), 3);
    assertEquals([to.keyed.timers, to.keyed.kept], [5, 3]);
    from.turn("a", [timer("moves", 8), change("clear timer", { entry: "goes" }), timer("new", 2)]);
    from.fire(1, "processing", 1, [], false);
    putSent(to.keyed, copy.rest());
    assertEquals(contentOf(to), modelOf(from, [1]));
    assertEquals([to.keyed.timers, to.keyed.kept, from.keyed.timers], [4, 2, 4]);
    assertEquals(to.keyed.timersOf(1).event.takeDue(2)?.name, "new");
  });

  it("puts what is sent in place of what is there, for keys for which rows wait as well", () => {
    const [from, to] = [new ChangingState(), new ChangingState()];
    from.turn("a", [...counts(1), change("put"), change("timer")]);
    const [copy] = copiesOf(from, [1]);
    assert(copy !== undefined);
    copyAll(copy, to);
    const waiting = to.keyed.enterKey("a", 1);
    from.turn("a", [...goes, change("add"), change("clear timer")]);
    putSent(to.keyed, copy.rest());
    to.keyed.leave(waiting);
    assertEquals(to.keyed.keys.find("a"), waiting);
    assertEquals(contentOf(to), modelOf(from, [1]));
    assertEquals([to.keyed.kept, to.keyed.timers], [1, 0]);
  });

  it("fails when something can't be sent, and says what", () => {
    const specs = { handler: store.value<unknown>() };
    const state = new KeyedState(specs, seededRandom(1));
    const cursor = new StateCursor(state);
    const slot = state.enterKey("a", 1);
    cursor.begin(slot);
    handlesOf(specs, cursor).handler.value = () => {};
    cursor.commit();
    state.changed.beginCopy();
    const copy = new GroupCopy(state, new Set([1]));
    assertThrows(() => copy.next(10), TypeError, 'state "handler" of key "a"');
  });

  it("sends each copy what is its own, in any order of turns, and leaves checkpoints as they were", () => {
    fc.assert(
      fc.property(
        fc.array(actionArbitrary, { maxLength: 20, size: "max" }),
        fc.array(actionArbitrary, { maxLength: 40, size: "max" }),
        (before, meanwhile) => {
          const [from, ...to] = [new ChangingState(), new ChangingState(), new ChangingState()];
          for (const action of before) act(from, action, () => checkpoint(from.keyed));
          const copies = copiesOf(from, [0], [1]);
          const step = (keys: number) =>
            copies.forEach((copy, index) => {
              const sent = copy.next(keys);
              if (sent !== undefined) putSent((to[index] ?? from).keyed, sent);
            });
          for (const action of meanwhile) act(from, action, step);
          copies.forEach((copy, index) => copyAll(copy, to[index] ?? from));
          for (let row = 0; row < meanwhile.length + before.length; row++) from.leaveOne();
          copies.forEach((copy, index) => putSent((to[index] ?? from).keyed, copy.rest()));
          for (const [group, receiver] of to.entries()) {
            receiver.keyed.changed.takeBaseNext(group);
            const chunks = checkpoint(receiver.keyed);
            assertEquals(chunks.map(({ group, isBase }) => [group, isBase]), [[group, true]]);
            const model = modelOf(from, [group]);
            assertEquals(chunks.flatMap((of) => [...contentsOf(of)]).toSorted(byKey), model);
            assertEquals([receiver.keyed.kept, contentOf(receiver)], [model.length, model]);
          }
          assertEquals(contentOf(from), modelOf(from, [0, 1, 2]));
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe("forgetGroups()", () => {
  it("leaves what is of other groups, a piece at a time, and gives slots to other keys", () => {
    const state = new ChangingState();
    for (const key of ["a", "b", "c", "d"]) state.turn(key, [...counts(1), change("timer")]);
    const slot = state.keyed.keys.find("a");
    const gone = new Set([1]);
    let pieces = 0;
    for (let from: number | undefined = 0; from !== undefined; pieces++) {
      from = forgetGroups(state.keyed, gone, from, 1);
    }
    assert(pieces > 1);
    assertEquals([state.keyed.kept, state.keyed.timers, state.keyed.keys.size], [2, 2, 2]);
    for (const key of ["a", "d"]) state.model.delete(key);
    state.turn("e", counts(5));
    state.turn("h", counts(6));
    assert(["e", "h"].map((key) => state.keyed.keys.find(key)).includes(slot));
    assertEquals(contentOf(state), modelOf(state, [0, 1, 2]));
  });

  it("has checkpoints say nothing more of the groups, neither what changed nor what went", () => {
    const state = new ChangingState();
    for (const key of ["a", "b", "d", "g"]) state.turn(key, counts(1));
    checkpoint(state.keyed);
    state.turn("a", counts(2));
    state.turn("d", goes);
    state.turn("b", counts(2));
    forgetGroups(state.keyed, new Set([1]), 0, 10_000);
    assertEquals(
      checkpoint(state.keyed).map(({ group, keys, deleted }) => [group, keys, deleted]),
      [[2, ["b"], []]],
    );
  });

  it("leaves a key's slot to the rows that wait for it", () => {
    const state = new ChangingState();
    state.turn("a", counts(1));
    const slot = state.keyed.enterKey("a", 1);
    forgetGroups(state.keyed, new Set([1]), 0, 10_000);
    assertEquals([state.keyed.kept, state.keyed.keys.find("a")], [0, slot]);
    state.keyed.leave(slot);
    assertEquals(state.keyed.keys.size, 0);
  });
});

type Action =
  | {
    readonly kind: "turn";
    readonly key: Key;
    readonly changes: Change[];
    readonly waits: boolean;
  }
  | { readonly kind: "fire"; readonly group: number; readonly time: number }
  | { readonly kind: "leave" }
  | { readonly kind: "step"; readonly keys: number };

const actionArbitrary: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("turn" as const),
      key: fc.constantFrom<Key>("a", "b", "c", "d", "f", "g", 0, 1),
      changes: fc.array(
        fc.record({
          kind: fc.constantFrom(
            ...["count", "add", "put", "remove", "clear", "clear"] as const,
            ...["timer", "timer at", "clear timer", "clear timer at"] as const,
          ),
          name: fc.constantFrom("count", "seen", "totals"),
          entry: fc.constantFrom("x", "y"),
          domain: fc.constantFrom("event", "processing"),
          number: fc.integer({ min: 0, max: 3 }),
        }),
        { maxLength: 4 },
      ),
      waits: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("fire" as const),
      group: fc.integer({ min: 0, max: 2 }),
      time: fc.integer({ min: 0, max: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("leave" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("step" as const),
      keys: fc.integer({ min: 1, max: 2 }),
    }),
  },
);

function act(state: ChangingState, action: Action, step: (keys: number) => void): void {
  switch (action.kind) {
    case "turn":
      return state.turn(action.key, action.changes, false, action.waits);
    case "fire":
      return state.fire(action.group, "event", action.time, [], false);
    case "leave":
      return state.leaveOne();
    case "step":
      return step(action.keys);
  }
}
