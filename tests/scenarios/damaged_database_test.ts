/**
 * A SQLite file whose newest checkpoint, or which itself, is damaged: a job says so and goes on from the checkpoint
 * before, where it may, and otherwise says what there is to go on from.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { DatabaseSync } from "node:sqlite";
import { memory } from "../../connectors/memory/memory.ts";
import { frame, FRAME_BYTES } from "../../runtime/checkpoint/frame.ts";
import { MANIFEST_FORMAT } from "../../runtime/checkpoint/manifest_codec.ts";
import { SQLITE_SCHEMA_VERSION, sqliteStore } from "../../runtime/checkpoint/sqlite_store.ts";
import { defineJob } from "../../runtime/job.ts";
import { type LogFields, silentLogger } from "../../runtime/logger.ts";
import { store } from "../../runtime/state/state.ts";
import type { CheckpointChoice } from "../../runtime/supervisor/open_checkpoints.ts";
import { JobDriver } from "../../runtime/testing/job_driver.ts";
import { ScriptedSource } from "../../runtime/testing/scripted_source.ts";

/** Bytes that are something else, as long as those. */
type Damage = (bytes: Uint8Array) => Uint8Array;
const truncated: Damage = (bytes) => bytes.slice(0, bytes.length - 7);
const foreign: Damage = (bytes) =>
  new TextEncoder().encode("customer;amount\n".repeat(9)).slice(0, bytes.length);
const flipped: Damage = (bytes) => {
  const damaged = bytes.slice();
  const at = FRAME_BYTES + (bytes.length - FRAME_BYTES >> 1);
  damaged[at] = (damaged[at] ?? 0) ^ 16;
  return damaged;
};

