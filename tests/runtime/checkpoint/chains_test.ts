import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Chains } from "../../../runtime/checkpoint/chains.ts";
import type { Chunk } from "../../../runtime/checkpoint/manifest.ts";
import type { SnapshotChunk, WorkerSnapshot } from "../../../runtime/checkpoint/worker_snapshot.ts";
import { FULL_MANIFEST } from "./sample_checkpoint.ts";

/** The key groups of the worker. */
const GROUPS = [0, 1, 3];

function handed(...chunks: readonly Partial<SnapshotChunk>[]): WorkerSnapshot {
  const range = { offset: 0, length: 5 };
  const chunk = { operator: "sum", group: 0, ...range, keys: 1, deleted: 0, isBase: false };
  return {
    epoch: 1,
    bytes: new Uint8Array(100),
    chunks: chunks.map((more) => ({ ...chunk, ...more })),
    wholes: [],
    shards: [],
    stages: [],
    sinks: {},
    figures: { alignMs: 0, stopMs: 0, totalMs: 0 },
  };
}

const chunk = (part: string, offset = 0): Chunk => ({
  part,
  offset,
  length: 5,
  keys: 1,
  deleted: 0,
});

describe("Chains", () => {
  it("puts what workers hand over behind what is there, and leaves other chains alone", () => {
    const first = new Chains().with(handed({}, { group: 3, offset: 5 }), "1-0", GROUPS);
    const second = first.with(handed({ deleted: 2 }, { operator: "other" }), "2-0", GROUPS);
    assertEquals(second.chain("sum", 0), [chunk("1-0"), { ...chunk("2-0"), deleted: 2 }]);
    assertEquals(second.chain("sum", 3), [chunk("1-0", 5)]);
    assertEquals(second.chain("other", 0), [chunk("2-0")]);
    assertEquals(second.chain("sum", 7), []);
  });

  it("begins a chain anew with a base, and ends it with one that is empty", () => {
    const first = new Chains().with(handed({}, { group: 1 }, { group: 3 }), "1-0", GROUPS);
    const second = first.with(
      handed({ isBase: true, offset: 5 }, { group: 1, isBase: true, keys: 0 }),
      "2-0",
      GROUPS,
    );
    assertEquals(second.chunks, [
      { operator: "sum", group: 0, chain: [chunk("2-0", 5)] },
      { operator: "sum", group: 3, chain: [chunk("1-0")] },
    ]);
  });

  it("ends the chains of an operator that was handed over as a whole, in the worker's groups only", () => {
    const of = (operator: string, group: number) => ({ operator, group });
    const first = new Chains().with(
      handed(of("sum", 0), of("sum", 1), of("sum", 2), of("other", 0)),
      "1-0",
      [0, 1, 2, 3],
    );
    const second = first.with(
      { ...handed({ ...of("sum", 1), isBase: true }), wholes: ["sum"] },
      "2-0",
      GROUPS,
    );
    assertEquals(second.chunks, [
      { ...of("sum", 2), chain: [chunk("1-0")] },
      { ...of("sum", 1), chain: [chunk("2-0")] },
      { ...of("other", 0), chain: [chunk("1-0")] },
    ]);
  });

  it("never changes: one that fails leaves those before as they were", () => {
    const first = new Chains().with(handed({}), "1-0", GROUPS);
    const before = structuredClone(first.chunks);
    first.with(handed({}, { group: 1 }), "2-0", GROUPS);
    first.replaced([{ operator: "sum", group: 0, chain: [] }]);
    assertEquals(first.chunks, before);
  });

  it("has other chains where they are replaced, and none where nothing is left", () => {
    const chains = new Chains().with(handed({}, { group: 1 }), "1-0", GROUPS).replaced([
      { operator: "sum", group: 0, chain: [chunk("merged")] },
      { operator: "sum", group: 1, chain: [] },
    ]);
    assertEquals(chains.chunks, [{ operator: "sum", group: 0, chain: [chunk("merged")] }]);
    assertEquals(chains.with(handed({ group: 1 }), "2-0", GROUPS).chain("sum", 1), [chunk("2-0")]);
  });

  it("goes on from a manifest's, but for operators that begin anew", () => {
    assertEquals(Chains.of(FULL_MANIFEST, () => true).chunks, FULL_MANIFEST.chunks);
    assertEquals(Chains.of(FULL_MANIFEST, (operator) => operator !== "per customer").chunks, []);
  });
});
