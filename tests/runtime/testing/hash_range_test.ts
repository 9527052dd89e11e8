import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  evenHashRanges,
  halves,
  HASH_KEY_COUNT,
  hashKeyOf,
  holds,
  joined,
} from "../../../runtime/testing/hash_range.ts";

describe("hash ranges", () => {
  it("hashKeyOf() is the MD5 of the text's UTF-8 bytes", () => {
    // The first three from RFC 1321, A.5.
    assertEquals(hashKeyOf("a"), 0x0cc175b9c0f1b6a831c399e269772661n);
    assertEquals(hashKeyOf("abc"), 0x900150983cd24fb0d6963f7d28e17f72n);
    assertEquals(hashKeyOf("message digest"), 0xf96b697d7cb7938d525a2f31aaf161d0n);
    assertEquals(hashKeyOf("é"), hashKeyOf(new TextDecoder().decode(Uint8Array.of(0xc3, 0xa9))));
  });

  it("evenHashRanges() has the ends that the service gives a stream", () => {
    // DescribeStream of streams created with 1, 2 and 3 shards.
    const ends = (count: number) =>
      evenHashRanges(count).map(({ start, end }) => [`${start}`, `${end}`]);
    assertEquals(ends(1), [["0", "340282366920938463463374607431768211455"]]);
    assertEquals(ends(2), [
      ["0", "170141183460469231731687303715884105727"],
      ["170141183460469231731687303715884105728", "340282366920938463463374607431768211455"],
    ]);
    assertEquals(ends(3), [
      ["0", "113427455640312821154458202477256070484"],
      ["113427455640312821154458202477256070485", "226854911280625642308916404954512140969"],
      ["226854911280625642308916404954512140970", "340282366920938463463374607431768211455"],
    ]);
  });

  it("evenHashRanges(), halves() and joined() cover every hash key exactly once", () => {
    for (const count of [1, 2, 3, 7, 100]) {
      const ranges = evenHashRanges(count).flatMap(halves);
      assertEquals(ranges[0]?.start, 0n);
      assertEquals(ranges.at(-1)?.end, HASH_KEY_COUNT - 1n);
      ranges.forEach(({ start }, index) =>
        assertEquals(start, index === 0 ? 0n : (ranges[index - 1]?.end ?? 0n) + 1n)
      );
      const [one, other] = ranges;
      if (one === undefined || other === undefined) continue;
      assertEquals(joined(other, one), evenHashRanges(count)[0]);
    }
  });

  it("halves() cuts in the middle", () => {
    const [whole] = evenHashRanges(1);
    assertEquals(whole && halves(whole), evenHashRanges(2));
  });

  it("holds() includes both ends", () => {
    const range = { start: 2n, end: 4n };
    assertEquals([1n, 2n, 4n, 5n].map((key) => holds(range, key)), [false, true, true, false]);
  });

  it("joined() refuses ranges that do not touch", () => {
    assertEquals(joined({ start: 0n, end: 1n }, { start: 3n, end: 4n }), undefined);
  });
});
