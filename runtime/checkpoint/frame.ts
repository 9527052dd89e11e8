/**
 * The frame around a manifest or a part, by which damage is found before anything is believed. It is the same in every
 * version, so that an older Penstock can tell what is new from what is broken:
 *
 * | bytes | what                                             |
 * | ----- | ------------------------------------------------ |
 * | 0-7   | "PENSTOCK"                                       |
 * | 8     | "M" or "P": a manifest or a part                 |
 * | 9     | the version of what is inside                    |
 * | 10-11 | 0                                                |
 * | 12-19 | the length of what is inside, little-endian      |
 * | 20-23 | CRC-32 of bytes 0-19 and of what is inside       |
 *
 * @module
 */

import { crc32 } from "node:zlib";

/** Bytes of a frame before what is inside. */
export const FRAME_BYTES = 24;

const MAGIC = new TextEncoder().encode("PENSTOCK");
const KINDS = { manifest: 0x4d, part: 0x50 } as const;
const [KIND_AT, VERSION_AT, LENGTH_AT, CRC_AT] = [8, 9, 12, 20];

/** What is in a frame. */
export type FrameKind = keyof typeof KINDS;

/** A checkpoint can't be read: what is stored is not what was written, or a newer Penstock has written it. */
export class CheckpointDamagedError extends Error {
  override readonly name = "CheckpointDamagedError";
  /** What could not be read, such as `checkpoint 7 of job "orders"`. */
  readonly what: string;
  /** What was found, and what was expected instead. */
  readonly reason: string;
  /** Whether it is whole, but of a newer version. */
  readonly isNewer: boolean;

  /** @param what such as `checkpoint 7 of job "orders"` */
  constructor(what: string, reason: string, options: { readonly isNewer?: boolean } = {}) {
    const isNewer = options.isNewer === true;
    const advice = isNewer
      ? "run that version, or start from an older checkpoint"
      : "start from another checkpoint, or put back a copy of the store";
    super(`Cannot read ${what}: ${reason}; ${advice}`);
    this.what = what;
    this.reason = reason;
    this.isNewer = isNewer;
  }
}

/** Bytes in their frame. */
export interface Framed {
  readonly bytes: Uint8Array;
  /** As in the frame. */
  readonly crc32: number;
}

/**
 * Puts pieces, one after another, into one frame.
 *
 * @example There and back
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { frame, unframe } from "./frame.ts";
 * const { bytes } = frame("part", 1, [new Uint8Array([1]), new Uint8Array([2])]);
 * assertEquals(unframe("part", 1, bytes, "part \"a\"").body, new Uint8Array([1, 2]));
 * ```
 */
export function frame(kind: FrameKind, version: number, pieces: readonly Uint8Array[]): Framed {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const bytes = new Uint8Array(FRAME_BYTES + length);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  bytes[KIND_AT] = KINDS[kind];
  bytes[VERSION_AT] = version;
  view.setBigUint64(LENGTH_AT, BigInt(length), true);
  let at = FRAME_BYTES;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  const crc = crcOf(bytes);
  view.setUint32(CRC_AT, crc, true);
  return { bytes, crc32: crc };
}

/**
 * Takes off the frame; the body is a view of the bytes.
 *
 * @param version the newest that the caller can read
 * @param what what is read, for the message
 * @throws {CheckpointDamagedError} if it is no such frame, is damaged, or its version is newer
 *
 * @example Half of it
 * ```ts
 * import { assertThrows } from "@std/assert";
 * import { CheckpointDamagedError, frame, unframe } from "./frame.ts";
 * const { bytes } = frame("part", 1, [new Uint8Array(100)]);
 * assertThrows(
 *   () => unframe("part", 1, bytes.subarray(0, 50), 'part "a"'),
 *   CheckpointDamagedError,
 *   'Cannot read part "a": found 50 bytes, expected 124',
 * );
 * ```
 */
export function unframe(
  kind: FrameKind,
  version: number,
  bytes: Uint8Array,
  what: string,
): { readonly body: Uint8Array; readonly version: number; readonly crc32: number } {
  const damaged = (found: string, expected: string) =>
    new CheckpointDamagedError(what, `found ${found}, expected ${expected}`);
  if (bytes.length < FRAME_BYTES) {
    throw damaged(`${bytes.length} bytes`, `at least ${FRAME_BYTES}`);
  }
  const magic = bytes.subarray(0, MAGIC.length);
  if (magic.some((byte, index) => byte !== MAGIC[index])) {
    throw damaged(`bytes that begin with ${hex(magic)}`, `"PENSTOCK" (${hex(MAGIC)})`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getBigUint64(LENGTH_AT, true);
  if (BigInt(bytes.length - FRAME_BYTES) !== length) {
    throw damaged(`${bytes.length} bytes`, `${length + BigInt(FRAME_BYTES)}`);
  }
  const crc = crcOf(bytes);
  const written = view.getUint32(CRC_AT, true);
  if (crc !== written) throw damaged(`bytes of CRC-32 ${hex32(crc)}`, hex32(written));
  // From here on it is what somebody wrote.
  if (view.getUint8(KIND_AT) !== KINDS[kind]) {
    const found = Object.keys(KINDS).find((name) => name !== kind) ?? "another kind";
    throw damaged(`a ${found}`, `a ${kind}`);
  }
  const found = view.getUint8(VERSION_AT);
  if (found > version) {
    throw new CheckpointDamagedError(
      what,
      `written by a newer Penstock: found format ${found}, this one reads up to ${version}`,
      { isNewer: true },
    );
  }
  return { body: bytes.subarray(FRAME_BYTES), version: found, crc32: crc };
}

/** A CRC-32 as people write it. */
export function hex32(crc: number): string {
  return crc.toString(16).padStart(8, "0");
}

function crcOf(bytes: Uint8Array): number {
  return crc32(bytes.subarray(FRAME_BYTES), crc32(bytes.subarray(0, CRC_AT)));
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
