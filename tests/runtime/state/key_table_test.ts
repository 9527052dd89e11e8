import { assert, assertEquals, assertThrows } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { seededRandom } from "../../../runtime/random.ts";
import { KeyTable, NO_SLOT, RELEASED_SLOTS_MAX } from "../../../runtime/state/key_table.ts";
import type { Key } from "../../../runtime/key.ts";

const encoder = new TextEncoder();
const NO_GROUPS = new Uint16Array(1 << 20);

/** Keys as a column of UTF-8, with something before and between them. */
function columnOf(keys: readonly string[]): {
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
} {
  const starts = new Uint32Array(keys.length);
  const ends = new Uint32Array(keys.length);
  const bytes = encoder.encode(`x${keys.join("|")}`);
  let at = 1;
  keys.forEach((key, row) => {
    starts[row] = at;
    at += encoder.encode(key).length;
    ends[row] = at++;
  });
  return { bytes, starts, ends };
}

let table: KeyTable;

function stringSlots(keys: readonly string[], groups: ArrayLike<number> = NO_GROUPS): number[] {
  const { bytes, starts, ends } = columnOf(keys);
  const slots = new Uint32Array(keys.length);
  table.stringSlots(bytes, starts, ends, groups, keys.length, slots);
  return [...slots];
}

function slotsOf(keys: readonly Key[], groups: ArrayLike<number> = NO_GROUPS): number[] {
  const slots = new Uint32Array(keys.length);
  table.slotsOf(keys, groups, keys.length, slots);
  return [...slots];
}

function numberSlots(keys: readonly number[], groups: ArrayLike<number> = NO_GROUPS): number[] {
  const slots = new Uint32Array(keys.length);
  table.numberSlots(new Float64Array(keys), groups, keys.length, slots);
  return [...slots];
}

