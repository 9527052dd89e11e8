import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { DatabaseSync } from "node:sqlite";
import {
  SQLITE_BUSY_MS_MAX,
  SQLITE_SCHEMA_VERSION,
  sqliteStore,
} from "../../../runtime/checkpoint/sqlite_store.ts";
import { CheckpointMissingError, CheckpointStoreError } from "../../../runtime/checkpoint/store.ts";
import { type Clock, systemClock } from "../../../runtime/clock.ts";
import { manifestNaming, someBytes, storeContext, storeSuite } from "./store_suite.ts";

const KILLED_WRITER = new URL("./killed_writer.ts", import.meta.url).pathname;

/** A clock that calls back at the n-th pause that the store makes. */
function pausing(step: number, atStep: (goOn: () => void) => void): Clock {
  let pauses = 0;
  return {
    ...systemClock,
    defer(callback) {
      if (++pauses === step) atStep(callback);
      else return systemClock.defer(callback);
      return () => {};
    },
  };
}

storeSuite("sqliteStore()", async () => {
  const folder = await Deno.makeTempDir();
  return {
    store: sqliteStore(`${folder}/checkpoints.db`),
    failAt(step) {
      const controller = new AbortController();
      let isReached = false;
      const clock = pausing(step, (goOn) => {
        isReached = true;
        controller.abort();
        goOn();
      });
      const context = { clock, signal: controller.signal };
      return { context, isReached: () => isReached, mend: () => {} };
    },
    holdAt(step) {
      const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
      let release = () => {};
      const clock = pausing(step, (goOn) => {
        release = goOn;
        reach();
      });
      return { context: { clock }, reached, release: () => release() };
    },
    close: () => Deno.remove(folder, { recursive: true }),
  };
});

