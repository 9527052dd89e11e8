/**
 * Checkpoints to test with: chunks whose bytes say what they are.
 *
 * @module
 */

import type { Chunk, Manifest } from "../../../runtime/checkpoint/manifest.ts";
import { framePart } from "../../../runtime/checkpoint/part.ts";
import type { StoredPart } from "../../../runtime/checkpoint/store.ts";

/** A manifest with something of everything, and nothing of it in a part but 10 bytes. */
export const FULL_MANIFEST: Manifest = {
  format: 1,
  id: 7,
  job: "orders \u{1F4E6}",
  kind: "checkpoint",
  at: 1_700_000_060_000,
  startedAt: 1_700_000_000_000,
  maxParallelism: 128,
  workers: 2,
  operators: [
    {
      name: "per customer",
      kind: "process",
      states: [{ name: "total", kind: "value", version: 2, holds: "number" }],
      keys: 3,
      bytes: 70,
    },
    { name: "source", kind: "source", version: 1, states: [], keys: 0, bytes: 0 },
  ],
  chunks: [
    {
      operator: "per customer",
      group: 0,
      chain: [
        { part: "6-a", offset: 10, length: 20, keys: 2, deleted: 0 },
        { part: "7-a", offset: 0, length: 10, keys: 1, deleted: 1 },
      ],
    },
    {
      operator: "per customer",
      group: 127,
      chain: [
        { part: "6-a", offset: 30, length: 30, keys: 2, deleted: 0 },
        { part: "7-a", offset: 15, length: 10, keys: 0, deleted: 0 },
      ],
    },
  ],
  sources: [{
    name: "orders",
    kind: "kinesis",
    of: "orders-stream",
    shards: [
      { id: "shard-0", state: "ended", parents: [] },
      { id: "shard-1", state: "reading", position: "49", parents: ["shard-0"] },
    ],
  }],
  sinks: [{ name: "totals", kind: "file", of: "totals.ndjson" }],
  rest: { part: "7-a", offset: 25, length: 5 },
  parts: [
    { name: "6-a", bytes: 24 + 60, crc32: 0xffffffff },
    { name: "7-a", bytes: 24 + 30, crc32: 0 },
  ],
};

/** A checkpoint whose only operator has one chain, of chunks in earlier parts and one in a part of its own. */
export function checkpointOn(
  earlier: Manifest | undefined,
  id: number,
  job = "orders",
): { readonly manifest: Manifest; readonly parts: readonly StoredPart[] } {
  const name = `p${id}`;
  const bytes = new TextEncoder().encode(`chunk ${id};`);
  const part = framePart([bytes, new TextEncoder().encode(`rest ${id}`)]);
  const chunk: Chunk = { part: name, offset: 0, length: bytes.length, keys: 1, deleted: 0 };
  const manifest: Manifest = {
    ...FULL_MANIFEST,
    id,
    job,
    chunks: [{
      operator: "per customer",
      group: 5,
      chain: [...(earlier?.chunks[0]?.chain ?? []), chunk],
    }],
    rest: { part: name, offset: bytes.length, length: part.bytes.length - 24 - bytes.length },
    parts: [
      ...(earlier?.parts ?? []),
      { name, bytes: part.bytes.length, crc32: part.crc32 },
    ],
  };
  return { manifest, parts: [{ name, bytes: part.bytes }] };
}

/** Calls for each way to damage bytes by one: every bit of every byte, every length. */
export function eachDamage(
  bytes: Uint8Array,
  call: (damaged: Uint8Array, how: string) => void,
): void {
  for (let at = 0; at < bytes.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const flipped = bytes.slice();
      flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
      call(flipped, `bit ${bit} of byte ${at}`);
    }
    call(bytes.subarray(0, at), `only ${at} bytes`);
  }
  call(new Uint8Array([...bytes, 0]), "a byte more");
}