describe("KeyTable", () => {
  beforeEach(() => {
    table = new KeyTable(seededRandom(1));
  });
  afterEach(() => {
    table.close();
  });

  describe("stringSlots()", () => {
    it("gives each key a slot, and the same one again", () => {
      assertEquals(stringSlots(["a", "b", "a", "", "c", ""]), [0, 1, 0, 2, 3, 2]);
      assertEquals(stringSlots(["c", "d", "", "b"]), [3, 4, 2, 1]);
      assertEquals([table.size, table.capacity], [5, 5]);
    });

    it("tells keys of every length apart, and gives them back", () => {
      // Around 8 and 16, where words end; 46, where keys leave their entry; 60, a chunk; 128, a block of the hash.
      for (let length = 1; length <= 300; length++) {
        const text = "k".repeat(length);
        const keys = [text, `${text.slice(1)}x`, `x${text.slice(1)}`];
        const middle = length >> 1;
        if (length > 2) keys.push(`${text.slice(0, middle)}x${text.slice(middle + 1)}`);
        const expected = new Map(keys.map((key) => [key, table.slotOf(key, 0)]));
        assertEquals(expected.size, length === 1 ? 2 : keys.length);
        assertEquals(new Set(expected.values()).size, expected.size, `${length} bytes`);
        assertEquals(stringSlots(keys), keys.map((key) => expected.get(key)));
        for (const [key, slot] of expected) assertEquals(table.keyAt(slot), key);
      }
    });

    it("keeps a key's group as it came with the fresh slot", () => {
      stringSlots(["a", "b"], [7, 65535]);
      stringSlots(["b", "c"], new Uint16Array([1, 2]));
      assertEquals([0, 1, 2].map((slot) => table.groupAt(slot)), [7, 65535, 2]);
    });

    it("takes more rows and more bytes than fit into a call", () => {
      const keys = Array.from({ length: 40_000 }, (_, index) => `key-${index % 30_000}`);
      const groups = Uint16Array.from(keys, (_, index) => index);
      assertEquals(stringSlots(keys, groups), keys.map((_, index) => index % 30_000));
      assertEquals([table.groupAt(20_000), table.groupAt(29_999)], [20_000, 29_999]);

      const bytes = new Uint8Array(50 << 20);
      const ends = new Uint32Array([3, 20 << 20, 50 << 20, 3]);
      bytes[2] = bytes[(20 << 20) - 1] = 0x61;
      const slots = new Uint32Array(4);
      table.stringSlots(bytes, ends.map((end) => end - 3), ends, NO_GROUPS, 4, slots);
      assertEquals(slots, new Uint32Array([30_000, 30_000, 30_001, 30_000]));
      assertEquals(table.keyAt(30_000), "\0\0a");
    });

    it("takes keys of 10 MiB, and says which are too long", () => {
      const long = "y".repeat(10 << 20);
      assertEquals(stringSlots([long, `${long}z`, long]), [0, 1, 0]);
      assertEquals(table.keyAt(0), long);
      const bytes = new Uint8Array(17 << 20);
      const ends = new Uint32Array([bytes.length]);
      assertThrows(
        () => table.stringSlots(bytes, new Uint32Array(1), ends, [0], 1, new Uint32Array(1)),
        RangeError,
        "Cannot look up a key of 17825792 bytes or more: up to 16777216 are possible",
      );
    });

    it("says what does not fit together", () => {
      const bytes = new Uint8Array(4);
      const look = (start: number, end: number, groups = [0], rows = 1) => () =>
        table.stringSlots(
          bytes,
          new Uint32Array([start]),
          new Uint32Array([end]),
          groups,
          rows,
          new Uint32Array(1),
        );
      assertThrows(look(0, 5), RangeError, "not within 4 bytes");
      assertThrows(look(3, 2), RangeError, "not within 4 bytes");
      assertThrows(look(0, 4, []), RangeError, "1 keys as groups has 0 rows");
      assertThrows(look(0, 4, [0], 2), RangeError, "2 keys as starts has 1 rows");
      for (const group of [-1, 0.5, 65536]) {
        assertThrows(look(0, 4, [group]), RangeError, `Cannot keep key group ${group}`);
      }
      look(4, 4, [], 0)();
      assertEquals(table.size, 0);
    });
  });

  describe("numberSlots()", () => {
    it("gives each number a slot; 0 and -0 are one", () => {
      const keys = [1, 0, -0, 1.5, 2 ** 53, 2 ** 53 + 2, -1, 5e-324, 1, Number.MAX_VALUE];
      assertEquals(numberSlots(keys), [0, 1, 1, 2, 3, 4, 5, 6, 0, 7]);
      assertEquals(numberSlots([-0]), [1]);
      assert(Object.is(table.keyAt(1), 0));
      assertEquals([0, 2, 3, 6].map((slot) => table.keyAt(slot)), [1, 1.5, 2 ** 53, 5e-324]);
    });

    it("takes more rows than fit into a call, and keeps groups", () => {
      const keys = Array.from({ length: 40_000 }, (_, index) => index / 4);
      assertEquals(numberSlots(keys, keys.map((_, index) => index)), keys.map((_, index) => index));
      assertEquals([table.groupAt(16_384), table.keyAt(39_999)], [16_384, 9999.75]);
    });
  });

  describe("slotsOf()", () => {
    it("tells strings from numbers that read the same", () => {
      assertEquals(slotsOf(["1", 1, "0", -0, 0, "-0", "1"]), [0, 1, 2, 3, 3, 4, 0]);
      assertEquals([0, 1].map((slot) => table.keyAt(slot)), ["1", 1]);
    });

    it("finds the keys that came as bytes", () => {
      const keys = ["a", "z\u00fcrich", "", "\u6771\u4eac", "\u{1f600}", "b".repeat(70), "c"];
      assertEquals(stringSlots(keys), [0, 1, 2, 3, 4, 5, 6]);
      assertEquals(slotsOf(keys), [0, 1, 2, 3, 4, 5, 6]);
      assertEquals(slotsOf(["new", "\u00fc"]), [7, 8]);
      assertEquals(keys.map((key) => table.find(key)), [0, 1, 2, 3, 4, 5, 6]);
      assertEquals(keys.map((_, slot) => table.keyAt(slot)), keys);
    });

    it("keeps apart strings that have no UTF-8, alone and side by side", () => {
      const keys = ["x", "\ud800", "\udc00", "\ufffd", "\ud800\udc00", "\ud801", "y", 5, "\ud800"];
      assertEquals(slotsOf(keys), [0, 1, 2, 3, 4, 5, 6, 7, 1]);
      assertEquals(keys.map((key) => table.find(key)), [0, 1, 2, 3, 4, 5, 6, 7, 1]);
      assertEquals(keys.slice(0, 8).map((_, slot) => table.keyAt(slot)), keys.slice(0, 8));
      // As many bytes as the UTF-16 of "\ud800", and the same.
      assertEquals(table.find("\0\u0620"), NO_SLOT);
    });

    it("takes many rows, long strings, and groups", () => {
      const keys = Array.from({ length: 40_000 }, (_, i) => i % 3 === 0 ? i : `k${i}`);
      assertEquals(slotsOf(keys, keys.map((_, i) => i % 1000)), keys.map((_, i) => i));
      assertEquals([table.groupAt(39_999), table.keyAt(39_998)], [999, "k39998"]);
      const long = "l".repeat(3 << 20);
      assertEquals(slotsOf([long, `${long}1`, "a", `${long}2`, long]), [
        40_000,
        40_001,
        40_002,
        40_003,
        40_000,
      ]);
      const longer = "\u00fc".repeat(7 << 20);
      assertEquals(slotsOf(["b", longer, "a"]), [40_004, 40_005, 40_002]);
      assertEquals(table.keyAt(40_005), longer);
    });

    it("says which keys are too long", () => {
      for (const key of ["t".repeat(17 << 20), `\ud800${"t".repeat(9 << 20)}`]) {
        assertThrows(() => slotsOf([key]), RangeError, "Cannot look up a key of");
        assertThrows(() => table.find(key), RangeError, "Cannot look up a key of");
      }
      assertEquals(slotsOf(["a"]), [0]);
    });
  });

  describe("slotOf() and find()", () => {
    it("make one slot, and none", () => {
      assertEquals([table.find("a"), table.size], [NO_SLOT, 0]);
      assertEquals([table.slotOf("a", 3), table.slotOf("a", 4), table.find("a")], [0, 0, 0]);
      assertEquals([table.slotOf(7, 5), table.find(7), table.find("7")], [1, 1, NO_SLOT]);
      assertEquals([table.groupAt(0), table.groupAt(1)], [3, 5]);
      assertThrows(() => table.slotOf("b", 70_000), RangeError, "Cannot keep key group 70000");
    });
  });

  describe("release()", () => {
    it("gives the slot to another key, the last one first", () => {
      slotsOf(["a", "b", "c", "d"]);
      for (const slot of [1, 3]) table.release(slot);
      assertEquals([table.size, table.capacity, table.find("b")], [2, 4, NO_SLOT]);
      assertEquals(slotsOf(["e", "b", "f"], [5, 6, 7]), [3, 1, 4]);
      assertEquals([3, 1, 4].map((slot) => table.keyAt(slot)), ["e", "b", "f"]);
      assertEquals([3, 1, 4].map((slot) => table.groupAt(slot)), [5, 6, 7]);
    });

    it("drops the key as a value", () => {
      slotsOf(["a", 1]);
      assertEquals([table.keyAt(0), table.keyAt(1)], ["a", 1]);
      table.release(0);
      table.release(1);
      assertEquals(slotsOf([2, "b"]), [1, 0]);
      assertEquals([table.keyAt(0), table.keyAt(1)], ["b", 2]);
    });

    it("may be called for any number of slots", () => {
      const count = 3 * RELEASED_SLOTS_MAX + 1;
      const keys = Array.from({ length: count }, (_, index) => index);
      numberSlots(keys);
      for (let slot = 0; slot < count; slot += 2) table.release(slot);
      assertEquals(table.size, count >> 1);
      assertEquals(table.find(2), NO_SLOT);
      assertEquals(table.find(3), 3);
      assertEquals([...table.slots()], keys.filter((key) => key % 2 === 1));
    });

    it("of a slot that has no key makes the next call fail, and no more", () => {
      slotsOf(["a", "b"]);
      for (const slots of [[2], [1, 1], [4096]]) {
        for (const slot of slots) table.release(slot);
        const message = `Cannot release slot ${slots[0]}: it has no key`;
        assertThrows(() => table.find("a"), RangeError, message);
        assertEquals(table.find("a"), 0);
      }
      assertEquals([table.find("b"), table.slotOf("b", 0), table.size], [NO_SLOT, 1, 2]);
    });
  });

  describe("keyAt() and groupAt()", () => {
    it("say which slots have no key", () => {
      slotsOf(["a", "b"]);
      table.keyAt(1);
      table.release(1);
      for (const slot of [1, 2, 5000]) {
        assertThrows(() => table.keyAt(slot), RangeError, `Cannot tell the key of slot ${slot}`);
        assertThrows(() => table.groupAt(slot), RangeError, `the key group of slot ${slot}`);
      }
    });
  });

  describe("groupOf()", () => {
    it("says the group of a slot in use, also while others have just been released", () => {
      slotsOf(["a", "b"]);
      const slot = table.slotOf("c", 9);
      table.release(0);
      assertEquals(table.groupOf(slot), 9);
      assertThrows(() => table.groupOf(5000), RangeError, "the key group of slot 5000");
    });
  });

  describe("a table", () => {
    it("agrees with a Map, whatever is done", () => {
      const random = seededRandom(20);
      const below = (limit: number) => Math.floor(random() * limit);
      const kinds: readonly ((id: number) => Key)[] = [
        (id) => `booking-${id}`,
        (id) => id - 500,
        (id) => `${id}-${"long".repeat(id % 90)}`,
        (id) => `\u00fc\u{1f600}${id}`,
        (id) => `\udfff${id}`,
      ];
      const keyOf = (id: number): Key => kinds[id % kinds.length]?.(id) ?? "";
      const model = new Map<Key, { readonly slot: number; readonly group: number }>();
      const owners = new Map<number, Key>();

      for (let round = 0; round < 1500; round++) {
        // A table that grows for a while, and then shrinks.
        const ids = 1 + (round < 1000 ? round * 8 : (1500 - round) * 4);
        const keys = Array.from({ length: below(60) }, () => keyOf(below(ids)));
        const groups = keys.map(() => below(1000));
        slotsOf(keys, groups).forEach((slot, row) => {
          const key = keys[row] ?? "";
          const known = model.get(key);
          assertEquals(slot, known?.slot ?? slot);
          assertEquals(owners.get(slot) ?? key, key);
          owners.set(slot, key);
          if (known === undefined) model.set(key, { slot, group: groups[row] ?? 0 });
        });
        const released = round < 1000 ? below(40) : below(90);
        for (const [key, { slot, group }] of [...model].slice(0, released)) {
          assertEquals([table.keyAt(slot), table.groupAt(slot)], [key, group]);
          table.release(slot);
          model.delete(key);
          owners.delete(slot);
        }
        const absent = keyOf(below(ids));
        assertEquals(table.find(absent), model.get(absent)?.slot ?? NO_SLOT);
        assertEquals(table.size, model.size);
      }
      const slots = [...model.values()].map(({ slot }) => slot);
      assertEquals([...table.slots()], slots.sort((a, b) => a - b));
    });

    it("grows to 300,000 keys, over the borders of all segments, and finds each", () => {
      const keys = Array.from({ length: 300_000 }, (_, index) => `key-${index * 7}`);
      const expected = Uint32Array.from(keys, (_, index) => index);
      for (const find of [stringSlots, slotsOf]) {
        assert(find(keys).every((slot, index) => slot === expected[index]));
      }
      assertEquals([table.size, table.capacity], [300_000, 300_000]);
      for (let slot = 0; slot < 300_000; slot++) if (slot % 1000 !== 0) table.release(slot);
      assertEquals(table.size, 300);
      assertEquals([...table.slots()], Array.from({ length: 300 }, (_, index) => index * 1000));
      for (let slot = 0; slot < 300_000; slot += 1000) assertEquals(table.keyAt(slot), keys[slot]);
      const found = new Set(slotsOf(keys));
      assertEquals([found.size, table.capacity], [300_000, 300_000]);
    });

    it("is independent of others in the same memory", () => {
      const other = new KeyTable(seededRandom(2));
      slotsOf(["a", "b"]);
      assertEquals([other.find("a"), other.size], [NO_SLOT, 0]);
      assertEquals(other.slotOf("b", 9), 0);
      for (let id = 0; id < 20_000; id++) other.slotOf(id, 1);
      assertEquals([table.find("b"), table.groupAt(1), other.find("b")], [1, 0, 0]);
      other.close();
      assertEquals(slotsOf(["b", "c"]), [1, 2]);
    });

    it("can't be used once it is closed, but may be closed again", () => {
      slotsOf(["a"]);
      table.release(0);
      table.close();
      table.close();
      for (
        const use of [
          () => table.find("a"),
          () => table.size,
          () => table.capacity,
          () => table.keyAt(0),
          () => [...table.slots()],
          () => slotsOf(["a"]),
        ]
      ) {
        assertThrows(use, TypeError, "Cannot use a key table that is closed");
      }
    });
  });
});
