import { assert, assertEquals, assertNotStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { seededRandom } from "../../../../runtime/random.ts";
import { KeyTable } from "../../../../runtime/state/key_table.ts";
import {
  KEY_TABLE_MEMORY_BYTES_MAX,
  type KeyMemory,
} from "../../../../runtime/state/key_table/key_memory.ts";
import { ownMemory } from "./own_memory.ts";

const PAGE_BYTES = 65536;
const SEGMENT_PAGES = 4;

function bytesOf({ module }: KeyMemory): number {
  return module.memory.buffer.byteLength;
}

/** Leaves a memory as many segments as there are. */
function leaveSegments({ module }: KeyMemory, segments: number): void {
  const pages = (KEY_TABLE_MEMORY_BYTES_MAX - module.memory.buffer.byteLength) / PAGE_BYTES;
  module.memory.grow(pages - segments * SEGMENT_PAGES);
}

describe("key_table.wasm", () => {
  it("exports what is used", async () => {
    const { module } = await ownMemory();
    assertEquals(Object.keys(module).toSorted(), [
      "byteSlots",
      "bytesMax",
      "bytesStart",
      "capacity",
      "close",
      "endsStart",
      "find",
      "groupAt",
      "groupsStart",
      "hashOf",
      "measure",
      "memory",
      "nextSlot",
      "numberSlots",
      "open",
      "readKey",
      "release",
      "rowsMax",
      "seedCount",
      "size",
      "slotOf",
      "slotsStart",
      "spanEnd",
      "spanStart",
      "startsStart",
    ]);
  });

  it("takes no more memory than KEY_TABLE_MEMORY_BYTES_MAX", async () => {
    const memory = await ownMemory();
    leaveSegments(memory, 0);
    assertEquals(bytesOf(memory), KEY_TABLE_MEMORY_BYTES_MAX);
    assertThrows(() => memory.module.memory.grow(1), RangeError);
  });
});

describe("KeyMemory.areas", () => {
  it("are views of the memory as it is, also when it has grown", async () => {
    const memory = await ownMemory();
    const before = memory.areas;
    assertEquals(memory.areas, before);
    memory.module.memory.grow(1);
    assertNotStrictEquals(memory.areas, before);
    assertEquals(memory.areas.bytes.length, memory.bytesMax);
    assertEquals(memory.areas.slots.length, memory.rowsMax);
  });

  it("do not overlap", async () => {
    const { bytes, starts, ends, groups, slots } = (await ownMemory()).areas;
    const areas = [starts, ends, groups, slots, bytes];
    areas.forEach((area, index) => area.fill(index + 1));
    areas.forEach((area, index) => assert(area.every((value) => value === index + 1)));
  });
});

describe("the memory of key tables", () => {
  it("is taken again by the next table once one is closed", async () => {
    const memory = await ownMemory();
    const fill = () => {
      const table = new KeyTable(seededRandom(3), memory);
      for (let id = 0; id < 40_000; id++) table.slotOf(id, 0);
      for (let id = 0; id < 2000; id++) table.slotOf(`${id}${"long".repeat(100)}`, 0);
      return table;
    };
    fill().close();
    const before = bytesOf(memory);
    for (let round = 0; round < 20; round++) {
      const [first, second] = [new KeyTable(seededRandom(4), memory), fill()];
      assertEquals([first.size, second.size, second.find(39_999)], [0, 42_000, 39_999]);
      first.close();
      second.close();
    }
    // The second table that is open at a time may have needed some.
    assert(bytesOf(memory) <= before * 1.25, `${bytesOf(memory)} after ${before} bytes`);
  });

  it("is taken again by other keys once keys are released, long ones too", async () => {
    const memory = await ownMemory();
    const table = new KeyTable(seededRandom(5), memory);
    const pass = (name: string) => {
      const keys = Array.from({ length: 500 }, (_, id) => `${name}${id}`.repeat(1 + id % 200));
      const slots = new Uint32Array(keys.length);
      table.slotsOf(keys, slots, keys.length, slots);
      for (const slot of slots) table.release(slot);
      return table.capacity;
    };
    assertEquals(pass("first"), 500);
    const before = bytesOf(memory);
    for (let round = 0; round < 200; round++) assertEquals(pass(`${round % 7}-keys`), 500);
    assertEquals(bytesOf(memory), before);
  });

  it("once full, leaves tables as they were and says what to do", async () => {
    const memory = await ownMemory();
    // One for the table, one for its buckets, one for 4,096 entries.
    leaveSegments(memory, 3);
    const table = new KeyTable(seededRandom(6), memory);
    const message =
      "Cannot keep another key beside 4096: the key tables of this thread have filled " +
      "2048 MiB; use more workers, or clear the state of keys that are done";
    const keys = Float64Array.from({ length: 5000 }, (_, id) => id);
    const slots = new Uint32Array(5000);
    assertThrows(() => table.numberSlots(keys, keys, 5000, slots), RangeError, message);
    assertThrows(() => table.slotsOf(["a"], [0], 1, slots), RangeError, message);
    assertThrows(() => table.slotOf("a", 0), RangeError, message);
    assertThrows(
      () => new KeyTable(seededRandom(7), memory),
      RangeError,
      "Cannot open a key table",
    );
    assertEquals([table.size, table.find(4095), table.find(4096)], [4096, 4095, -1]);

    table.release(7);
    // A slot is there for it, and no chunk.
    const long = "long".repeat(50);
    assertThrows(() => table.slotOf(long, 0), RangeError, "beside 4095");
    assertEquals([table.find(long), table.slotOf("a", 0)], [-1, 7]);
    table.close();
    assertEquals(new KeyTable(seededRandom(8), memory).slotOf("b", 0), 0);
  });

  it("may be too full to split buckets, and keys are found still", async () => {
    const memory = await ownMemory();
    // Two for each table and nine for entries: from 32,768 keys on one more would be needed for buckets.
    leaveSegments(memory, 2 + 2 + 9);
    const other = new KeyTable(seededRandom(9), memory);
    const table = new KeyTable(seededRandom(9), memory);
    const count = 9 * 4096;
    const keys = Float64Array.from({ length: count }, (_, id) => id);
    const slots = new Uint32Array(count);
    for (let pass = 0; pass < 2; pass++) {
      table.numberSlots(keys, keys.map(() => 0), count, slots);
      assert(slots.every((slot, id) => slot === id));
    }
    assertThrows(() => table.slotOf(-1, 0), RangeError, `beside ${count}`);

    // Now there is memory, and with each key that comes two buckets are split.
    other.close();
    for (let slot = 0; slot < count; slot++) {
      table.release(slot);
      assertEquals(table.slotOf(-1 - slot, 0), slot);
    }
    assertEquals(table.size, count);
    for (let slot = 0; slot < count; slot++) assertEquals(table.find(-1 - slot), slot);
  });
});
