import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { seededRandom } from "../../../runtime/random.ts";
import {
  decodeChanges,
  encodeChanges,
  type KeyChanges,
} from "../../../runtime/state/key_changes.ts";
import { KeyedState } from "../../../runtime/state/keyed_state.ts";
import { type RestoredKeys, restoreState } from "../../../runtime/state/restore_state.ts";
import { type StateSpecs, store } from "../../../runtime/state/state.ts";

const UNCHANGED = { dropped: [], migrated: {}, anew: false };
/** The next checkpoint has everything: so a test sees what is there. */
const WHOLE = { ...UNCHANGED, anew: true };

/** Bytes of a key group's changes. */
function chunk(
  cells: Readonly<Record<string, readonly unknown[]>>,
  keys: readonly (string | number)[] = ["a", "b"],
  more: Partial<KeyChanges> = {},
) {
  return encodeChanges({
    states: Object.keys(cells),
    deleted: [],
    keys,
    cells: Object.values(cells),
    timers: keys.map(() => undefined),
    ...more,
  });
}

function restored(specs: StateSpecs, keys: RestoredKeys) {
  const state = new KeyedState(specs, seededRandom(1));
  restoreState(state, keys, specs, "match");
  return state;
}

/** What the next checkpoint has. */
function taken(state: KeyedState) {
  const changes = state.takeChanges();
  while (!changes.step(1000));
  const groups = changes.chunks.map(({ group, bytes }) => {
    const { states, keys, cells, timers } = decodeChanges(bytes);
    const of = keys.map((key, row) => [
      key,
      Object.fromEntries(states.map((name, at) => [name, cells[at]?.[row]])),
      ...timers[row] ?? [],
    ]);
    return [group, ...of];
  });
  changes.committed();
  return groups;
}

