/**
 * Real Unix sockets in a folder of their own. Deno wants leave to listen at each of them, which tests don't have: they run in
 * a process with the permissions of `deno task start`, started by `control_socket_test.ts`.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { s3Store } from "../../../runtime/checkpoint/s3_store.ts";
import { sqliteStore } from "../../../runtime/checkpoint/sqlite_store.ts";
import type { CheckpointStore } from "../../../runtime/checkpoint/store.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { readLine } from "../../../runtime/control/control_connection.ts";
import {
  type ControlAnswer,
  controlLine,
  type ControlRequest,
} from "../../../runtime/control/control_protocol.ts";
import { type ControlListener, JobRunsAlreadyError } from "../../../runtime/control/job_control.ts";
import { CONTROL_CONNECTIONS_MAX, CONTROL_LINE_BYTES_MAX } from "../../../runtime/limits.ts";
import {
  commandJob,
  listenForCommands,
  SOCKET_PATH_BYTES_MAX,
  socketPlace,
  stateOfJob,
} from "../../../runtime/ports/control_socket.ts";

const KEPT = { id: 7, store: "a.db", kind: "savepoint", writtenBytes: 12 } as const;

describe("the socket for commands", () => {
  let folder: string;
  let store: CheckpointStore;
  let listeners: ControlListener[];
  let asked: ControlRequest[];

  const listen = async (
    answer: () => Promise<ControlAnswer> = () => Promise.resolve({ type: "kept", savepoint: KEPT }),
    job = "orders",
    at = store,
  ) => {
    const listener = await listenForCommands(at, job, systemClock, (request) => {
      asked.push(request);
      return request.type === "status"
        ? Promise.resolve({ type: "status", job, state: "running" })
        : answer();
    });
    listeners.push(listener);
    return listener;
  };
  const connect = () =>
    Deno.connect({ transport: "unix", path: socketPlace(store, "orders").path });
  /** What the job says to a line of anything. */
  const said = async (line: string) => {
    const connection = await connect();
    try {
      // All of it fits in the socket's buffer, or the other side has closed.
      await connection.write(new TextEncoder().encode(line));
      return JSON.parse(await readLine(connection) ?? "null");
    } finally {
      connection.close();
    }
  };
  const there = async (path: string) => {
    try {
      return await Deno.lstat(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  };
  /** A socket as a job leaves it that was killed. */
  const leaveStale = async (path: string) => {
    const listener = Deno.listen({ transport: "unix", path: `${folder}/s` });
    await Deno.rename(`${folder}/s`, path);
    // Removes the name that it was made with.
    listener.close();
  };
  const files = async (of: string) =>
    (await Array.fromAsync(Deno.readDir(of))).map(({ name }) => name).toSorted();

  beforeEach(async () => {
    folder = await Deno.makeTempDir({ prefix: "pst-" });
    store = sqliteStore(`${folder}/jobs.db`);
    listeners = [];
    asked = [];
  });
  afterEach(async () => {
    for (const listener of listeners) await listener.close();
    await Deno.remove(folder, { recursive: true });
  });

  it("brings a request to the job and its answer back; this user's alone, gone at the end", async () => {
    const listener = await listen();
    const answer = await commandJob(store, "orders", { type: "savepoint" });
    assertEquals([answer, asked], [{ type: "kept", savepoint: KEPT }, [{ type: "savepoint" }]]);
    const { path } = socketPlace(store, "orders");
    const found = await there(path);
    assert(found?.isSocket);
    assertEquals((found.mode ?? 0) & 0o777, 0o600);
    assertEquals(await files(folder), [path.slice(folder.length + 1)]);
    await listener.close();
    assertEquals(await files(folder), []);
    listeners = [];
  });

  it("is found by the store however its path is written, and by the job's name", async () => {
    await Deno.writeTextFile(`${folder}/jobs.db`, "");
    await Deno.symlink(`${folder}/jobs.db`, `${folder}/link.db`);
    await Deno.mkdir(`${folder}/in`);
    const { path } = socketPlace(store, "orders");
    for (const name of ["/link.db", "/in/../jobs.db", "/./jobs.db"]) {
      assertEquals(socketPlace(sqliteStore(folder + name), "orders").path, path);
    }
    const others = [
      socketPlace(store, "Orders"),
      socketPlace(sqliteStore(`${folder}/other.db`), "orders"),
      socketPlace(s3Store("s3://bucket/orders"), "orders"),
    ].map(({ path }) => path);
    assertEquals(new Set([path, ...others]).size, 4);
  });

  it("is the same before the file is there and after", async () => {
    const { path } = socketPlace(store, "orders");
    await Deno.writeTextFile(`${folder}/jobs.db`, "");
    assertEquals(socketPlace(store, "orders").path, path);
  });

  it("lets a second run of the same job fail, and the first one go on", async () => {
    await listen();
    const error = await assertRejects(() => listen(), JobRunsAlreadyError);
    assertEquals(
      error.message,
      `Cannot start job "orders" on sqlite store "${folder}/jobs.db": it runs there already, and listens at ` +
        `"${
          socketPlace(store, "orders").path
        }"; stop that run first (penstock stop), or give this one another store`,
    );
    await listen(undefined, "bills");
    assertEquals((await commandJob(store, "orders", { type: "savepoint" })).type, "kept");
  });

  it("lets one of several that start at once win", async () => {
    for (let round = 0; round < 5; round++) {
      const outcomes = await Promise.allSettled(Array.from({ length: 4 }, () => listen()));
      const failed = outcomes.flatMap((it) => it.status === "rejected" ? [it.reason] : []);
      assertEquals(failed.map(({ name }) => name), Array(3).fill("JobRunsAlreadyError"));
      for (const listener of listeners.splice(0)) await listener.close();
    }
  });

  it("takes the place of a socket that nobody listens at any more", async () => {
    const { path } = socketPlace(store, "orders");
    await leaveStale(path);
    assert((await there(path))?.isSocket);
    assertEquals(await stateOfJob(store, "orders", systemClock), undefined);
    await listen();
    assertEquals(await stateOfJob(store, "orders", systemClock), "running");
  });

  it("says what to do when nobody listens", async () => {
    const { path } = socketPlace(store, "orders");
    for (const _ of [0, 1]) {
      await assertRejects(
        () => commandJob(store, "orders", { type: "savepoint" }),
        Error,
        `Cannot reach job "orders" on sqlite store "${folder}/jobs.db": nobody listens at "${path}"; start it`,
      );
      if (await there(path) === undefined) await leaveStale(path);
    }
  });

  it("answers what it can't read, and goes on", async () => {
    await listen();
    const version = await said('{"penstock":2,"type":"status"}\n');
    assert(version.reason.startsWith("Cannot read a request: found version 2 of the protocol"));
    const long = await said("x".repeat(CONTROL_LINE_BYTES_MAX + 1));
    assert(long.reason.startsWith("Cannot read a line: found more than"));
    assertEquals((await said("{}\n")).type, "failed");
    (await connect()).close();
    assertEquals(asked, []);
    assertEquals((await said(`${controlLine({ type: "status" })}\n`)).state, "running");
  });

  it("tells the command when the job speaks another version, or goes away", async () => {
    const { path } = socketPlace(store, "orders");
    for (
      const [line, message] of [
        ['{"penstock":3,"type":"stopped"}\n', "found version 3 of the protocol, expected 1"],
        ["", "it has ended without an answer"],
      ] as const
    ) {
      const listener = Deno.listen({ transport: "unix", path });
      const serving = listener.accept().then(async (connection) => {
        await readLine(connection);
        await connection.write(new TextEncoder().encode(line));
        connection.close();
      });
      await assertRejects(
        () => commandJob(store, "orders", { type: "savepoint" }),
        Error,
        `Cannot get an answer of job "orders" on sqlite store "${folder}/jobs.db": `,
      ).then((error) => assert(error.message.includes(message), error.message));
      await serving;
      listener.close();
    }
  });

  it("answers what is under way before it closes", async () => {
    const asking = Promise.withResolvers<void>();
    const done = Promise.withResolvers<ControlAnswer>();
    const listener = await listen(() => {
      asking.resolve();
      return done.promise;
    });
    const answer = commandJob(store, "orders", { type: "stop", drain: false, savepoint: false });
    await asking.promise;
    const closed = listener.close();
    assertEquals(await stateOfJob(store, "orders", systemClock), undefined);
    done.resolve({ type: "stopped", savepoint: undefined });
    assertEquals(await answer, { type: "stopped", savepoint: undefined });
    await closed;
    listeners = [];
  });

  it("takes so many commands at once, and tells further ones to come again", async () => {
    const done = Promise.withResolvers<ControlAnswer>();
    let waiting = 0;
    const full = Promise.withResolvers<void>();
    await listen(() => {
      if (++waiting === CONTROL_CONNECTIONS_MAX) full.resolve();
      return done.promise;
    });
    const ask = () => commandJob(store, "orders", { type: "savepoint" });
    const answers = Array.from({ length: CONTROL_CONNECTIONS_MAX }, ask);
    await full.promise;
    const connection = await connect();
    const line = await readLine(connection);
    connection.close();
    assertMatch(line ?? "", /it carries out 16 commands already; try again later/);
    done.resolve({ type: "kept", savepoint: KEPT });
    for (const answer of answers) assertEquals((await answer).type, "kept");
  });

  it("is in a folder of this user's own for other stores, and where a path is too long", async () => {
    const temporary = `${folder}/tmp`;
    const own = `${temporary}/penstock-${Deno.uid()}`;
    const s3 = socketPlace(s3Store("s3://bucket/orders"), "orders", temporary);
    assertEquals([s3.folder, s3.isOwnFolder], [own, true]);
    const deep = `${folder}/${"d".repeat(SOCKET_PATH_BYTES_MAX - folder.length - 30)}`;
    await Deno.mkdir(deep);
    const long = socketPlace(sqliteStore(`${deep}/jobs.db`), "orders", temporary);
    assertEquals([long.folder, long.isOwnFolder], [own, true]);
    const fits = socketPlace(sqliteStore(`${folder}/jobs.db`), "orders", temporary);
    assertEquals([fits.folder, fits.isOwnFolder], [folder, false]);
    assertThrows(
      () => socketPlace(s3Store("s3://bucket/orders"), "orders", deep),
      Error,
      "set TMPDIR to a shorter one",
    );
  });

  it("makes that folder, and refuses one that others may enter", async () => {
    const before = Deno.env.get("TMPDIR");
    const of = s3Store("s3://bucket/orders");
    Deno.env.set("TMPDIR", folder);
    try {
      await listen(undefined, "orders", of);
      const own = `${folder}/penstock-${Deno.uid()}`;
      assertEquals(((await there(own))?.mode ?? 0) & 0o777, 0o700);
      assertEquals((await commandJob(of, "orders", { type: "savepoint" })).type, "kept");
      await Deno.chmod(own, 0o755);
      await assertRejects(
        () => listen(undefined, "bills", of),
        Error,
        "it is not a folder of this user alone",
      );
    } finally {
      if (before === undefined) Deno.env.delete("TMPDIR");
      else Deno.env.set("TMPDIR", before);
    }
  });
});
