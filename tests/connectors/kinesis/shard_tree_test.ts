import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { shardFilter, shardTree } from "../../../connectors/kinesis/shard_tree.ts";
import type { KinesisStart } from "../../../connectors/kinesis/position.ts";

const SECOND = 1_700_000_000;
const hex = (value: number, digits: number) => value.toString(16).padStart(digits, "0");
const sequenceAt = (seconds: number) =>
  BigInt(`0x2${hex(SECOND - 1e6, 9)}0${hex(5, 16)}00${hex(seconds, 9)}${hex(0, 8)}2`).toString();

/** A shard as listed; `ended` in seconds after `SECOND`, undefined while open. */
function listed(ShardId: string, parents: readonly string[] = [], ended?: number) {
  const [ParentShardId, AdjacentParentShardId] = parents;
  return {
    ShardId,
    ...(ParentShardId === undefined ? {} : { ParentShardId }),
    ...(AdjacentParentShardId === undefined ? {} : { AdjacentParentShardId }),
    HashKeyRange: undefined,
    SequenceNumberRange: {
      StartingSequenceNumber: sequenceAt(SECOND - 1000),
      ...(ended === undefined ? {} : { EndingSequenceNumber: sequenceAt(SECOND + ended) }),
    },
  };
}

/** a splits at +10 into b and c, which merge at +20 into d. */
const family = [
  listed("a", [], 10),
  listed("b", ["a"], 20),
  listed("c", ["a"], 20),
  listed("d", ["b", "c"]),
];
const text = (start: KinesisStart, shards = family, startedAtMs = 0) =>
  shardTree(shards, start, startedAtMs).map(({ id, parents }) => `${id}<${parents.join()}`);

describe("shardTree()", () => {
  const cases: readonly (readonly [string, KinesisStart, readonly string[]])[] = [
    ["everything that is listed", "trimHorizon", ["a<", "b<a", "c<a", "d<b,c"]],
    ["all that can hold records since a time", { at: (SECOND + 15) * 1000 }, ["b<", "c<", "d<b,c"]],
    ["a shard that ended in the very second", { at: (SECOND + 10) * 1000 + 500 }, [
      "a<",
      "b<a",
      "c<a",
      "d<b,c",
    ]],
    ["open shards alone for a start after the last change", { at: (SECOND + 60) * 1000 }, ["d<"]],
    ["no ancestors of shards that are given", { after: { b: "1", c: "2" } }, ["b<", "c<", "d<b,c"]],
    ["an ancestor that is itself given", { after: { a: "1", b: "2" } }, [
      "a<",
      "b<a",
      "c<a",
      "d<b,c",
    ]],
    ["what descends from the given ones", { after: { d: "1" } }, ["d<"]],
  ];
  for (const [name, start, expected] of cases) {
    it(`lists ${name}`, () => assertEquals(text(start), expected));
  }

  it("takes latest for the given time", () => {
    assertEquals(text("latest", family, (SECOND + 15) * 1000), ["b<", "c<", "d<b,c"]);
  });

  it("counts only parents that are still listed", () => {
    assertEquals(text("trimHorizon", family.slice(2)), ["c<", "d<c"]);
  });

  it("keeps listing a parent that closes after the start", () => {
    const before = [listed("a")];
    const startedAt = (SECOND + 5) * 1000;
    assertEquals(text("latest", before, startedAt), ["a<"]);
    assertEquals(text("latest", family, startedAt), ["a<", "b<a", "c<a", "d<b,c"]);
  });

  it("keeps a closed shard whose end can't be read", () => {
    const strange = {
      ...listed("a"),
      SequenceNumberRange: { StartingSequenceNumber: "1", EndingSequenceNumber: "17" },
    };
    assertEquals(text({ at: (SECOND + 60) * 1000 }, [strange]), ["a<"]);
  });
});

describe("shardFilter()", () => {
  it("asks the service for shards from the start on", () => {
    assertEquals(shardFilter("latest", 9), { Type: "FROM_TIMESTAMP", Timestamp: new Date(9) });
    assertEquals(shardFilter({ at: 7 }, 9), { Type: "FROM_TIMESTAMP", Timestamp: new Date(7) });
    assertEquals(shardFilter("trimHorizon", 9), undefined);
    assertEquals(shardFilter({ after: {} }, 9), undefined);
  });
});
