import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CheckpointDamagedError, frame } from "../../../runtime/checkpoint/frame.ts";
import type { Chunk, Manifest } from "../../../runtime/checkpoint/manifest.ts";
import {
  decodeManifest,
  encodeManifest,
  MANIFEST_FORMAT,
} from "../../../runtime/checkpoint/manifest_codec.ts";
import { eachDamage, FULL_MANIFEST } from "./sample_checkpoint.ts";

describe("encodeManifest()", () => {
  it("and decodeManifest() give back the same", () => {
    assertEquals(decodeManifest(encodeManifest(FULL_MANIFEST), "it"), FULL_MANIFEST);
    const savepoint: Manifest = {
      ...FULL_MANIFEST,
      kind: "savepoint",
      operators: FULL_MANIFEST.operators.map((operator) => ({ ...operator, version: undefined })),
    };
    const read = decodeManifest(encodeManifest(savepoint), "it");
    assertEquals(read.operators.map((operator) => "version" in operator), [false, false]);
  });

  it("has what operators have beside keys, where they have it", () => {
    const [operator] = FULL_MANIFEST.operators;
    if (operator === undefined) throw new Error("The sample has no operator");
    const broadcast = [{ name: "rules", kind: "map" as const, version: 3, holds: "" }];
    const more = { ...operator, broadcast, hash: "long", keyedBy: ["(row) => row.id"], timers: 7 };
    const manifest = { ...FULL_MANIFEST, operators: [more, ...FULL_MANIFEST.operators.slice(1)] };
    assertEquals(decodeManifest(encodeManifest(manifest), "it"), manifest);
  });

  it("keeps a large one small", () => {
    const [groups, links] = [128, 100];
    const operators = ["a", "b", "c", "d", "e"].map((name) => ({
      name,
      kind: "process",
      states: [],
      keys: 1_000_000,
      bytes: 50_000_000,
    }));
    const next = new Array<number>(links).fill(0);
    const chain = (group: number): Chunk[] =>
      next.map((offset, link) => {
        const length = 400 + group;
        next[link] = offset + length;
        return { part: `0123456789abcdef-${link}`, offset, length, keys: 20, deleted: 3 };
      });
    const chunks = operators.flatMap(({ name }) =>
      Array.from({ length: groups }, (_, group) => ({ operator: name, group, chain: chain(group) }))
    );
    const parts = next.map((bytes, link) => ({
      name: `0123456789abcdef-${link}`,
      bytes: bytes + 24,
      crc32: 0xffffffff,
    }));
    const rest = { part: "0123456789abcdef-0", offset: 0, length: 0 };
    const large: Manifest = { ...FULL_MANIFEST, operators, chunks, parts, rest };
    const bytes = encodeManifest(large);
    assert(bytes.length < groups * 5 * links * 16, `${bytes.length} bytes`);
    assertEquals(decodeManifest(bytes, "it"), large);
  });

  it("refuses what could not be read again", () => {
    const [first, second] = FULL_MANIFEST.chunks;
    const [chunk] = first?.chain ?? [];
    assert(first !== undefined && second !== undefined && chunk !== undefined);
    const chained = (changed: Partial<Chunk>): Partial<Manifest> => ({
      chunks: [{ ...first, chain: [{ ...chunk, ...changed }] }],
    });
    const cases: readonly (readonly [Partial<Manifest>, string])[] = [
      [chained({ part: "none" }), "chunks[0][2][0]"],
      [chained({ offset: 41 }), 'end within part "6-a"'],
      [chained({ length: 1.5 }), "whole number"],
      [chained({ deleted: -1 }), "whole number"],
      [{ chunks: [{ ...first, operator: "none" }] }, "chunks[0][0]"],
      [{ chunks: [{ ...first, group: 128 }] }, "below 128"],
      [{ chunks: [{ ...first, chain: [] }] }, "found 0 numbers"],
      [{ chunks: [first, { ...second, group: first.group }] }, "twice"],
      [{ parts: [...FULL_MANIFEST.parts, ...FULL_MANIFEST.parts] }, "twice"],
      [{ operators: [...FULL_MANIFEST.operators, ...FULL_MANIFEST.operators] }, "twice"],
      [{ rest: { part: "7-a", offset: 0, length: 31 } }, "in rest[2]"],
      [{ at: NaN }, "in at"],
    ];
    for (const [change, said] of cases) {
      const error = assertThrows(() => encodeManifest({ ...FULL_MANIFEST, ...change }), RangeError);
      assert(error.message.includes(said), `${error.message} has no ${said}`);
      assert(error.message.startsWith("Cannot write the manifest of checkpoint 7"), error.message);
    }
  });
});

describe("decodeManifest()", () => {
  const small: Manifest = { ...FULL_MANIFEST, operators: [], chunks: [], sources: [], sinks: [] };

  it("finds any damage, and says which checkpoint", () => {
    eachDamage(encodeManifest(small), (damaged, how) => {
      assertThrows(
        () => decodeManifest(damaged, "checkpoint 7"),
        CheckpointDamagedError,
        "Cannot read checkpoint 7: found ",
        how,
      );
    });
  });

  it("tells a newer format", () => {
    const { bytes } = frame("manifest", MANIFEST_FORMAT + 1, [new Uint8Array([0xa1])]);
    const error = assertThrows(() => decodeManifest(bytes, "it"), CheckpointDamagedError, "newer");
    assertEquals(error.isNewer, true);
  });

  it("believes nothing of what is inside", () => {
    const texts: Readonly<Record<string, string>> = {
      "": "JSON",
      "[]": "expected an object in the manifest",
      "{}": "found nothing, expected 1 in format",
      '{"format":1}': "found nothing, expected an array in operators",
      '{"format":1,"operators":[{"name":7}]}': "found 7, expected a string in operators[0].name",
      '{"format":1,"operators":[],"parts":[["a",-1]]}':
        "found -1, expected a whole number from 0 in parts[0][1]",
    };
    for (const [text, said] of Object.entries(texts)) {
      const { bytes } = frame("manifest", MANIFEST_FORMAT, [new TextEncoder().encode(text)]);
      assertThrows(() => decodeManifest(bytes, "it"), CheckpointDamagedError, said);
    }
    const { bytes } = frame("manifest", MANIFEST_FORMAT, [new Uint8Array([0xff])]);
    assertThrows(() => decodeManifest(bytes, "it"), CheckpointDamagedError);
  });
});
