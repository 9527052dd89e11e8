/**
 * The hash of the key table, as its source has it, beside the formula of the paper; and what it is there for.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type Random, seededRandom } from "../../../../runtime/random.ts";
import { KeyTable, NO_SLOT } from "../../../../runtime/state/key_table.ts";
import type { KeyMemory } from "../../../../runtime/state/key_table/key_memory.ts";
import { KeyKind, writeKey } from "../../../../runtime/state/key_table/key_text.ts";
import type { Key } from "../../../../runtime/key.ts";
import { hasCompiler } from "../../../wasm/compiled_module.ts";
import { changedMemory, ownMemory } from "./own_memory.ts";

const BLOCK_BYTES = 128;
const encoder = new TextEncoder();

/** The hash of keys in a table that was made with these random numbers. */
function hashIn(memory: KeyMemory, random: Random): (key: Key) => number {
  const { module, areas } = memory;
  const seeds = new Uint32Array(areas.bytes.buffer, module.bytesStart(), 2 * module.seedCount());
  for (let i = 0; i < seeds.length; i++) seeds[i] = Math.floor(random() * 2 ** 32);
  const table = module.open();
  return (key) => module.hashOf(table, writeKey(memory.areas, key)) >>> 0;
}

/** The formula: the upper half of the sum, modulo 2^64, of words times random numbers. */
function expectedHash(bytes: Uint8Array, kind: number, random: Random): number {
  const next = () => BigInt(Math.floor(random() * 2 ** 32));
  const seeds = Array.from({ length: 34 }, () => next() | next() << 32n);
  const hashOf = (words: readonly bigint[]) =>
    words.reduce((sum, word, i) => sum + (seeds[i + 1] ?? 0n) * word, seeds[0] ?? 0n) >> 32n &
    0xffffffffn;
  const wordsAt = (at: number, length: number) => {
    const view = new DataView(new ArrayBuffer(8));
    bytes.subarray(at, at + length).forEach((byte, i) => view.setUint8(i, byte));
    return [BigInt(view.getUint32(0, true)), BigInt(view.getUint32(4, true))];
  };
  let first = BigInt(4 * bytes.length + kind);
  let at = 0;
  for (; bytes.length - at > BLOCK_BYTES; at += BLOCK_BYTES) {
    const words = Array.from({ length: BLOCK_BYTES / 8 }, (_, i) => wordsAt(at + 8 * i, 8));
    first = hashOf([first, ...words.flat()]);
  }
  const words: bigint[] = [];
  for (; bytes.length - at > 8; at += 8) words.push(...wordsAt(at, 8));
  words.push(...bytes.length < 8 ? wordsAt(0, bytes.length) : wordsAt(bytes.length - 8, 8));
  return Number(hashOf([first, ...words]));
}

