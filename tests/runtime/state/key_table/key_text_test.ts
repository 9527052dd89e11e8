import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { threadKeyMemory } from "../../../../runtime/state/key_table/key_memory.ts";
import {
  KeyKind,
  readKey,
  writeKey,
  writeTexts,
} from "../../../../runtime/state/key_table/key_text.ts";
import type { Key } from "../../../../runtime/key.ts";

const { areas } = threadKeyMemory;

describe("writeKey() and readKey()", () => {
  const cases: readonly (readonly [Key, number, number])[] = [
    ["", KeyKind.UTF8, 0],
    ["a", KeyKind.UTF8, 1],
    ["\0\x7f", KeyKind.UTF8, 2],
    ["a".repeat(48), KeyKind.UTF8, 48],
    ["a".repeat(49), KeyKind.UTF8, 49],
    ["\x80", KeyKind.UTF8, 2],
    [`${"a".repeat(47)}\u00fc`, KeyKind.UTF8, 49],
    ["\u6771\u4eac", KeyKind.UTF8, 6],
    ["\u{1f600}", KeyKind.UTF8, 4],
    ["\ufeffa", KeyKind.UTF8, 4],
    ["a\ud800", KeyKind.UTF16, 4],
    ["\udc00\ud800", KeyKind.UTF16, 4],
    [0, KeyKind.NUMBER, 8],
    [-1.5, KeyKind.NUMBER, 8],
  ];
  for (const [key, kind, length] of cases) {
    it(`give ${JSON.stringify(key)} back, from ${length} bytes`, () => {
      const head = writeKey(areas, key);
      assertEquals([head & 3, head >> 2], [kind, length]);
      areas.bytes[length] = 0x41;
      assertEquals(readKey(areas, head), key);
    });
  }

  it("make -0 into 0", () => {
    assertEquals(Object.is(readKey(areas, writeKey(areas, -0)), 0), true);
  });

  it("say which keys are too long", () => {
    const { length } = areas.bytes;
    assertEquals(writeKey(areas, "a".repeat(length)) >>> 2, length);
    const long = ["a".repeat(length + 1), "\u00fc".repeat(length / 2 + 1), "\ud800".repeat(length)];
    for (const key of long) {
      assertThrows(() => writeKey(areas, key), RangeError, `up to ${length} are possible`);
    }
  });
});

describe("writeTexts()", () => {
  function written(keys: readonly Key[], from = 0, to = keys.length): readonly string[] {
    const rows = writeTexts(areas, keys, from, to);
    return Array.from(
      { length: rows },
      (_, row) => new TextDecoder().decode(areas.bytes.slice(areas.starts[row], areas.ends[row])),
    );
  }

  it("writes the strings from a row on, up to another or to a number", () => {
    const keys = ["a", "bc", "", "d", 5, "e"];
    assertEquals(written(keys), ["a", "bc", "", "d"]);
    assertEquals(written(keys, 1, 3), ["bc", ""]);
    assertEquals(written(keys, 4), []);
  });

  it("knows where strings end that are not ASCII", () => {
    const keys = ["\u00fc", "a", "\u6771\u07ff\u0800", "\u{10000}\u{10ffff}", "\ud7ff\ue000", "b"];
    assertEquals(written(keys), keys);
  });

  it("stops before a string without UTF-8, even if the next one completes it", () => {
    assertEquals(written(["\u00fc", "a", "\ud83d", "\ude00"]), ["\u00fc", "a"]);
    assertEquals(written(["\ud83d", "\ude00"]), []);
  });

  it("stops where the areas could be full", () => {
    const most = "m".repeat(areas.bytes.length / 3);
    assertEquals(written([most, "a"]).length, 1);
    assertEquals(written([most.slice(1), "a", "b"]).length, 2);
    assertEquals(written([`${most}m`, "a"]).length, 0);
    const many = Array.from({ length: areas.starts.length + 1 }, () => "a");
    assertEquals(written(many).length, areas.starts.length);
  });
});
