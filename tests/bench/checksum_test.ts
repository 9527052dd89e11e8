/**
 * The checksum is a definition that other engines' runners share: these are its published vectors.
 *
 * @module
 */

import { assertEquals, assertNotEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Checksum } from "./checksum.ts";

function sumOf(...lines: string[]): Checksum {
  const sum = new Checksum();
  for (const line of lines) sum.add(line);
  return sum;
}

describe("Checksum", () => {
  it("add() sums FNV-1a hashes of lines", () => {
    assertEquals(new Checksum().hex(), "000000000000");
    assertEquals(sumOf("").hex(), "0000811c9dc5");
    assertEquals(sumOf("a").hex(), "0000e40c292c");
    assertEquals(sumOf("foobar").hex(), "0000bf9cf968");
    assertEquals(sumOf("a", "foobar").hex(), "0001a3a92294");
    assertEquals(sumOf("a", "foobar").outputs, 2);
  });

  it("add() does not look at the order of lines but at how often each comes", () => {
    assertEquals(sumOf("a", "b", "c").hex(), sumOf("c", "a", "b").hex());
    assertNotEquals(sumOf("a", "b").hex(), sumOf("a", "b", "b").hex());
  });

  it("add() hashes UTF-8 bytes of lines of any length", () => {
    const line = "é".repeat(10_000);
    const bytes = new TextEncoder().encode(`..${line}.`);
    const sum = new Checksum();
    sum.addBytes(bytes, 2, bytes.length - 1);
    assertEquals(sum.hex(), sumOf(line).hex());
  });

  it("merge() adds what another thread summed, modulo 2^48", () => {
    const sum = sumOf("a");
    sum.merge(sumOf("foobar", ""));
    assertEquals(
      [sum.hex(), sum.outputs],
      [sumOf("a", "foobar", "").hex(), 3],
    );
    sum.merge({ outputs: 1, sum: 2 ** 48 - sum.sum + 5 });
    assertEquals(sum.hex(), "000000000005");
  });
});
