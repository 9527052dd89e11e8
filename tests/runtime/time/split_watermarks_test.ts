import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { SplitWatermarks } from "../../../runtime/time/split_watermarks.ts";
import type { WatermarkEvent } from "../../../runtime/time/watermark.ts";

const advance = (at: number) => ({ kind: "advance", at } as const);
const idle = { kind: "idle" } as const;
const active: WatermarkEvent = { kind: "active" };
const ended = (...successors: string[]): WatermarkEvent => ({ kind: "ended", successors });

describe("SplitWatermarks", () => {
  it("is the least of the active, never going back", () => {
    const splits = new SplitWatermarks(["a", "b"]);
    assertEquals(splits.apply("a", advance(5)), []);
    assertEquals(splits.apply("b", advance(3)), [advance(3)]);
    assertEquals(splits.apply("b", advance(2)), []);
    assertEquals(splits.apply("b", advance(9)), [advance(5)]);
  });

  it("counts one that comes back at once, and holds until it has caught up", () => {
    const splits = new SplitWatermarks(["a", "b"]);
    splits.apply("a", advance(5));
    assertEquals(splits.apply("b", idle), [advance(5)]);
    assertEquals(splits.apply("b", advance(1)), []);
    assertEquals(splits.apply("a", advance(9)), []);
    assertEquals(splits.apply("b", advance(7)), [advance(7)]);
  });

  it("goes to the furthest when the last turns idle, and is active again with a rising watermark only", () => {
    const splits = new SplitWatermarks(["a", "b"]);
    splits.apply("a", advance(5));
    splits.apply("a", idle);
    splits.apply("b", advance(2));
    assertEquals(splits.apply("b", idle), [advance(5), idle]);
    assertEquals(splits.apply("b", idle), [idle]);
    assertEquals(splits.apply("b", active), []);
    assertEquals(splits.apply("b", advance(4)), []);
    assertEquals(splits.apply("b", advance(6)), [active, advance(6)]);
  });

  it("knows at once what is said deferred, and counts it with the next that is not", () => {
    const splits = new SplitWatermarks(["a", "b"]);
    assertEquals(splits.apply("a", { ...advance(5), deferred: true }), []);
    assertEquals(splits.apply("b", { ...advance(7), deferred: true }), []);
    assertEquals(splits.apply("a", { kind: "settle" }), [advance(5)]);
    splits.apply("a", { ...advance(8), deferred: true });
    assertEquals(splits.apply("b", { ...idle, deferred: true }), []);
    assertEquals(splits.apply("a", active), [advance(8)]);
  });

  it("waits for one that joins, and does not move when one is let go", () => {
    const splits = new SplitWatermarks([]);
    assertEquals(splits.apply("a", { kind: "joined" }), [{ kind: "joined" }]);
    splits.apply("a", advance(5));
    assertEquals(splits.apply("b", { kind: "joined" }), []);
    assertEquals(splits.apply("a", advance(8)), []);
    assertEquals(splits.apply("b", ended()), []);
    assertEquals(splits.apply("a", advance(9)), [advance(9)]);
    assertEquals(splits.apply("a", ended()), [ended()]);
    assertEquals(splits.apply("a", ended("x")), []);
  });

  it("gives children their parent's place, though they were named before, until they speak", () => {
    const splits = new SplitWatermarks(["p", "q"]);
    splits.apply("p", advance(8));
    splits.apply("q", advance(5));
    splits.apply("c", { kind: "joined" });
    splits.apply("p", ended("c"));
    assertEquals(splits.apply("q", advance(9)), [advance(8)]);
    splits.apply("q", ended("c"));
    assertEquals(splits.apply("c", advance(10)), [advance(10)]);
    // One that has spoken takes no parent's place any more.
    splits.apply("r", advance(2));
    splits.apply("r", ended("c"));
    assertEquals(splits.apply("c", advance(11)), [advance(11)]);
  });

  it("gives a child of a merge the older of its parents' watermarks", () => {
    const splits = new SplitWatermarks(["p", "q", "r"]);
    splits.apply("p", advance(5));
    splits.apply("q", advance(8));
    splits.apply("p", ended("c"));
    splits.apply("q", ended("c"));
    assertEquals(splits.apply("r", advance(9)), [advance(5)]);
  });
});
