/**
 * A manifest as bytes: what `manifest_layout.ts` lays out, as JSON in a frame.
 *
 * @module
 */

import { CheckpointDamagedError, frame, unframe } from "./frame.ts";
import type { Manifest } from "./manifest.ts";
import { LayoutError, layoutOf, manifestOf } from "./manifest_layout.ts";

/** The layout of manifests that this Penstock writes, and the newest that it reads. */
export const MANIFEST_FORMAT = 1;

/**
 * A manifest as bytes: compact JSON in a frame.
 *
 * @throws {RangeError} if it could not be read again: a part or operator that is not listed, bytes beyond a part's end, a
 * key group that is there twice, a number that is no whole one from 0
 *
 * @example There and back
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import type { Manifest } from "./manifest.ts";
 * import { decodeManifest, encodeManifest } from "./manifest_codec.ts";
 * const manifest: Manifest = {
 *   format: 1,
 *   id: 7,
 *   job: "orders",
 *   kind: "checkpoint",
 *   at: 60_000,
 *   startedAt: 0,
 *   maxParallelism: 128,
 *   workers: 2,
 *   operators: [],
 *   chunks: [],
 *   sources: [],
 *   sinks: [],
 *   rest: { part: "7-0", offset: 0, length: 10 },
 *   parts: [{ name: "7-0", bytes: 34, crc32: 0 }],
 * };
 * assertEquals(decodeManifest(encodeManifest(manifest), "checkpoint 7"), manifest);
 * ```
 */
export function encodeManifest(manifest: Manifest): Uint8Array {
  const layout = layoutOf(manifest);
  try {
    manifestOf(layout);
  } catch (error) {
    if (!(error instanceof LayoutError)) throw error;
    throw new RangeError(
      `Cannot write the manifest of checkpoint ${manifest.id} of job "${manifest.job}": ${error.message}`,
      { cause: error },
    );
  }
  const json = new TextEncoder().encode(JSON.stringify(layout));
  return frame("manifest", MANIFEST_FORMAT, [json]).bytes;
}

/**
 * Reads a manifest.
 *
 * @param what what is read, for the message, such as `checkpoint 7 of job "orders"`
 * @throws {CheckpointDamagedError} if it is not what was written, or was written by a newer Penstock
 *
 * @example Bytes of something else
 * ```ts
 * import { assertThrows } from "@std/assert";
 * import { CheckpointDamagedError } from "./frame.ts";
 * import { decodeManifest } from "./manifest_codec.ts";
 * const bytes = new TextEncoder().encode('{"format":1,"id":7,"job":"orders"}');
 * assertThrows(() => decodeManifest(bytes, "checkpoint 7"), CheckpointDamagedError, "PENSTOCK");
 * ```
 */
export function decodeManifest(bytes: Uint8Array, what: string): Manifest {
  const { body } = unframe("manifest", MANIFEST_FORMAT, bytes, what);
  try {
    return manifestOf(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)));
  } catch (error) {
    // The CRC was right, so this was written like that.
    if (
      !(error instanceof LayoutError || error instanceof SyntaxError || error instanceof TypeError)
    ) throw error;
    throw new CheckpointDamagedError(what, error.message);
  }
}
