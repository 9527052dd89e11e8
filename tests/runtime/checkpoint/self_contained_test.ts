import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CheckpointCatalogue, partsOfManifest } from "../../../runtime/checkpoint/catalogue.ts";
import { LoadedCheckpoint } from "../../../runtime/checkpoint/loaded_checkpoint.ts";
import type { Manifest } from "../../../runtime/checkpoint/manifest.ts";
import { encodeManifest } from "../../../runtime/checkpoint/manifest_codec.ts";
import { memoryStore } from "../../../runtime/checkpoint/memory_store.ts";
import { framePart } from "../../../runtime/checkpoint/part.ts";
import {
  SAVEPOINT_PART_BYTES_MAX,
  selfContained,
} from "../../../runtime/checkpoint/self_contained.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { checkpointOn } from "./sample_checkpoint.ts";
import { storeContext } from "./store_suite.ts";

const codec = {
  merge: (chunks: readonly Uint8Array[]) => new Uint8Array(chunks.flatMap((bytes) => [...bytes])),
  keysIn: (chunk: Uint8Array) => chunk.length,
};
const names = { id: 1, at: 99, partName: (index: number) => `save-${index}` };

describe("selfContained()", () => {
  it("can be restored from another store, in which nothing else is", async () => {
    const one = checkpointOn(undefined, 1);
    const two = checkpointOn(one.manifest, 2);
    const parts = new Map([...one.parts, ...two.parts].map(({ name, bytes }) => [name, bytes]));
    const readPart = (name: string) => Promise.resolve(parts.get(name) ?? new Uint8Array());
    const loaded = await LoadedCheckpoint.read({ readPart }, two.manifest);
    const savepoint = selfContained(loaded, codec, names);
    const store = await memoryStore().open(storeContext({ partsOf: partsOfManifest }));
    const manifest = encodeManifest(savepoint.manifest);
    await store.write({ id: 1, manifest, parts: savepoint.parts });
    const restored = await new CheckpointCatalogue(store, silentLogger).latest();
    assert(restored !== undefined);
    const { id, at, kind, operators, chunks, sources } = restored.manifest;
    assertEquals([id, at, kind], [1, 99, "savepoint"]);
    assertEquals(sources, two.manifest.sources);
    assertEquals(chunks[0]?.chain, [
      { part: "save-0", offset: 0, length: 16, keys: 16, deleted: 0 },
    ]);
    assertEquals(operators.map(({ keys, bytes }) => [keys, bytes]), [[16, 16], [0, 0]]);
    assertEquals(restored.chunks("per customer", 5), [
      new TextEncoder().encode("chunk 1;chunk 2;"),
    ]);
    assertEquals(new TextDecoder().decode(restored.rest), "rest 2");
  });

  it("fills parts up to their bound, and leaves out groups without keys", async () => {
    const part = framePart([new Uint8Array([1, 2, 3, 4])]);
    const chunk = { part: "p", offset: 0, length: 1, keys: 1, deleted: 0 };
    const manifest: Manifest = {
      ...checkpointOn(undefined, 1).manifest,
      chunks: [0, 1, 2, 3].map((group) => ({
        operator: "per customer",
        group,
        chain: [{ ...chunk, offset: group }],
      })),
      rest: { part: "p", offset: 0, length: 0 },
      parts: [{ name: "p", bytes: part.bytes.length, crc32: part.crc32 }],
    };
    const readPart = () => Promise.resolve(part.bytes);
    const loaded = await LoadedCheckpoint.read({ readPart }, manifest);
    const half = SAVEPOINT_PART_BYTES_MAX / 2;
    const lengths = new Map([[1, half], [2, half], [3, 0], [4, SAVEPOINT_PART_BYTES_MAX + 1]]);
    const large = {
      merge: ([only]: readonly Uint8Array[]) => new Uint8Array(lengths.get(only?.[0] ?? 0) ?? 0),
      keysIn: (bytes: Uint8Array) => Math.min(bytes.length, 1),
    };
    const savepoint = selfContained(loaded, large, names);
    assertEquals(
      savepoint.manifest.chunks.map((
        { group, chain: [only] },
      ) => [group, only?.part, only?.offset]),
      [[0, "save-0", 0], [1, "save-0", half], [3, "save-1", 0]],
    );
    assertEquals(savepoint.parts.map(({ name }) => name), ["save-0", "save-1", "save-2"]);
    encodeManifest(savepoint.manifest);
  });
});
