import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { GateWatermark } from "../../../runtime/time/gate_watermark.ts";
import type { WatermarkEvent } from "../../../runtime/time/watermark.ts";

const advance = (at: number): WatermarkEvent => ({ kind: "advance", at });

describe("GateWatermark", () => {
  it("combines splits of a source first, then sources and channels", () => {
    const splits = new Map([["a", ["a/0", "a/1"]], ["b", ["b/0"]]]);
    const gate = new GateWatermark({ splits, channels: ["stage@0"] });
    gate.apply("stage@0", advance(20));
    gate.apply("b/0", advance(9));
    gate.apply("a/0", advance(7));
    assertEquals(gate.at, -Infinity);
    gate.apply("a/1", { kind: "idle" });
    assertEquals(gate.at, 7);
    // A split that comes back holds its source; a channel that does is left out until it has caught up.
    gate.apply("a/1", advance(3));
    gate.apply("a/0", advance(30));
    gate.apply("b/0", advance(30));
    assertEquals(gate.at, 7);
    gate.apply("stage@0", { kind: "idle" });
    gate.apply("a/1", advance(40));
    assertEquals(gate.at, 30);
    gate.apply("stage@0", { kind: "active" });
    gate.apply("a/0", advance(35));
    gate.apply("b/0", advance(35));
    assertEquals([gate.at, gate.idle], [35, false]);
  });

  it("leaves out a source whose splits have all ended", () => {
    const splits = new Map([["a", ["a/0"]], ["b", ["b/0"]]]);
    const gate = new GateWatermark({ splits, channels: [] });
    gate.apply("a/0", advance(3));
    gate.apply("b/0", advance(9));
    assertEquals(gate.at, 3);
    gate.apply("a/0", { kind: "ended", successors: [] });
    assertEquals(gate.at, 9);
  });

  it("finds the source with the longest name that an origin has", () => {
    const splits = new Map([["a", ["a/0"]], ["a/b", ["a/b/0"]]]);
    const gate = new GateWatermark({ splits, channels: [] });
    gate.apply("a/b/0", advance(3));
    gate.apply("a/0", advance(5));
    assertEquals(gate.at, 3);
  });

  it("does not wait for a source without shards until it has one", () => {
    const gate = new GateWatermark({ splits: new Map([["a", []], ["b", ["b/0"]]]), channels: [] });
    gate.apply("b/0", advance(5));
    assertEquals(gate.at, 5);
  });
});
