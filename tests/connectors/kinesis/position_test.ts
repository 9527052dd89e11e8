import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  checkStart,
  iteratorStart,
  type KinesisStart,
  parsePosition,
  type Position,
  positionText,
  startPosition,
} from "../../../connectors/kinesis/position.ts";

const positions: readonly (readonly [Position, string])[] = [
  [{ kind: "trimHorizon" }, "trimHorizon"],
  [{ kind: "at", timestampMs: 1_700_000_000_000 }, "at:1700000000000"],
  [
    { kind: "after", sequenceNumber: "49590338271490256608559692538361571095921575989136588898" },
    "49590338271490256608559692538361571095921575989136588898",
  ],
];

describe("positionText()", () => {
  for (const [position, text] of positions) {
    it(`writes ${text}, which parsePosition() reads`, () => {
      assertEquals(positionText(position), text);
      assertEquals(parsePosition(text), position);
    });
  }
});

describe("parsePosition()", () => {
  it("refuses what is no position", () => {
    for (const text of ["", "latest", "at:", "at:1.5", "-1", "0x12", " 12"]) {
      assertThrows(() => parsePosition(text), SyntaxError, "Cannot continue a Kinesis shard");
    }
  });
});

describe("startPosition()", () => {
  const cases: readonly (readonly [KinesisStart, Position])[] = [
    ["latest", { kind: "at", timestampMs: 99 }],
    ["trimHorizon", { kind: "trimHorizon" }],
    [{ at: 5 }, { kind: "at", timestampMs: 5 }],
    [{ after: { s: "12" } }, { kind: "after", sequenceNumber: "12" }],
    [{ after: { other: "12" } }, { kind: "trimHorizon" }],
  ];
  for (const [start, expected] of cases) {
    it(`makes ${JSON.stringify(start)} ${expected.kind}`, () => {
      assertEquals(startPosition(start, "s", 99), expected);
    });
  }
});

describe("iteratorStart()", () => {
  it("asks for each position by its type", () => {
    assertEquals(iteratorStart({ kind: "trimHorizon" }), { ShardIteratorType: "TRIM_HORIZON" });
    assertEquals(iteratorStart({ kind: "at", timestampMs: 7 }), {
      ShardIteratorType: "AT_TIMESTAMP",
      Timestamp: new Date(7),
    });
    assertEquals(iteratorStart({ kind: "after", sequenceNumber: "1" }), {
      ShardIteratorType: "AFTER_SEQUENCE_NUMBER",
      StartingSequenceNumber: "1",
    });
  });
});

describe("checkStart()", () => {
  it("refuses times and sequence numbers that can't be", () => {
    for (const at of [-1, 1.5, NaN]) assertThrows(() => checkStart("s", { at }), RangeError);
    assertThrows(() => checkStart("s", { after: { shard: "abc" } }), TypeError, `"shard"`);
    checkStart("s", { after: { shard: "12" } });
    checkStart("s", { at: 0 });
  });
});
