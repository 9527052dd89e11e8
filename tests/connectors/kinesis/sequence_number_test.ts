import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { sequenceTime } from "../../../connectors/kinesis/sequence_number.ts";

/** A number of the known layout: marker, shard's creation, index, byte, time, shard, version. */
function sequenceNumber(seconds: number, version = "2"): string {
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, "0");
  const digits = `2${hex(1_600_000_000, 9)}0${hex(5, 16)}00${hex(seconds, 9)}${
    hex(3, 8)
  }${version}`;
  return BigInt(`0x${digits}`).toString();
}

describe("sequenceTime()", () => {
  it("reads when a record was written", () => {
    assertEquals(sequenceTime(sequenceNumber(1_700_000_123)), 1_700_000_123_000);
  });

  it("concludes nothing from what has another layout", () => {
    const others = [
      "",
      "17",
      "abc",
      sequenceNumber(1_700_000_123, "1"),
      sequenceNumber(0),
      "9".repeat(56),
    ];
    assertEquals(others.map(sequenceTime), others.map(() => undefined));
  });
});
