import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CheckpointDamagedError } from "../../../runtime/checkpoint/frame.ts";
import {
  LoadedCheckpoint,
  PARTS_READ_AT_ONCE,
} from "../../../runtime/checkpoint/loaded_checkpoint.ts";
import { CheckpointMissingError, CheckpointStoreError } from "../../../runtime/checkpoint/store.ts";
import { checkpointOn } from "./sample_checkpoint.ts";

/** A checkpoint of many parts, and a way to read them. */
function many(count: number) {
  const parts = new Map<string, Uint8Array>();
  let last = checkpointOn(undefined, 1);
  for (let id = 1; id <= count; id++) {
    if (id > 1) last = checkpointOn(last.manifest, id);
    for (const { name, bytes } of last.parts) parts.set(name, bytes);
  }
  return { manifest: last.manifest, parts };
}

describe("LoadedCheckpoint", () => {
  it("reads each part once, a few at a time", async () => {
    const { manifest, parts } = many(20);
    const read: string[] = [];
    let [open, most] = [0, 0];
    const loaded = await LoadedCheckpoint.read({
      async readPart(name) {
        read.push(name);
        most = Math.max(most, ++open);
        await Promise.resolve();
        open--;
        return parts.get(name) ?? new Uint8Array();
      },
    }, manifest);
    assertEquals(read.toSorted(), [...parts.keys()].toSorted());
    assertEquals(most, PARTS_READ_AT_ONCE);
    assertEquals(loaded.chunks("per customer", 5).length, 20);
  });

  it("has no chunks for what has no state", async () => {
    const { manifest, parts } = many(1);
    const readPart = (name: string) => Promise.resolve(parts.get(name) ?? new Uint8Array());
    const loaded = await LoadedCheckpoint.read({ readPart }, manifest);
    assertEquals([loaded.chunks("per customer", 6), loaded.chunks("none", 5)], [[], []]);
    const range = { part: "none", offset: 0, length: 1 };
    assertThrows(() => loaded.bytes(range), RangeError, "no such part");
  });

  it("finds a part that is whole, but another one", async () => {
    const { manifest, parts } = many(2);
    const [first = new Uint8Array()] = parts.values();
    const readPart = () => Promise.resolve(first);
    await assertRejects(
      () => LoadedCheckpoint.read({ readPart }, manifest),
      CheckpointDamagedError,
      'part "p2": found a part of CRC-32',
    );
  });

  it("takes a part that is not there for damage, and a store that fails for what it is", async () => {
    const { manifest } = many(3);
    const failing = (error: Error) => ({ readPart: () => Promise.reject(error) });
    await assertRejects(
      () => LoadedCheckpoint.read(failing(new CheckpointMissingError("a", "b")), manifest),
      CheckpointDamagedError,
      'part "p1": found nothing',
    );
    await assertRejects(
      () => LoadedCheckpoint.read(failing(new CheckpointStoreError("a", "b", "c")), manifest),
      CheckpointStoreError,
    );
  });
});
