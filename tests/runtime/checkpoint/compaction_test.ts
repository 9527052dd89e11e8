import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  CHAIN_LENGTH_MAX,
  compacted,
  isToBeCompacted,
} from "../../../runtime/checkpoint/compaction.ts";

const chainOf = (...lengths: readonly number[]) =>
  lengths.map((length, offset) => ({ part: "p", offset, length, keys: 1, deleted: 0 }));

describe("isToBeCompacted()", () => {
  it("is so when changes have more bytes than the base", () => {
    assertEquals(isToBeCompacted(chainOf(100, 60, 40)), false);
    assertEquals(isToBeCompacted(chainOf(100, 60, 41)), true);
    assertEquals(isToBeCompacted(chainOf(0, 1)), true);
  });

  it("is so when there are too many chunks, however small", () => {
    const ones = new Array<number>(CHAIN_LENGTH_MAX - 1).fill(1);
    assertEquals(isToBeCompacted(chainOf(1000, ...ones)), false);
    assertEquals(isToBeCompacted(chainOf(1000, ...ones, 1)), true);
  });

  it("is never so for a base alone, or nothing", () => {
    assertEquals([chainOf(), chainOf(0), chainOf(100)].map(isToBeCompacted), [false, false, false]);
  });

  it("writes each byte of changes at most twice, and keeps chains short", () => {
    let chain = chainOf(1000);
    let [changed, written] = [0, 0];
    for (let time = 0; time < 10_000; time++) {
      const length = 1 + (time * 7919) % 300;
      changed += length;
      chain = [...chain, ...chainOf(length)];
      if (!isToBeCompacted(chain)) continue;
      // All keys are the same ones, so the base stays as large as it was.
      chain = chainOf(1000);
      written += 1000;
    }
    assertEquals(written <= changed, true);
  });
});

describe("compacted()", () => {
  it("merges in the order of the chain, whichever is read first", async () => {
    const waiting: (() => void)[] = [];
    const merged = compacted(
      chainOf(1, 2, 3),
      ({ length }) =>
        new Promise((resolve) => waiting.unshift(() => resolve(new Uint8Array([length])))),
      (chunks, { keepDeleted }) => {
        assertEquals(keepDeleted, false);
        return new Uint8Array(chunks.flatMap((bytes) => [...bytes]));
      },
    );
    for (const goOn of waiting) goOn();
    assertEquals(await merged, new Uint8Array([1, 2, 3]));
  });

  it("refuses an empty chain", async () => {
    const none = () => new Uint8Array();
    await assertRejects(() => compacted([], none, none), RangeError, "no chunks");
  });
});
