import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  ColumnCodecs,
  decodeChanges,
  encodeChanges,
  KEY_CHANGES_FORMAT,
  type KeyChanges,
  mergeChanges,
} from "../../../runtime/state/key_changes.ts";
import type { Key } from "../../../runtime/key.ts";
import { fc } from "../../deps.ts";

/** One key with one content. */
const only = (content: unknown): KeyChanges => ({
  states: ["it"],
  deleted: [],
  keys: ["a"],
  cells: [[content]],
  timers: [undefined],
});

function roundTrip(changes: KeyChanges): KeyChanges {
  return decodeChanges(encodeChanges(changes));
}

const keys: fc.Arbitrary<Key> = fc.oneof(
  fc.constantFrom("", "a", "\u{1F600}", "\ud800", "1"),
  fc.constantFrom(0, 1, -1.5, 2 ** 60),
);
const contents: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(undefined, null, 0, -0, NaN, 7n, "text", true),
  fc.record({ id: fc.string(), at: fc.double(), note: fc.option(fc.string()) }),
  fc.array(fc.anything({ withMap: true, withDate: true, withTypedArray: true, withBigInt: true })),
  fc.array(fc.tuple(fc.string(), fc.integer())).map((entries) => new Map(entries)),
);
const timers = fc.option(
  fc.array(
    fc.record({
      domain: fc.constantFrom("event" as const, "processing" as const),
      name: fc.constantFrom("", "late"),
      at: fc.double({ noNaN: true, noDefaultInfinity: true }),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  { nil: undefined },
);
/** Changes of some of the states; keys are deleted, put, or both. */
const changesArbitrary: fc.Arbitrary<KeyChanges> = fc.record({
  states: fc.uniqueArray(fc.constantFrom("sum", "seen", "last"), { maxLength: 3 }),
  deleted: fc.uniqueArray(keys),
  rows: fc.uniqueArray(fc.tuple(keys, fc.array(contents, { minLength: 3, maxLength: 3 }), timers), {
    selector: ([key]) => key,
  }),
}).map(({ states, deleted, rows }) => ({
  states,
  deleted,
  keys: rows.map(([key]) => key),
  cells: states.map((_, state) => rows.map(([, cells]) => cells[state])),
  timers: rows.map(([, , timers]) => timers),
}));

/** What there is after changes have been made to what was there. */
function applied(before: ReadonlyMap<Key, unknown>, changes: KeyChanges): Map<Key, unknown> {
  const { states, deleted, keys, cells, timers } = changes;
  const after = new Map(before);
  for (const key of deleted) after.delete(key);
  for (const [row, key] of keys.entries()) {
    const set = states.flatMap((name, state) => {
      const content = cells[state]?.[row];
      return content === undefined ? [] : [[name, content]];
    });
    after.set(key, { ...Object.fromEntries(set), timers: timers[row] });
  }
  return after;
}

const rowsOf = (all: ReadonlyMap<Key, unknown>) =>
  new Map(all.entries().map(([key, of]) => [`${typeof key} ${key}`, of]));

describe("encodeChanges()", () => {
  it("keeps everything as structured clone would", () => {
    const codecs = new ColumnCodecs();
    fc.assert(
      fc.property(changesArbitrary, (changes) => {
        assertEquals(decodeChanges(encodeChanges(changes, codecs)), structuredClone(changes));
      }),
      { numRuns: 300 },
    );
  });

  it("takes columns of mere numbers, and gives what is set of them", () => {
    const keys = ["a", "b", "c"];
    const timers = keys.map(() => undefined);
    const numbers = new Float64Array([-0, NaN, 1.5]);
    const bytes = encodeChanges({ states: ["n"], deleted: [], keys, cells: [numbers], timers });
    assertEquals(decodeChanges(bytes).cells, [[-0, undefined, 1.5]]);
  });

  it("keeps what columns and plain arrays could lose", () => {
    const buffer = new Uint8Array([1, 2, 3, 4]).buffer;
    const cases: unknown[] = [
      { none: undefined, zero: -0, nan: NaN },
      // deno-lint-ignore no-sparse-arrays
      [1, , 3],
      Object.assign([1, 2], { index: 5 }),
      // deno-lint-ignore no-sparse-arrays
      Object.assign([, 2], { index: 5 }),
      [],
      new Map(),
      new Map<unknown, unknown>([[NaN, { at: new Date(5) }], [1, undefined]]),
      new Set([new Map([[1, 2]])]),
      new Float64Array([-0, NaN, 1.5]),
      new DataView(buffer, 1, 2),
      [/a/gi, 12n, new RangeError("no")],
    ];
    for (const content of cases) {
      const { cells: [[found] = []] } = roundTrip(only(content));
      assertEquals(found, content);
      assertEquals(Object.keys(Object(found)), Object.keys(Object(content)));
    }
    const { cells: [[view] = []] } = roundTrip(only(new DataView(buffer, 1, 2)));
    assertEquals(
      view instanceof DataView && view.buffer.byteLength,
      4,
      "not all bytes of the chunk",
    );
  });

  it("keeps rows of one shape in far less than they take as they are", () => {
    const keys = Array.from({ length: 1000 }, (_, n) => `key-${n}`);
    const cells = [keys.map((id, n) => [{ id, amount: n + 0.5, status: "open", currency: "EUR" }])];
    const changes = { ...only(1), keys, cells, timers: keys.map(() => undefined) };
    const [columns, plain] = [encodeChanges(changes), encodeChanges(only(cells))];
    assertEquals(columns.length < plain.length * 0.6, true, `${columns.length} of ${plain.length}`);
  });

  it("names the state and key of what can't be kept, wherever it is", () => {
    const call = () => 1;
    const hidden = new Proxy({}, {});
    const cases: [unknown, string][] = [
      [call, "it is a function"],
      [[{ a: 1 }, { call }], '"[1].call" is a function'],
      [new Map([["x", { a: [Symbol("s")] }]]), '"[0].a[0]" is a symbol'],
      [[{ a: [hidden] }], "#<Object> could not be cloned"],
    ];
    for (const [content, what] of cases) {
      const changes = {
        ...{ states: ["fine", "it"], deleted: [], keys: ["a", 7] },
        ...{ cells: [[1, 2], [undefined, content]], timers: [undefined, undefined] },
      };
      const thrown = assertThrows(
        () => encodeChanges(changes),
        TypeError,
        'Cannot keep state "it" of key 7 in a checkpoint: ',
      );
      assertEquals(thrown.message.includes(what), true, thrown.message);
    }
  });
});

describe("decodeChanges()", () => {
  it("refuses what another version wrote, and what is no chunk", () => {
    const bytes = encodeChanges(only(5));
    const format = bytes.indexOf(KEY_CHANGES_FORMAT, 2);
    const other = bytes.slice();
    other[format] = KEY_CHANGES_FORMAT + 1;
    assertThrows(
      () => decodeChanges(other),
      TypeError,
      `found format ${KEY_CHANGES_FORMAT + 1}, expected 1 to ${KEY_CHANGES_FORMAT}`,
    );
    for (const none of [new Uint8Array(), new Uint8Array([1, 2, 3]), bytes.slice(0, -9)]) {
      assertThrows(
        () => decodeChanges(none),
        TypeError,
        `Cannot read a chunk of state of ${none.length} bytes`,
      );
    }
  });

  it("reads what the version before wrote", () => {
    const bytes = encodeChanges(only([1, 2]));
    const before = bytes.slice();
    before[bytes.indexOf(KEY_CHANGES_FORMAT, 2)] = 1;
    assertEquals(decodeChanges(before), only([1, 2]));
  });

  it("reads bytes wherever they stand", () => {
    const bytes = encodeChanges(only([1, 2]));
    const moved = new Uint8Array(bytes.length + 3);
    moved.set(bytes, 3);
    assertEquals(decodeChanges(moved.subarray(3)), only([1, 2]));
  });
});

describe("mergeChanges()", () => {
  it("does what the older and then the newer do", () => {
    fc.assert(
      fc.property(
        changesArbitrary,
        changesArbitrary,
        changesArbitrary,
        (base, older, newer) => {
          const start = applied(new Map(), base);
          const expected = rowsOf(applied(applied(start, older), newer));
          const merged = mergeChanges(older, newer, { keepDeleted: true });
          assertEquals(rowsOf(applied(start, merged)), expected);
          const bases = [older, newer].reduce(
            (base, next) => mergeChanges(base, next, { keepDeleted: false }),
            base,
          );
          assertEquals(rowsOf(applied(new Map(), bases)), expected);
          assertEquals(bases.deleted, []);
          for (const { states, keys, cells, timers } of [merged, bases]) {
            assertEquals(cells.map((column) => column.length), states.map(() => keys.length));
            assertEquals(merged.deleted.filter((key) => merged.keys.includes(key)), []);
            assertEquals([timers.length, new Set(keys).size], [keys.length, keys.length]);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it("goes by the names of states, whatever their order", () => {
    const older = {
      ...only(1),
      states: ["sum", "seen"],
      keys: ["a", "b"],
      cells: [[1, 2], [3, 4]],
    };
    const newer = { ...only(1), states: ["last", "sum"], keys: ["b"], cells: [[5], [6]] };
    const { states, cells } = mergeChanges(older, newer, { keepDeleted: true });
    assertEquals(states, ["sum", "seen", "last"]);
    assertEquals(cells, [[1, 6], [3, undefined], [undefined, 5]]);
  });

  it("shares contents with what is merged", () => {
    const content = { a: 1 };
    const { cells } = mergeChanges(only(content), { ...only(1), keys: [] }, { keepDeleted: true });
    assertStrictEquals(cells[0]?.[0], content);
  });
});
