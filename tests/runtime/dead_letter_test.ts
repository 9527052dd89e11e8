import { assertEquals, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { RawBatch } from "../../connectors/raw_record.ts";
import { letterValue, reasonOf } from "../../runtime/dead_letter.ts";

describe("letterValue()", () => {
  it("gives a raw record's fields, with the payload in base64", () => {
    const batch = new RawBatch({
      shardId: "shard-0",
      arena: Uint8Array.of(9, 0xff, 0xfe, 9),
      starts: [1],
      ends: [3],
      partitionKeys: ["k"],
      sequenceNumbers: ["42"],
      arrivals: [7],
      position: "42",
    });
    const value = letterValue(batch.valueAt(0));
    assertEquals(value, {
      partitionKey: "k",
      sequenceNumber: "42",
      approximateArrival: 7,
      shardId: "shard-0",
      data: "//4=",
    });
    assertEquals(structuredClone(value), value);
  });

  it("leaves everything else as it is", () => {
    for (
      const value of [undefined, null, 5, "text", { data: Uint8Array.of(1) }, {
        data: "x",
        sequenceNumber: "1",
      }]
    ) {
      assertStrictEquals(letterValue(value), value);
    }
  });
});

describe("reasonOf()", () => {
  it("gives an error's name and message, and anything else as text", () => {
    assertEquals(reasonOf(new RangeError("too far")), "RangeError: too far");
    assertEquals([reasonOf("a text"), reasonOf(undefined)], ["a text", "undefined"]);
  });
});
