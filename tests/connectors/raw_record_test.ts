import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { plainRecord, RawBatch, type RawRecord, textOf } from "../../connectors/raw_record.ts";

/** A batch of payloads with a byte of something else between them. */
function batchOf(...payloads: (string | Uint8Array)[]): RawBatch {
  const bytes = payloads.map((each) =>
    typeof each === "string" ? new TextEncoder().encode(each) : each
  );
  const starts: number[] = [];
  const ends: number[] = [];
  const arena: number[] = [];
  for (const payload of bytes) {
    arena.push(0x7c);
    starts.push(arena.length);
    arena.push(...payload);
    ends.push(arena.length);
  }
  return new RawBatch({
    shardId: "shard-0",
    arena: Uint8Array.from(arena),
    starts,
    ends,
    partitionKeys: payloads.map((_, row) => `key-${row}`),
    sequenceNumbers: payloads.map((_, row) => String(100 + row)),
    arrivals: payloads.map((_, row) => 1000 + row),
    millisBehindLatest: 5,
    position: "99",
  });
}

const texts = (batch: RawBatch) =>
  Array.from({ length: batch.length }, (_, row) => textOf(batch.valueAt(row)));

describe("RawBatch", () => {
  it("gives each row its own fields", () => {
    const batch = batchOf("one", "", "three");
    assertEquals([batch.length, batch.bytes, batch.position, batch.millisBehindLatest], [
      3,
      8,
      "102",
      5,
    ]);
    const { data, partitionKey, sequenceNumber, approximateArrival, shardId } = batch.valueAt(2);
    assertEquals(new TextDecoder().decode(data), "three");
    assertEquals([partitionKey, sequenceNumber, approximateArrival, shardId], [
      "key-2",
      "102",
      1002,
      "shard-0",
    ]);
    assertEquals([batch.positionAt(0), batch.timestampAt(1)], ["100", 1001]);
  });

  it("goes on at its own position when it has no rows", () => {
    const empty = batchOf();
    assertEquals([empty.length, empty.bytes, empty.position], [0, 0, "99"]);
  });
});

describe("textOf()", () => {
  it("gives each payload's text, whatever else is in the batch", () => {
    for (
      const payloads of [["a", "", "bc"], ["ä", "b", "日本", "😀", "c"], ["\ufeffbom", "x"], [
        "\x00\x7f",
        "y",
      ]]
    ) {
      assertEquals(texts(batchOf(...payloads)), payloads);
    }
  });

  it("throws for a payload that is not UTF-8, and for no other of its batch", () => {
    for (const broken of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80]]) {
      const batch = batchOf("ä", Uint8Array.from(broken), "b");
      assertThrows(() => textOf(batch.valueAt(1)), TypeError);
      assertEquals([textOf(batch.valueAt(0)), textOf(batch.valueAt(2))], ["ä", "b"]);
    }
    // Two payloads that are no text by themselves, though side by side they would be.
    const split = batchOf(Uint8Array.of(0xc3));
    const { columns } = split;
    const arena = Uint8Array.of(0xc3, 0xa4);
    const halves = new RawBatch({ ...columns, arena, starts: [0, 1], ends: [1, 2] });
    for (const row of [0, 1]) assertThrows(() => textOf(halves.valueAt(row)), TypeError);
  });

  it("takes records from elsewhere", () => {
    const place = { partitionKey: "a", sequenceNumber: "1", approximateArrival: 0, shardId: "s" };
    assertEquals(textOf({ data: new TextEncoder().encode("\ufeffä"), ...place }), "\ufeffä");
    assertThrows(() => textOf({ data: Uint8Array.of(0xff), ...place }), TypeError);
  });
});

describe("plainRecord()", () => {
  it("gives a batch's record as plain data that can be sent, and leaves other values alone", () => {
    const record = batchOf("one", "two").valueAt(1);
    const plain = structuredClone(plainRecord(record)) as RawRecord;
    assert(plain.data instanceof Uint8Array);
    assertEquals(textOf(plain), "two");
    assertEquals([plain.partitionKey, plain.sequenceNumber, plain.shardId], [
      "key-1",
      "101",
      "shard-0",
    ]);
    const other = { data: 1 };
    assertStrictEquals(plainRecord(other), other);
  });
});