describe("sqliteStore()", () => {
  let folder: string;
  let path: string;
  const part = (name: string, length: number, seed = 1) => ({
    name,
    bytes: someBytes(length, seed),
  });
  const write = async (id: number, bytes: number, options = {}) => {
    const store = await sqliteStore(path, options).open(storeContext());
    try {
      await store.write({ id, manifest: manifestNaming(`p${id}`), parts: [part(`p${id}`, bytes)] });
    } finally {
      await store.close();
    }
  };

  beforeEach(async () => {
    folder = await Deno.makeTempDir();
    path = `${folder}/checkpoints.db`;
  });
  afterEach(() => Deno.remove(folder, { recursive: true }));

  it("has nothing of a write whose process was killed, at any point of it", async () => {
    await write(1, 100);
    for (let pause = 1;; pause++) {
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-prompt", "-A", KILLED_WRITER, path, String(pause)],
        stdout: "piped",
      }).spawn();
      const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
      const { value: said } = await reader.read();
      child.kill("SIGKILL");
      await child.status;
      await reader.cancel();
      const store = await sqliteStore(path).open(storeContext());
      if (said?.trim() === "written") {
        assertEquals(await store.list(), [2, 1]);
        for (const [index, name] of ["a", "b", "c"].entries()) {
          assertEquals(await store.readPart(name), someBytes(3_000_000, index));
        }
        await store.close();
        assertEquals(pause, 4);
        break;
      }
      assertEquals(said?.trim(), "here");
      assertEquals(await store.list(), [1]);
      await assertRejects(() => store.readPart("a"), CheckpointMissingError);
      assertEquals(await store.readPart("p1"), someBytes(100, 1));
      await store.close();
    }
  });

  it("says that the disk is full, and is as it was before", async () => {
    const store = await sqliteStore(path, { bytesMax: 1 << 20 }).open(storeContext());
    await store.write({ id: 1, manifest: manifestNaming("a"), parts: [part("a", 100_000)] });
    const large = { id: 2, manifest: manifestNaming("b"), parts: [part("b", 2 << 20)] };
    const error = await assertRejects(() => store.write(large), CheckpointStoreError);
    for (const said of ["checkpoint 2", path, "full", "free room"]) {
      assert(error.message.includes(said), `${error.message} has no ${said}`);
    }
    assertEquals(await store.list(), [1]);
    assertEquals(await store.readPart("a"), someBytes(100_000, 1));
    await store.write({ id: 2, manifest: manifestNaming("b"), parts: [part("b", 100_000)] });
    assertEquals(await store.list(), [2, 1]);
    await store.close();
  });

  it("uses freed pages again, and gives them back when they are most of the file", async () => {
    const size = async () => (await Deno.stat(path)).size;
    const store = await sqliteStore(path).open(storeContext());
    const add = (id: number) =>
      store.write({ id, manifest: manifestNaming(`p${id}`), parts: [part(`p${id}`, 1 << 20)] });
    for (const id of [1, 2, 3, 4]) await add(id);
    for (let id = 5; id < 13; id++) {
      await store.remove(id - 4, [`p${id - 4}`]);
      await add(id);
    }
    // What the log holds is taken over when the connection is closed.
    await store.close();
    const full = await size();
    assert(full < 7 << 20, `${full} bytes for 4 MiB`);
    const again = await sqliteStore(path).open(storeContext());
    for (const id of [9, 10, 11]) await again.remove(id, [`p${id}`]);
    await again.close();
    const rest = await size();
    assert(rest < 3 << 20, `${rest} bytes for 1 MiB`);
  });

  it("refuses a file that is no database", async () => {
    await Deno.writeTextFile(path, "These are the orders of last month.\n".repeat(100));
    await assertRejects(
      () => sqliteStore(path).open(storeContext()),
      CheckpointStoreError,
      "the file is no SQLite database; name another file",
    );
    assertEquals((await Deno.readTextFile(path)).slice(0, 9), "These are");
  });

  it("refuses another program's database, and leaves it alone", async () => {
    const theirs = new DatabaseSync(path);
    theirs.exec("CREATE TABLE customer (id INTEGER PRIMARY KEY)");
    theirs.close();
    const before = await Deno.readFile(path);
    const opening = () => sqliteStore(path).open(storeContext());
    await assertRejects(opening, CheckpointStoreError, "of another program");
    assertEquals(await Deno.readFile(path), before);
  });

  it("refuses a file of a newer Penstock", async () => {
    await write(1, 100);
    const newer = new DatabaseSync(path);
    newer.exec(`PRAGMA user_version = ${SQLITE_SCHEMA_VERSION + 1}`);
    newer.close();
    const opening = () => sqliteStore(path).open(storeContext());
    await assertRejects(opening, CheckpointStoreError, "written by a newer Penstock");
  });

  it("says what to do about a folder that is not there", async () => {
    const opening = () => sqliteStore(`${folder}/none/a.db`).open(storeContext());
    await assertRejects(opening, CheckpointStoreError, "create its folder");
    assertThrows(() => sqliteStore(""), RangeError, "empty");
  });

  it("goes on while another process reads, which sees what was there when it began", async () => {
    await write(1, 100);
    const reader = new DatabaseSync(path, { readOnly: true });
    const count = () => reader.prepare("SELECT count(*) AS found FROM checkpoint").get()?.["found"];
    reader.exec("BEGIN");
    assertEquals(count(), 1);
    await write(2, 100);
    assertEquals(count(), 1);
    reader.exec("COMMIT");
    assertEquals(count(), 2);
    reader.close();
  });

  it("waits for another writer, and gives up after a while", async () => {
    await write(1, 100);
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    // Time passes in waiting only, without being waited for.
    let now = 0;
    let waits = 0;
    let atWait = () => {};
    const clock: Clock = {
      ...systemClock,
      monotonic: () => now,
      setTimer(ms, callback) {
        now += ms;
        waits++;
        atWait();
        return systemClock.defer(callback);
      },
    };
    const store = await sqliteStore(path).open(storeContext({ clock }));
    // Readers don't wait.
    assertEquals(await store.list(), [1]);
    assertEquals(waits, 0);
    const next = { id: 2, manifest: manifestNaming(), parts: [] };
    await assertRejects(() => store.write(next), CheckpointStoreError, "locked");
    assert(now >= SQLITE_BUSY_MS_MAX && now < SQLITE_BUSY_MS_MAX + 1000, `${now} ms`);
    waits = 0;
    atWait = () => {
      if (waits === 3) other.exec("COMMIT");
    };
    await store.write(next);
    assertEquals([await store.list(), waits], [[2, 1], 3]);
    other.close();
    await store.close();
  });
});
