import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { crc32 } from "node:zlib";
import {
  CheckpointDamagedError,
  frame,
  FRAME_BYTES,
  hex32,
  unframe,
} from "../../../runtime/checkpoint/frame.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytesOf = (value: string) => new TextEncoder().encode(value);

describe("frame()", () => {
  it("is laid out as documented", () => {
    const framed = frame("manifest", 3, [bytesOf("ab"), new Uint8Array(), bytesOf("c")]);
    const { bytes } = framed;
    assertEquals(text(bytes.subarray(0, 8)), "PENSTOCK");
    assertEquals([...bytes.subarray(8, 20)], [0x4d, 3, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0]);
    assertEquals(text(bytes.subarray(FRAME_BYTES)), "abc");
    const covered = new Uint8Array([...bytes.subarray(0, 20), ...bytesOf("abc")]);
    assertEquals(framed.crc32, crc32(covered));
    assertEquals(new DataView(bytes.buffer).getUint32(20, true), framed.crc32);
  });
});

describe("unframe()", () => {
  it("gives a view of what is inside, wherever the bytes lie", () => {
    const { bytes, crc32: crc } = frame("part", 1, [bytesOf("abc")]);
    const within = new Uint8Array([9, 9, 9, ...bytes, 9]).subarray(3, 3 + bytes.length);
    const { body, version, crc32: read } = unframe("part", 2, within, "it");
    assertEquals([text(body), version, read], ["abc", 1, crc]);
    assertEquals(body.buffer, within.buffer);
  });

  it("tells the other kind and a newer version, which are no damage", () => {
    const { bytes } = frame("part", 2, [bytesOf("abc")]);
    const other = assertThrows(() => unframe("manifest", 2, bytes, "it"), CheckpointDamagedError);
    assertEquals([other.reason, other.isNewer], ["found a part, expected a manifest", false]);
    const newer = assertThrows(() => unframe("part", 1, bytes, "it"), CheckpointDamagedError);
    assertEquals(newer.isNewer, true);
    assertEquals(
      newer.message,
      "Cannot read it: written by a newer Penstock: found format 2, this one reads up to 1; " +
        "run that version, or start from an older checkpoint",
    );
  });
});

describe("hex32()", () => {
  it("has eight digits", () =>
    assertEquals([hex32(0), hex32(0xfffffffe)], ["00000000", "fffffffe"]));
});
