import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Chains } from "../../../runtime/checkpoint/chains.ts";
import type { Manifest } from "../../../runtime/checkpoint/manifest.ts";
import { readChain } from "../../../runtime/state/key_chain.ts";
import type { CheckpointShelf } from "../../../runtime/supervisor/checkpoint_shelf.ts";
import { turns } from "../../connectors/event_loop.ts";
import { stagePart } from "../checkpoint/stage_parts.ts";
import { HandClock } from "../hand_clock.ts";
import {
  type Changed,
  jobSnapshot,
  KEYED_PLAN,
  shelfOver,
  TestStore,
  workerPart,
} from "./checkpoint_parts.ts";

/** A shelf, and the chains of what it keeps. */
async function shelved(options: Parameters<typeof shelfOver>[2] = {}, store = new TestStore()) {
  const clock = new HandClock(5000);
  const over = await shelfOver(store, clock, options);
  let chains = new Chains();
  const keep = async (
    epoch: number,
    changed: Changed,
    verdict: Parameters<typeof over.shelf.keep>[1]["verdict"] = () => "build upon",
  ) => {
    const kept = await over.shelf.keep(jobSnapshot(epoch, changed), {
      plan: KEYED_PLAN,
      chains,
      startedAt: 7,
      routing: [0, 0],
      verdict,
    });
    chains = kept.chains;
    await turns(2);
    return kept.kept;
  };
  const manifest = (id: number) => over.catalogue.manifest(id);
  /** Sums by key, of all groups of a checkpoint. */
  const sums = async (id: number) => {
    const loaded = await over.catalogue.load(id);
    const groups = loaded.manifest.chunks.map(({ operator, group }) =>
      readChain(loaded.chunks(operator, group))
    );
    return Object.fromEntries(
      groups.flatMap(({ keys, cells }) => keys.map((key, row) => [key, cells[0]?.[row]])),
    );
  };
  return { ...over, keep, manifest, sums, written: store.written, test: store, clock };
}

const lengthOf = ({ chunks }: Manifest, group: number) =>
  chunks.find((of) => of.group === group)?.chain.length;

/** Of a first checkpoint, of a job with two workers. */
const FIRST: Parameters<CheckpointShelf["keep"]>[1] = {
  plan: KEYED_PLAN,
  routing: [0, 1],
  chains: new Chains(),
  startedAt: 7,
  verdict: () => "build upon",
};

const MANY = Object.fromEntries(Array.from({ length: 200 }, (_, key) => [`k${key}`, key]));

