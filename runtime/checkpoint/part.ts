/**
 * A part: the chunks of one worker at one barrier, one after another, in a frame.
 *
 * @module
 */

import { CheckpointDamagedError, frame, type Framed, hex32, unframe } from "./frame.ts";

/** The layout of parts. */
export const PART_VERSION = 1;

/**
 * Puts chunks, one after another, into a part. Offsets in a manifest count from the first byte of the first chunk.
 *
 * @returns the bytes to store and their CRC-32, both for the manifest's list of parts
 *
 * @example A part of two chunks
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { framePart, unframePart } from "./part.ts";
 * const part = framePart([new Uint8Array([1, 2]), new Uint8Array([3])]);
 * const body = unframePart("a", part.bytes, { bytes: part.bytes.length, crc32: part.crc32 });
 * assertEquals(body, new Uint8Array([1, 2, 3]));
 * ```
 */
export function framePart(chunks: readonly Uint8Array[]): Framed {
  return frame("part", PART_VERSION, chunks);
}

/**
 * The chunks of a part, one after another; a view of the bytes.
 *
 * @param expected what a manifest says of it, by which a part that is whole, but not this one, is found
 * @throws {CheckpointDamagedError} if the part is not what was written, or was written by a newer Penstock
 *
 * @example Bytes of something else
 * ```ts
 * import { assertThrows } from "@std/assert";
 * import { CheckpointDamagedError } from "./frame.ts";
 * import { unframePart } from "./part.ts";
 * assertThrows(() => unframePart("a", new Uint8Array(30)), CheckpointDamagedError, "PENSTOCK");
 * ```
 */
export function unframePart(
  name: string,
  bytes: Uint8Array,
  expected?: { readonly bytes: number; readonly crc32: number },
): Uint8Array {
  const what = `part "${name}"`;
  if (expected !== undefined && bytes.length !== expected.bytes) {
    throw new CheckpointDamagedError(
      what,
      `found ${bytes.length} bytes, expected ${expected.bytes}`,
    );
  }
  const { body, crc32 } = unframe("part", PART_VERSION, bytes, what);
  if (expected !== undefined && crc32 !== expected.crc32) {
    throw new CheckpointDamagedError(
      what,
      `found a part of CRC-32 ${hex32(crc32)}, expected ${hex32(expected.crc32)}`,
    );
  }
  return body;
}