describe("a job whose checkpoints are in a SQLite file", () => {
  let folder: string;
  let path: string;
  let logged: { readonly message: string; readonly fields: LogFields | undefined }[];
  let numbers: ScriptedSource<number>;
  const out = memory.sink<string>();

  const start = (from?: CheckpointChoice, at = path) => {
    const log = (message: string, fields?: LogFields) => void logged.push({ message, fields });
    return JobDriver.start(
      defineJob({
        name: "summing",
        sources: { numbers },
        sinks: { out },
        build: ({ numbers }, { out }) =>
          numbers.keyBy((n) => n % 2).process("sum", {
            state: { sum: store.value(0), all: store.list<number>() },
            onEvent(n, { state }) {
              state.all.add(n);
              return [`${state.sum.value += n} of ${[...state.all].join("+")}`];
            },
          }).to(out),
      }),
      {
        workers: 2,
        checkpoints: sqliteStore(at),
        checkpointing: from === undefined ? {} : { from },
        logger: { ...silentLogger, warn: log, error: log },
      },
    );
  };
  /** What the job puts out from where it starts, in order; the source has delivered all. */
  const rowsFrom = async (from?: CheckpointChoice, at?: string) => {
    const before = out.rows.length;
    const driver = await start(from, at);
    await driver.stop();
    return out.rows.slice(before);
  };
  const edit = <T>(call: (database: DatabaseSync) => T): T => {
    const database = new DatabaseSync(path);
    try {
      return call(database);
    } finally {
      database.close();
    }
  };
  /** Damages what is stored: of the newest checkpoint the manifest, or a part that no other one has. */
  const damage = (what: "manifest" | "part", how: Damage) =>
    edit((database) => {
      const [table, where] = what === "manifest"
        ? ["checkpoint", "id = 3"]
        : ["part", "name LIKE '3-%'"];
      const column = what === "manifest" ? "manifest" : "bytes";
      const row = database.prepare(`SELECT ${column} AS found FROM ${table} WHERE ${where}`).get();
      const bytes = row?.["found"];
      assert(bytes instanceof Uint8Array);
      database.prepare(`UPDATE ${table} SET ${column} = ? WHERE ${where}`).run(how(bytes));
    });

  beforeEach(async () => {
    folder = await Deno.makeTempDir();
    path = `${folder}/checkpoints.db`;
    logged = [];
    numbers = new ScriptedSource<number>({ shards: ["a"] });
    const driver = await start();
    for (const n of [1, 3, 5]) {
      numbers.push("a", { value: n });
      await driver.settle();
      await driver.checkpoint();
    }
    await driver.leave();
  });
  afterEach(() => Deno.remove(folder, { recursive: true }));

  it("goes on from the checkpoint before one that is damaged, and says so", async () => {
    const cases = [
      ["manifest", truncated, "found"],
      ["manifest", flipped, "CRC"],
      ["manifest", foreign, "PENSTOCK"],
      ["part", truncated, "bytes"],
      ["part", flipped, "CRC"],
      ["part", foreign, "found"],
    ] as const;
    const whole = await Deno.readFile(path);
    for (const [what, how, reason] of cases) {
      await Deno.writeFile(path, whole);
      logged = [];
      damage(what, how);
      // What came after the checkpoint that is used is read again.
      assertEquals(await rowsFrom(), ["9 of 1+3+5"]);
      const { message, fields } = logged[0] ?? {};
      assertEquals(message, "A checkpoint can't be read");
      assertEquals([fields?.["checkpoint"], fields?.["usedInstead"]], [3, 2]);
      assert(String(fields?.["reason"]).includes(reason), `${fields?.["reason"]} has no ${reason}`);
    }
  });

  it("finds a bit that was flipped in the file itself", async () => {
    const manifest = edit((database) =>
      database.prepare("SELECT manifest AS found FROM checkpoint WHERE id = 3").get()
    )?.["found"];
    assert(manifest instanceof Uint8Array);
    const bytes = await Deno.readFile(path);
    const at = bytes.findIndex((_, from) =>
      manifest.subarray(0, 64).every((byte, index) => bytes[from + index] === byte)
    );
    bytes[at + FRAME_BYTES + 9] = (bytes[at + FRAME_BYTES + 9] ?? 0) ^ 1;
    await Deno.writeFile(path, bytes);
    assertEquals(await rowsFrom(), ["9 of 1+3+5"]);
    assertEquals(logged[0]?.fields?.["usedInstead"], 2);
  });

  it("offers the others where a damaged one was chosen, and uses one of them", async () => {
    damage("part", flipped);
    const error = await assertRejects(() => start({ id: 3 }), Error);
    assert(
      /^Cannot read checkpoint 3 of job "summing": it is damaged: part ".*(there are 1, 2)/.test(
        error.message,
      ),
      error.message,
    );
    assertEquals(await rowsFrom({ id: 2 }), ["9 of 1+3+5"]);
  });

  it("does not go back behind a newer format, but offers to", async () => {
    damage("manifest", () => frame("manifest", MANIFEST_FORMAT + 1, [new Uint8Array(9)]).bytes);
    const error = await assertRejects(() => start(), Error);
    assert(error.message.includes("newer Penstock"), error.message);
    const chosen = await assertRejects(() => start({ id: 3 }), Error);
    assert(/newer Penstock.*there are 1, 2/.test(chosen.message), chosen.message);
    assertEquals(await rowsFrom({ id: 1 }), ["4 of 1+3", "9 of 1+3+5"]);
  });

  it("starts with nothing only if there is nothing: all damaged is an error", async () => {
    edit((database) => database.exec("UPDATE checkpoint SET manifest = x'00'"));
    const error = await assertRejects(() => start(), Error);
    assert(error.message.includes("any of the checkpoints 3, 2, 1"), error.message);
  });

  it("does not start over a file that is no store of checkpoints any more", async () => {
    const theirs = (database: DatabaseSync) =>
      database.exec("PRAGMA application_id = 0; CREATE TABLE customer (id INTEGER)");
    const cases: readonly (readonly [() => void | Promise<void>, string])[] = [
      [
        () => Deno.writeTextFile(path, "customer;amount\n".repeat(999)),
        "the file is no SQLite database",
      ],
      [() => edit(theirs), "a SQLite database of another program"],
      [
        () =>
          edit((database) => database.exec(`PRAGMA user_version = ${SQLITE_SCHEMA_VERSION + 1}`)),
        "the file was written by a newer Penstock",
      ],
      [() => Deno.truncate(path, 5000), "malformed; the file is damaged: put it aside"],
      [() => Deno.truncate(path, 50), "malformed; the file is damaged: put it aside"],
    ];
    const whole = await Deno.readFile(path);
    for (const [change, said] of cases) {
      await Deno.writeFile(path, whole);
      await change();
      const changed = await Deno.readFile(path);
      const error = await assertRejects(() => start(), Error);
      assert(error.message.includes(said) && error.message.includes(path), error.message);
      assertEquals(await Deno.readFile(path), changed);
    }
    await Deno.writeFile(path, whole);
    assertEquals(await rowsFrom(), []);
  });

  it("says so where pages of the file are lost, and begins a new one from a copy", async () => {
    const copy = `${folder}/copy.db`;
    await Deno.copyFile(path, copy);
    const bytes = await Deno.readFile(path);
    const name = edit((database) =>
      database.prepare("SELECT name AS found FROM part WHERE name LIKE '3-%'").get()
    )?.["found"];
    const found = new TextDecoder("latin1").decode(bytes).indexOf(String(name));
    const page = 4096 * Math.floor(found / 4096);
    await Deno.writeFile(path, bytes.fill(0xff, page, page + 4096));
    const error = await assertRejects(() => start(), Error);
    assert(
      error.message.includes("put it aside and start from a savepoint or a copy"),
      error.message,
    );
    await Deno.remove(path);
    assertEquals(await rowsFrom({ store: sqliteStore(copy), id: 2 }), ["9 of 1+3+5"]);
    numbers.push("a", { value: 7 });
    assertEquals(await rowsFrom(), ["16 of 1+3+5+7"]);
  });
});