describe("CheckpointShelf", () => {
  it("writes what has changed, and builds upon what is there", async () => {
    const { keep, manifest, sums, written } = await shelved();
    await keep(1, { 0: { put: MANY }, 1: { put: { x: 1 } } });
    const before = await manifest(1);
    const kept = await keep(2, { 0: { put: { k0: 100 }, gone: ["k1"] } });
    const after = await manifest(2);
    assertEquals([lengthOf(after, 0), lengthOf(after, 1)], [2, 1]);
    assertEquals(
      after.chunks.find(({ group }) => group === 0)?.chain[0],
      before.chunks[0]?.chain[0],
    );
    const { k1: _gone, ...left } = MANY;
    assertEquals(await sums(2), { ...left, k0: 100, x: 1 });
    assertEquals(written.length, 4, "a part of the worker and one of the rest, twice");
    const [first] = before.parts;
    assertEquals(kept.writtenBytes < (first?.bytes ?? 0), true);
    assertEquals([kept.id, kept.kind, kept.store], [2, "checkpoint", "test"]);
  });

  it("says in the manifest whose it is, when, and how far shards have been read", async () => {
    const { shelf, manifest } = await shelved();
    await shelf.keep({
      epoch: 4,
      workers: [
        workerPart(4, { 1: { put: { a: 1 } } }, {
          stages: [stagePart("in"), stagePart("sum", { keys: 1 })],
          shards: [{ source: "in", shard: "s0", position: "9" }],
        }),
        workerPart(4, {}, {
          stages: [stagePart("in"), stagePart("sum", { keys: 4 })],
          shards: [{ source: "in", shard: "s1", position: "3" }],
        }),
      ],
      shards: {
        in: [
          { id: "old", parents: [], state: "ended" },
          { id: "s0", parents: ["old"], state: "reading" },
          // Read to its end, and not let go of yet.
          { id: "s1", parents: [], state: "ended" },
        ],
      },
    }, FIRST);
    const { id, at, startedAt, workers, operators, sources } = await manifest(4);
    assertEquals([id, at, startedAt, workers], [4, 5000, 7, 2]);
    assertEquals(operators.map(({ name, keys }) => [name, keys]), [["sum", 5]]);
    assertEquals(sources[0]?.shards, [
      { id: "old", parents: [], state: "ended" },
      { id: "s0", parents: ["old"], state: "reading", position: "9" },
      { id: "s1", parents: [], state: "reading", position: "3" },
    ]);
  });

  it("merges a chain whose changes have outgrown its base, and drops what nothing uses", async () => {
    const { keep, manifest, sums } = await shelved();
    await keep(1, { 0: { put: { a: 1 } } });
    await keep(2, { 0: { put: { a: 2 } } });
    await keep(3, { 0: { put: { b: 3 } } });
    const merged = await manifest(3);
    assertEquals([lengthOf(merged, 0), await sums(3)], [1, { a: 2, b: 3 }]);
    assertEquals(merged.parts.length, 2, "the merged part and the rest");
    await keep(4, { 0: { put: { b: 4 } } });
    assertEquals(await sums(4), { a: 2, b: 4 });
  });

  it("keeps nothing of a group whose keys have all gone", async () => {
    const { keep, manifest, sums } = await shelved();
    await keep(1, { 0: { put: { a: 1 } } });
    for (const epoch of [2, 3, 4]) await keep(epoch, { 0: { gone: ["a"] } });
    assertEquals(await sums(4), {});
    await keep(5, { 0: { put: { a: 5 } } });
    assertEquals([await sums(5), (await manifest(5)).parts.length <= 3], [{ a: 5 }, true]);
  });

  it("removes what is older than what is kept, but no part that is built upon", async () => {
    const { keep, store, sums } = await shelved({ keep: 2 });
    await keep(1, { 0: { put: MANY } });
    for (const epoch of [2, 3, 4]) await keep(epoch, { 0: { put: { k0: epoch } } });
    assertEquals(await store.list(), [4, 3]);
    assertEquals([await sums(3), await sums(4)], [{ ...MANY, k0: 3 }, { ...MANY, k0: 4 }]);
  });

  it("leaves the chains as they were when a write fails", async () => {
    const { keep, test, sums, manifest } = await shelved();
    await keep(1, { 0: { put: MANY } });
    test.fails = new Error("disk full");
    await assertRejects(() => keep(2, { 0: { put: { k0: 2 } } }), Error, "disk full");
    await keep(3, { 1: { put: { x: 3 } } });
    assertEquals([lengthOf(await manifest(3), 0), await sums(3)], [1, { ...MANY, x: 3 }]);
  });

  it("reads the last one back, with the number that comes next", async () => {
    const before = await shelved();
    await before.keep(1, { 0: { put: { a: 1 } } });
    const { shelf } = await shelved({}, before.test);
    const read = await shelf.read();
    const [chunk] = read?.manifest.chunks[0]?.chain ?? [];
    assertEquals(chunk && readChain([read?.chunkAt(chunk) ?? new Uint8Array()]).keys, ["a"]);
    assertEquals([read?.isOwn, shelf.nextNumber], [true, 2]);
    assertEquals(read?.rest.stages.map(({ name }) => name), ["in", "sum"]);
    assertEquals(await (await shelved()).shelf.read(), undefined);
  });

  it("begins with what was chosen until something is kept, and builds nothing upon another store's", async () => {
    const before = await shelved();
    await before.keep(8, { 0: { put: { a: 1 } } });
    const own = new TestStore();
    const { shelf, keep, sums } = await shelved({ from: await before.catalogue.load(8) }, own);
    const read = await shelf.read();
    assertEquals([read?.isOwn, read?.manifest.id, shelf.nextNumber], [false, 8, 9]);
    await keep(9, { 0: { put: { b: 2 } } });
    assertEquals([await sums(9), (await shelf.read())?.isOwn], [{ b: 2 }, true]);
  });

  it("copies a checkpoint so that it needs no other, and is not removed", async () => {
    const { keep, shelf, store, manifest, sums } = await shelved({ keep: 1 });
    await keep(1, { 0: { put: MANY } });
    await keep(2, { 0: { put: { k0: 2 } } });
    const copy = await shelf.copy(2, undefined, 3);
    assertEquals([copy.id, copy.kind], [3, "savepoint"]);
    const copied = await manifest(3);
    assertEquals([lengthOf(copied, 0), copied.kind], [1, "savepoint"]);
    const others = new Set((await manifest(2)).parts.map(({ name }) => name));
    assertEquals(copied.parts.filter(({ name }) => others.has(name)), []);
    await keep(4, { 1: { put: { x: 4 } } });
    assertEquals([await store.list(), await sums(3)], [[4, 3], { ...MANY, k0: 2 }]);
  });

  it("does not remove what is being copied, however few are kept, but afterwards", async () => {
    const { keep, shelf, test, store, sums } = await shelved({ keep: 1 });
    await keep(1, { 0: { put: { a: 1 } } });
    const copies = [];
    const reads = [2, 3].map(() => Promise.withResolvers<void>());
    for (const [index, read] of reads.entries()) {
      test.readsWait = read.promise;
      copies.push(shelf.copy(1, undefined, index + 2));
      await turns(1);
    }
    test.readsWait = undefined;
    reads[0]?.resolve();
    await copies[0];
    for (const epoch of [4, 5]) await keep(epoch, { 1: { put: { x: epoch } } });
    assertEquals(await store.list(), [5, 2, 1], "one of the copies is still under way");
    reads[1]?.resolve();
    await Promise.all(copies);
    assertEquals([await sums(2), await sums(3)], [{ a: 1 }, { a: 1 }]);
    await keep(6, { 1: { put: { x: 6 } } });
    assertEquals(await store.list(), [6, 3, 2]);
  });

  it("removes what could not be copied with the next one", async () => {
    const { keep, shelf, test, store } = await shelved({ keep: 1 });
    await keep(1, { 0: { put: { a: 1 } } });
    test.fails = new Error("disk full");
    await assertRejects(() => shelf.copy(1, undefined, 2), Error, "disk full");
    await keep(3, { 0: { put: { a: 3 } } });
    assertEquals(await store.list(), [3]);
  });

  it("takes away what was given up while it was written, and builds nothing upon it", async () => {
    const { keep, store, sums, manifest } = await shelved();
    await keep(1, { 0: { put: MANY } });
    await assertRejects(
      () => keep(2, { 0: { put: { k0: 2 } } }, () => "give up"),
      Error,
      "checkpoint 2 was written after it had been given up, and is removed",
    );
    assertEquals(await store.list(), [1]);
    await keep(3, { 0: { put: { k1: 3 } } });
    assertEquals([lengthOf(await manifest(3), 0), await sums(3)], [2, { ...MANY, k1: 3 }]);
  });

  it("leaves what nothing is to be built upon as it is, and builds on what was before", async () => {
    const { keep, shelf, store, sums } = await shelved();
    await keep(1, { 0: { put: MANY } });
    const late = jobSnapshot(2, { 0: { put: { late: 2 } } });
    await shelf.keep(late, { ...FIRST, verdict: () => "leave" });
    await keep(3, { 0: { put: { k0: 3 } } });
    assertEquals([await store.list(), await sums(2), await sums(3)], [
      [3, 2, 1],
      { late: 2 },
      { ...MANY, k0: 3 },
    ]);
  });

  it("still begins with what was chosen when one is kept that nothing is to be built upon", async () => {
    const before = await shelved();
    await before.keep(8, { 0: { put: { a: 1 } } });
    const { shelf } = await shelved({ from: await before.catalogue.load(8) }, new TestStore());
    await shelf.keep(jobSnapshot(9), { ...FIRST, verdict: () => "leave" });
    const read = await shelf.read();
    assertEquals([read?.isOwn, read?.manifest.id, shelf.nextNumber], [false, 8, 10]);
  });

  it("copies to another store under that store's next number", async () => {
    const { keep, shelf } = await shelved();
    await keep(7, { 0: { put: { a: 1 } } });
    const other = await shelved();
    const copy = await shelf.copy(7, other.store, undefined);
    assertEquals([copy.id, await other.sums(1)], [1, { a: 1 }]);
  });

  it("says which calls can't be kept", async () => {
    const { shelf } = await shelved();
    const call = {
      operator: "look up",
      owner: 0,
      value: () => {},
      timestamp: 0,
      shard: "in/s0",
      position: "1",
      sub: 0,
      key: "a",
      bytes: 1,
    };
    const workers = [workerPart(1, {}, {
      stages: [stagePart("in"), stagePart("sum", { pending: [call] })],
    })];
    await assertRejects(
      () => shelf.keep({ epoch: 1, workers, shards: {} }, FIRST),
      Error,
      "Cannot keep calls under way of look up in a checkpoint",
    );
  });
});
