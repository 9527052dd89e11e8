import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { JsonBatch } from "../../../connectors/kinesis/json_batch.ts";
import { RawBatch } from "../../../connectors/raw_record.ts";

const utf8 = new TextEncoder();

function batch(payloads: readonly Uint8Array[]): JsonBatch<number> {
  const ends = payloads.map((_, row) =>
    payloads.slice(0, row + 1).reduce((sum, { length }) => sum + length, 0)
  );
  const raw = new RawBatch({
    shardId: "s",
    arena: Uint8Array.from(payloads.flatMap((bytes) => [...bytes])),
    starts: [0, ...ends.slice(0, -1)],
    ends,
    partitionKeys: payloads.map(() => "key"),
    sequenceNumbers: payloads.map((_, row) => String(row)),
    arrivals: payloads.map((_, row) => row * 10),
    millisBehindLatest: 3,
    position: "before",
  });
  return new JsonBatch(
    raw,
    (value) =>
      typeof value === "number" ? { value } : { issues: [{ message: "Expected a number" }] },
  );
}

describe("JsonBatch", () => {
  it("throws for the bad rows alone, and as often as they are asked for", () => {
    const rows = batch([
      utf8.encode("1"),
      utf8.encode('"é"'),
      new Uint8Array([255]),
      utf8.encode("2"),
    ]);
    assertEquals([rows.valueAt(0), rows.valueAt(3)], [1, 2]);
    assertThrows(() => rows.valueAt(1), TypeError, "$: Expected a number");
    assertThrows(() => rows.valueAt(1), TypeError);
    assertThrows(() => rows.valueAt(2), TypeError);
  });

  it("takes all else from the raw batch", () => {
    const rows = batch([utf8.encode("1"), utf8.encode("2")]);
    assertEquals([rows.length, rows.bytes, rows.position, rows.millisBehindLatest], [2, 2, "1", 3]);
    assertEquals([rows.positionAt(0), rows.timestampAt(1)], ["0", 10]);
  });
});
