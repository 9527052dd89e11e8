import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { keysIn, mergeChain, readChain } from "../../../runtime/state/key_chain.ts";
import { encodeChanges } from "../../../runtime/state/key_changes.ts";

/** Changes with one state, `sum`. */
function changes(put: Readonly<Record<string, number>>, ...deleted: string[]) {
  return encodeChanges({
    states: ["sum"],
    deleted,
    keys: Object.keys(put),
    cells: [Object.values(put)],
    timers: [],
  });
}

function sumsOf(chain: readonly Uint8Array[]) {
  const { keys, cells } = readChain(chain);
  return Object.fromEntries(keys.map((key, row) => [key, cells[0]?.[row]]));
}

describe("readChain()", () => {
  it("has nothing in an empty chain, and in a base what is in it", () => {
    assertEquals(readChain([]), { states: [], deleted: [], keys: [], cells: [], timers: [] });
    assertEquals(sumsOf([changes({ a: 1, b: 2 })]), { a: 1, b: 2 });
  });

  it("takes changes in their order: put, deleted, put again", () => {
    const chain = [
      changes({ a: 1, b: 2, c: 3 }),
      changes({ b: 20 }, "a"),
      changes({ a: 100 }, "c"),
      changes({ d: 4 }, "b"),
    ];
    assertEquals(sumsOf(chain), { a: 100, d: 4 });
    assertEquals(readChain(chain).deleted, []);
  });

  it("knows no deleted keys of a base", () => {
    assertEquals(readChain([changes({ a: 1 }, "z")]).deleted, []);
  });
});

describe("mergeChain()", () => {
  it("makes one base of it, upon which changes go on", () => {
    const base = mergeChain([changes({ a: 1, b: 2 }), changes({ c: 3 }, "a")]);
    assertEquals([keysIn(base), sumsOf([base])], [2, { b: 2, c: 3 }]);
    assertEquals(sumsOf([base, changes({}, "b")]), { c: 3 });
    assertEquals(keysIn(mergeChain([changes({ a: 1 }), changes({}, "a")])), 0);
  });
});
