import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type GateOrigins, GateWatermark } from "../../../runtime/time/gate_watermark.ts";
import type { WatermarkEvent } from "../../../runtime/time/watermark.ts";

const advance = (at: number): WatermarkEvent => ({ kind: "advance", at });

describe("GateWatermark", () => {
  it("waits for a part that joins as if it had said what its siblings have", () => {
    const gate = new GateWatermark({ splits: new Map(), channels: ["sum@0", "sum@1", "other@0"] });
    for (const [name, at] of [["sum@0", 9], ["sum@1", 5], ["other@0", 20]] as const) {
      gate.apply(name, advance(at));
    }
    gate.joinPart("sum@2", ["sum@0", "sum@1", "sum@2"]);
    for (const name of ["sum@0", "sum@1"]) gate.apply(name, advance(15));
    assertEquals(gate.at, 5);
    gate.apply("sum@2", advance(12));
    assertEquals(gate.at, 12);
    // Where the siblings have ended, there is nobody to wait for.
    gate.joinPart("gone@1", ["gone@0"]);
    gate.apply("sum@2", advance(15));
    assertEquals(gate.at, 15);
  });

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

  const restored = (gate: GateWatermark, origins: GateOrigins) =>
    new GateWatermark(origins, gate.snapshot());

  it("waits after a restart for whom it waited, and for origins that are new", () => {
    const splits = new Map([["a", ["a/0"]]]);
    const gate = new GateWatermark({ splits, channels: ["x/y@0"] });
    gate.apply("a/0", advance(5));
    gate.apply("x/y@0", advance(7));
    assertEquals(gate.at, 5);
    // A shard that was found at the restart, and one that the source split into.
    gate.apply("a/0", { kind: "ended", successors: ["a/1"] });
    const again = restored(gate, {
      splits: new Map([["a", ["a/1", "a/new"]]]),
      channels: ["x/y@0"],
    });
    again.apply("a/1", advance(6));
    again.apply("x/y@0", advance(9));
    assertEquals(again.at, 5);
    again.apply("a/new", advance(6));
    assertEquals(again.at, 6);
    // A stage and a source that the job did not have, though their names are like those of others.
    const more = restored(again, {
      splits: new Map([["a", ["a/1"]], ["a/1", ["a/1/0"]]]),
      channels: ["x/y@0", "x/z@0"],
    });
    for (const origin of ["a/1", "a/new", "x/y@0"]) more.apply(origin, advance(20));
    assertEquals(more.at, 6);
    more.apply("a/1/0", advance(20));
    assertEquals(more.at, 6);
    more.apply("x/z@0", advance(15));
    assertEquals(more.at, 15);
  });

  it("lets a source that had no shard left join again, behind the others", () => {
    const splits = new Map([["a", ["a/0"]], ["b", ["b/0"]]]);
    const gate = new GateWatermark({ splits, channels: [] });
    gate.apply("a/0", { kind: "ended", successors: [] });
    gate.apply("b/0", advance(9));
    const again = restored(gate, {
      splits: new Map([["a", ["a/1"]], ["b", ["b/0"]]]),
      channels: [],
    });
    again.apply("a/1", advance(4));
    again.apply("b/0", advance(12));
    assertEquals(again.at, 12);
    again.apply("a/1", advance(13));
    again.apply("b/0", advance(20));
    assertEquals(again.at, 13);
  });

  it("stays over, and idle, as it was", () => {
    const origins = { splits: new Map([["a", ["a/0"]]]), channels: ["x@0"] };
    const gate = new GateWatermark(origins);
    for (const origin of ["a/0", "x@0"]) gate.apply(origin, { kind: "idle" });
    assertEquals(restored(gate, origins).idle, true);
    assertEquals(restored(gate, { ...origins, channels: ["x@0", "y@0"] }).idle, false);
    gate.finish();
    const over = restored(gate, { splits: new Map([["a", []]]), channels: ["x@0"] });
    assertEquals([over.at, over.idle], [Infinity, gate.idle]);
  });

  it("does not wait for a source without shards until it has one", () => {
    const gate = new GateWatermark({ splits: new Map([["a", []], ["b", ["b/0"]]]), channels: [] });
    gate.apply("b/0", advance(5));
    assertEquals(gate.at, 5);
  });
});
