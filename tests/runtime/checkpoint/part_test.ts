import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CheckpointDamagedError } from "../../../runtime/checkpoint/frame.ts";
import { framePart, unframePart } from "../../../runtime/checkpoint/part.ts";
import { eachDamage } from "./sample_checkpoint.ts";

describe("unframePart()", () => {
  const { bytes, crc32 } = framePart([new Uint8Array([1, 2]), new Uint8Array(30).fill(7)]);
  const expected = { bytes: bytes.length, crc32 };

  it("gives the chunks, one after another", () => {
    assertEquals(unframePart("a", bytes, expected).subarray(0, 3), new Uint8Array([1, 2, 7]));
    assertEquals(unframePart("a", framePart([]).bytes), new Uint8Array());
  });

  it("finds any damage, and says which part", () => {
    eachDamage(bytes, (damaged, how) => {
      for (const known of [expected, undefined]) {
        assertThrows(
          () => unframePart("a", damaged, known),
          CheckpointDamagedError,
          'Cannot read part "a": found ',
          how,
        );
      }
    });
  });

  it("finds a part that is whole, but another one", () => {
    const other = framePart([new Uint8Array(32)]);
    const error = assertThrows(
      () => unframePart("a", other.bytes, expected),
      CheckpointDamagedError,
    );
    assertEquals(
      /found a part of CRC-32 [0-9a-f]{8}, expected [0-9a-f]{8}/.test(error.reason),
      true,
    );
  });
});