describe("hashOf()", () => {
  it("is the formula, for every length", async () => {
    const hash = hashIn(await ownMemory(), seededRandom(11));
    const letter = seededRandom(12);
    for (let length = 0; length < 400; length++) {
      const key = Array.from({ length }, () => String.fromCharCode(97 + letter() * 26)).join("");
      const expected = expectedHash(encoder.encode(key), KeyKind.UTF8, seededRandom(11));
      assertEquals(hash(key), expected, `${length} bytes`);
    }
    for (const key of [0, 1, -1.5, 2 ** 60]) {
      const bytes = new Uint8Array(new Float64Array([key]).buffer);
      assertEquals(hash(key), expectedHash(bytes, KeyKind.NUMBER, seededRandom(11)));
    }
    const units = new Uint8Array(new Uint16Array([0xd800]).buffer);
    assertEquals(hash("\ud800"), expectedHash(units, KeyKind.UTF16, seededRandom(11)));
  });

  it("spreads keys over buckets as chance would", async () => {
    const hash = hashIn(await ownMemory(), seededRandom(13));
    const buckets = 4096;
    const keysOf: readonly ((id: number) => Key)[] = [
      (id) => id,
      (id) => id * 2 ** 40,
      (id) => `booking-${id}`,
      (id) => `${"-".repeat(140)}${id}${"-".repeat(140)}`,
    ];
    for (const keyOf of keysOf) {
      const counts = new Uint32Array(buckets);
      for (let id = 0; id < 8 * buckets; id++) {
        const bucket = hash(keyOf(id)) % buckets;
        counts[bucket] = (counts[bucket] ?? 0) + 1;
      }
      // Chi squared: 4,095 expected, with a deviation of 90.
      const chiSquared = counts.reduce((sum, count) => sum + (count - 8) ** 2 / 8, 0);
      assert(chiSquared < 4095 + 6 * 90, `${chiSquared} for keys such as ${keyOf(1)}`);
    }
  });

  it("makes keys that collide in one table strangers in another", async () => {
    const memory = await ownMemory();
    const [known, unknown] = [hashIn(memory, seededRandom(14)), hashIn(memory, seededRandom(15))];
    const bucketOf = (hash: number) => hash & 1023;
    const colliding: string[] = [];
    for (let id = 0; colliding.length < 64; id++) {
      if (bucketOf(known(`key-${id}`)) === 0) colliding.push(`key-${id}`);
    }
    const buckets = new Set(colliding.map((key) => bucketOf(unknown(key))));
    assert(buckets.size > 48, `64 keys are in ${buckets.size} of 1024 buckets`);

    // Whoever knows the numbers can make a table slow, not wrong.
    const table = new KeyTable(seededRandom(14), memory);
    const slots = new Uint32Array(colliding.length);
    table.slotsOf(colliding, slots, slots.length, slots);
    for (const slot of [63, 0, 30]) table.release(slot);
    colliding.forEach((key, slot) => {
      assertEquals(table.find(key), [63, 0, 30].includes(slot) ? NO_SLOT : slot);
    });
  });
});

describe("keys with the same hash", { ignore: !await hasCompiler() }, () => {
  it("are told apart by their bytes, length and kind", async () => {
    const memory = await changedMemory([
      {
        file: "hash.ts",
        from: "  return (sum >> 32) as u32;\n}\n\n/** The hash of a key; ",
        to: "  return sum == 0 ? 1 : 0;\n}\n\n/** The hash of a key; ",
      },
      {
        file: "hash.ts",
        from: "  return hashBlock(seeds, at, left, first);",
        to: "  return hashBlock(seeds, at, left, first) & 0;",
      },
    ]);
    const table = new KeyTable(seededRandom(16), memory);
    const lengths = [
      0,
      1,
      2,
      7,
      8,
      9,
      15,
      16,
      17,
      31,
      32,
      33,
      45,
      46,
      47,
      60,
      61,
      70,
      76,
      120,
      135,
    ];
    const keys: Key[] = [0, 1, 5e-324, "\ud800", "\udc00", "\ud800\ud800\ud800\ud800"];
    for (const length of lengths) {
      const text = "k".repeat(length);
      keys.push(text);
      for (let at = 0; at < length; at++) keys.push(`${text.slice(0, at)}x${text.slice(at + 1)}`);
    }
    // The bytes of 5e-324, as text.
    keys.push(`\x01${"\0".repeat(7)}`, "\0".repeat(8));
    const slots = new Uint32Array(keys.length);
    for (let pass = 0; pass < 2; pass++) {
      table.slotsOf(keys, slots, keys.length, slots);
      assertEquals(slots, Uint32Array.from(keys, (_, slot) => slot));
    }
    keys.forEach((key, slot) => assertEquals([table.find(key), table.keyAt(slot)], [slot, key]));
    keys.forEach((key, slot) => slot % 2 === 1 && table.release(table.find(key)));
    keys.forEach((key, slot) => assertEquals(table.find(key), slot % 2 === 1 ? NO_SLOT : slot));
  });
});