describe("restoreState()", () => {
  it("puts keys back into their groups, with what their chains come to and their timers", () => {
    const late = { domain: "event" as const, name: "late", at: 99 };
    const state = restored({ sum: store.value(0), seen: store.list<number>() }, {
      ...WHOLE,
      groups: [
        {
          group: 3,
          chain: [
            chunk({ sum: [1, 2, 3], seen: [[1], undefined, [3]] }, ["a", "b", "c"]),
            chunk({ sum: [20], seen: [[2]] }, ["b"], { deleted: ["c"] }),
          ],
        },
        { group: 5, chain: [chunk({ seen: [undefined] }, [7], { timers: [[late]] })] },
      ],
    });
    assertEquals(state.kept, 3);
    assertEquals(state.timersOf(5).event.nextAt, 99);
    assertEquals(taken(state), [
      [3, ["a", { sum: 1, seen: [1] }], ["b", { sum: 20, seen: [2] }]],
      [5, [7, { sum: undefined, seen: undefined }, late]],
    ]);
  });

  it("leaves dropped state out, and keys that have nothing else", () => {
    const state = restored({ sum: store.value(0) }, {
      ...WHOLE,
      groups: [{ group: 0, chain: [chunk({ old: [1, 2], sum: [5, undefined], older: [1, 2] })] }],
      dropped: ["old", "older"],
    });
    assertEquals([state.kept, state.keys.size], [1, 1]);
    assertEquals(taken(state), [[0, ["a", { sum: 5 }]]]);
    assertThrows(
      () =>
        restored({ sum: store.value(0) }, {
          ...WHOLE,
          groups: [{ group: 0, chain: [chunk({ old: [1, 2], sum: [5, 6] })] }],
        }),
      RangeError,
      'Cannot restore state "old"',
    );
  });

  it("migrates each key's content, which is told its version, and leaves other state alone", () => {
    const versions: number[] = [];
    const specs = {
      sum: store.value({ sum: 0 }, {
        version: 3,
        migrate(content, version) {
          versions.push(version);
          return { sum: Number(content) };
        },
      }),
      seen: store.list<string>({ version: 2, migrate: (content) => [`${content}`, "new"] }),
      rules: store.map<string, number>({
        version: 2,
        migrate: (content) => new Map([["was", content instanceof Map ? content.size : 0]]),
      }),
      kept: store.value(0, { version: 2, migrate: () => -1 }),
    };
    const state = restored(specs, {
      ...WHOLE,
      groups: [{
        group: 0,
        chain: [chunk({
          sum: [5, undefined],
          seen: [[1, 2], undefined],
          rules: [undefined, new Map([["x", 1]])],
          kept: [8, 9],
        })],
      }],
      migrated: { sum: 1, seen: 1, rules: 1 },
    });
    assertEquals(taken(state), [[
      0,
      ["a", { sum: { sum: 5 }, seen: ["1,2", "new"], rules: undefined, kept: 8 }],
      ["b", { sum: undefined, seen: undefined, rules: new Map([["was", 1]]), kept: 9 }],
    ]]);
    assertEquals(versions, [1], "once for each key that has some");
  });

  it("migrates what a chain comes to: contents that are overwritten or gone are not asked for", () => {
    const asked: unknown[] = [];
    const specs = {
      sum: store.value(0, {
        version: 2,
        migrate(content) {
          asked.push(content);
          return 10 * Number(content);
        },
      }),
    };
    const state = restored(specs, {
      ...WHOLE,
      groups: [{
        group: 0,
        chain: [
          chunk({ sum: [1, 2, 3] }, ["a", "b", "c"]),
          chunk({ sum: [20] }, ["b"], { deleted: ["c"] }),
        ],
      }],
      migrated: { sum: 1 },
    });
    assertEquals([asked.toSorted(), state.kept], [[1, 20], 2]);
    assertEquals(taken(state), [[0, ["a", { sum: 10 }], ["b", { sum: 200 }]]]);
  });

  it("clears what a migration gives nothing for, and keeps no list or map that the migration may change", () => {
    const shared = ["all"];
    const specs = {
      sum: store.value<number | undefined>(undefined, { version: 2, migrate: () => undefined }),
      seen: store.list<string>({ version: 2, migrate: (of) => of === "none" ? [] : shared }),
      rules: store.map<string, number>({ version: 2, migrate: () => new Map() }),
    };
    const cells = { sum: [1, 1], seen: ["none", "some"], rules: [new Map([["x", 1]]), undefined] };
    const state = restored(specs, {
      ...WHOLE,
      groups: [{ group: 0, chain: [chunk(cells)] }],
      migrated: { sum: 1, seen: 1, rules: 1 },
    });
    shared.push("later");
    assertEquals([state.kept, state.keys.size], [1, 1]);
    assertEquals(taken(state), [[0, ["b", { sum: undefined, seen: ["all"], rules: undefined }]]]);
  });

  it("names operator, state and key of what can't be migrated, and why", () => {
    const specs = {
      sum: store.value(0, {
        version: 3,
        migrate(content) {
          if (content === 2) throw new TypeError("it has no currency");
          return Number(content);
        },
      }),
    };
    const groups = [{ group: 0, chain: [chunk({ sum: [1, 2] })] }];
    const error = assertThrows(
      () => restored(specs, { ...WHOLE, groups, migrated: { sum: 2 } }),
      Error,
      'Cannot migrate state "sum" of operator "match" from version 2 to 3 for key "b": it has no currency; ' +
        "correct its migrate()",
    );
    assertEquals(error.cause instanceof TypeError, true);
    const given = (spec: StateSpecs[string]) =>
      assertThrows(
        () => restored({ sum: spec }, { ...WHOLE, groups, migrated: { sum: 1 } }),
        Error,
      )
        .message.split('"a": ')[1];
    const migrate = () => JSON.parse('{"an": "object"}');
    assertEquals(
      [given(store.list({ version: 2, migrate })), given(store.map({ version: 2, migrate }))],
      [
        "it gave object, expected an array; correct its migrate()",
        "it gave object, expected a Map; correct its migrate()",
      ],
    );
  });

  it("counts nothing as changed, unless all is to be written anew", () => {
    const groups = [{ group: 2, chain: [chunk({ sum: [1, 2] })] }];
    const specs = { sum: store.value(0) };
    assertEquals(taken(restored(specs, { ...UNCHANGED, groups })), []);
    const anew = restored(specs, { ...WHOLE, groups });
    assertEquals(taken(anew), [[2, ["a", { sum: 1 }], ["b", { sum: 2 }]]]);
    assertEquals(taken(anew), [], "once");
  });

  it("writes anew that nothing is left, where all was dropped", () => {
    const state = restored({}, {
      groups: [{ group: 2, chain: [chunk({ old: [1, 2] })] }],
      ...{ dropped: ["old"], migrated: {}, anew: true },
    });
    const changes = state.takeChanges();
    while (!changes.step(1000));
    assertEquals([changes.isWhole, changes.chunks, state.keys.size], [true, [], 0]);
  });
});
