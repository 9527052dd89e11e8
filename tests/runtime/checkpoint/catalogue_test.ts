import { assert, assertEquals, assertRejects } from "@std/assert";
import { beforeEach, describe, it } from "@std/testing/bdd";
import { CheckpointCatalogue, partsOfManifest } from "../../../runtime/checkpoint/catalogue.ts";
import { CheckpointDamagedError, frame } from "../../../runtime/checkpoint/frame.ts";
import type { Manifest } from "../../../runtime/checkpoint/manifest.ts";
import { encodeManifest } from "../../../runtime/checkpoint/manifest_codec.ts";
import { memoryStore } from "../../../runtime/checkpoint/memory_store.ts";
import {
  CheckpointMissingError,
  CheckpointStoreError,
  type OpenCheckpointStore,
} from "../../../runtime/checkpoint/store.ts";
import { type LogFields, silentLogger } from "../../../runtime/logger.ts";
import { checkpointOn } from "./sample_checkpoint.ts";
import { storeContext } from "./store_suite.ts";

describe("CheckpointCatalogue", () => {
  let store: OpenCheckpointStore;
  let catalogue: CheckpointCatalogue;
  let logged: { readonly level: string; readonly fields: LogFields | undefined }[];

  const add = async (id: number, on?: Manifest, change: Partial<Manifest> = {}) => {
    const made = checkpointOn(on, id);
    const manifest = { ...made.manifest, ...change };
    await store.write({ id, manifest: encodeManifest(manifest), parts: made.parts });
    return manifest;
  };
  /** Three checkpoints, each on the one before it. */
  const addChain = async () => {
    const one = await add(1);
    const two = await add(2, one);
    return [one, two, await add(3, two)] as const;
  };
  const replacePart = async (name: string, bytes: Uint8Array | undefined) => {
    await store.remove(999, [name]);
    if (bytes === undefined) return;
    await store.write({ id: 999, manifest: new Uint8Array(), parts: [{ name, bytes }] });
    await store.remove(999, []);
  };
  const flip = async (name: string) => {
    const bytes = await store.readPart(name);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await replacePart(name, bytes);
  };
  const replaceManifest = async (id: number, manifest: Uint8Array) => {
    await store.remove(id, []);
    await store.write({ id, manifest, parts: [] });
  };
  const text = (chunks: readonly Uint8Array[]) =>
    chunks.map((bytes) => new TextDecoder().decode(bytes)).join("");

  beforeEach(async () => {
    logged = [];
    store = await memoryStore().open(storeContext({ partsOf: partsOfManifest }));
    catalogue = new CheckpointCatalogue(store, {
      ...silentLogger,
      warn: (_, fields) => void logged.push({ level: "warn", fields }),
      error: (_, fields) => void logged.push({ level: "error", fields }),
    });
  });

  it("latest() has the newest, with the chunks of all that it is built on", async () => {
    const [, , three] = await addChain();
    const loaded = await catalogue.latest();
    assertEquals(loaded?.manifest, three);
    assertEquals(text(loaded?.chunks("per customer", 5) ?? []), "chunk 1;chunk 2;chunk 3;");
    assertEquals(text([loaded?.rest ?? new Uint8Array()]), "rest 3");
    assertEquals(logged, []);
  });

  it("latest() is undefined only where there is nothing", async () => {
    assertEquals(await catalogue.latest(), undefined);
  });

  it("latest() passes over damaged ones, and says which one it took and why", async () => {
    const damages: readonly (readonly [string, () => Promise<void>])[] = [
      ['part "p3"', () => flip("p3")],
      ['part "p3": found nothing', () => replacePart("p3", undefined)],
      ["checkpoint 3", () => replaceManifest(3, new Uint8Array(3))],
      ["found checkpoint 2", async () => replaceManifest(3, await store.readManifest(2))],
      [
        'of job "other"',
        () => replaceManifest(3, encodeManifest(checkpointOn(undefined, 3, "other").manifest)),
      ],
    ];
    for (const [said, damage] of damages) {
      for (const id of [1, 2, 3]) await store.remove(id, [`p${id}`]);
      logged = [];
      await addChain();
      await damage();
      const loaded = await catalogue.latest();
      assertEquals(loaded?.manifest.id, 2);
      const [{ level, fields } = { level: "none", fields: {} }] = logged;
      assertEquals([logged.length, level], [1, "error"]);
      assertEquals([fields?.["checkpoint"], fields?.["usedInstead"]], [3, 2]);
      assert(String(fields?.["reason"]).includes(said), `${fields?.["reason"]} has no ${said}`);
    }
  });

  it("latest() throws where all are damaged, and never starts with nothing", async () => {
    await addChain();
    await flip("p1");
    const error = await assertRejects(() => catalogue.latest(), CheckpointDamagedError);
    assert(error.message.includes("any of the checkpoints 3, 2, 1"), error.message);
    assertEquals(logged.map(({ fields }) => fields?.["checkpoint"]), [3, 2, 1]);
  });

  it("latest() does not go back behind one of a newer Penstock", async () => {
    await addChain();
    await replaceManifest(3, frame("manifest", 200, [new Uint8Array(5)]).bytes);
    await assertRejects(() => catalogue.latest(), CheckpointDamagedError, "newer Penstock");
  });

  it("latest() does not take a store that can't be read for damage", async () => {
    await addChain();
    const failing: OpenCheckpointStore = {
      ...store,
      list: () => store.list(),
      readManifest: (id) => store.readManifest(id),
      readPart: () => Promise.reject(new CheckpointStoreError("Cannot read", "no network", "wait")),
    };
    const broken = new CheckpointCatalogue(
      Object.assign(failing, { job: store.job }),
      silentLogger,
    );
    await assertRejects(() => broken.latest(), CheckpointStoreError, "no network");
  });

  it("load() has a given one, or offers the others", async () => {
    await addChain();
    assertEquals((await catalogue.load(2)).manifest.id, 2);
    await flip("p3");
    const damaged = await assertRejects(() => catalogue.load(3), CheckpointDamagedError);
    assert(
      /^Cannot read checkpoint 3 of job "orders": it is damaged: part "p3": found .*\(there are 1, 2\)/
        .test(damaged.message),
      damaged.message,
    );
    const missing = await assertRejects(() => catalogue.load(9), CheckpointMissingError);
    assert(missing.message.includes("there are 1, 2, 3"), missing.message);
    await replaceManifest(2, frame("manifest", 200, [new Uint8Array(5)]).bytes);
    const newer = await assertRejects(() => catalogue.load(2), CheckpointDamagedError, "newer");
    assertEquals([newer.isNewer, newer.message.includes("damaged")], [true, false]);
  });

  it("list() has all, damaged ones with the reason", async () => {
    await addChain();
    await replaceManifest(2, new Uint8Array(3));
    const listed = await catalogue.list();
    assertEquals(listed.map(({ id }) => id), [3, 2, 1]);
    assertEquals(listed.map((one) => "damage" in one), [false, true, false]);
  });

  it("nextId() is beyond the newest, damaged or not", async () => {
    assertEquals(await catalogue.nextId(), 1);
    await addChain();
    await replaceManifest(3, new Uint8Array(3));
    assertEquals(await catalogue.nextId(), 4);
  });

  it("retain() removes the oldest, and parts that nobody names", async () => {
    const [, , three] = await addChain();
    // A new base: from here on the parts of the first three are not needed.
    const four = await add(4);
    await add(5, four);
    assertEquals(await catalogue.retain(3), [1, 2]);
    assertEquals(await store.list(), [5, 4, 3]);
    for (const { name } of three.parts) assert((await store.readPart(name)).length > 0);
    assertEquals((await catalogue.load(3)).chunks("per customer", 5).length, 3);
    assertEquals(await catalogue.retain(2), [3]);
    for (const { name } of three.parts) {
      await assertRejects(() => store.readPart(name), CheckpointMissingError);
    }
    assertEquals((await catalogue.latest())?.manifest.id, 5);
    assertEquals(await catalogue.retain(2), []);
  });

  it("retain() leaves those that somebody reads, for this time", async () => {
    await addChain();
    assertEquals(await catalogue.retain(1, new Set([1])), [2]);
    assertEquals((await catalogue.load(1)).manifest.id, 1);
    assertEquals(await catalogue.retain(1), [1]);
  });

  it("retain() keeps savepoints with their parts, and does not count them", async () => {
    const one = await add(1);
    await add(2, one, { kind: "savepoint" });
    await add(3);
    await add(4, undefined, { kind: "savepoint" });
    await add(5);
    assertEquals(await catalogue.retain(1), [1, 3]);
    assertEquals(await store.list(), [5, 4, 2]);
    assertEquals((await catalogue.load(2)).chunks("per customer", 5).length, 2);
  });

  it("retain() does not count damaged ones, leaves them, and says so once", async () => {
    await addChain();
    await replaceManifest(3, new Uint8Array(3));
    assertEquals(await catalogue.retain(1), [1]);
    assertEquals(await catalogue.retain(1), []);
    assertEquals(await store.list(), [3, 2]);
    assertEquals((await catalogue.load(2)).chunks("per customer", 5).length, 2);
    assertEquals(logged.map(({ fields }) => fields?.["checkpoint"]), [3]);
  });

  it("retain() removes nothing while a newer Penstock has checkpoints there", async () => {
    await addChain();
    await replaceManifest(1, frame("manifest", 200, [new Uint8Array(5)]).bytes);
    assertEquals(await catalogue.retain(1), []);
    assertEquals(await store.list(), [3, 2, 1]);
  });

  it("retain() leaves every checkpoint whole when it is ended in the middle", async () => {
    await addChain();
    await add(4);
    const remove = store.remove.bind(store);
    let calls = 0;
    store.remove = (id, parts) => {
      if (++calls > 1) return Promise.reject(new Error("killed"));
      return remove(id, parts);
    };
    await assertRejects(() => catalogue.retain(1), Error, "killed");
    for (const id of await store.list()) await catalogue.load(id);
    assertEquals(await store.list(), [4, 3, 2]);
  });

  it("retain() refuses to keep none", async () => {
    for (const count of [0, -1, 1.5, NaN]) {
      await assertRejects(() => catalogue.retain(count), RangeError, "from 1");
    }
  });
});
