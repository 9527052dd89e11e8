/**
 * The Unix socket over which commands reach a running job. It is this user's alone (mode 0600), and its name is a hash of
 * store and job, so that a command finds it by these, and a job finds out that it runs already.
 *
 * | store | where |
 * |---|---|
 * | a SQLite file | in the file's folder: `.penstock-HASH.sock` |
 * | any other, or where that path is too long | in `penstock-UID`, mode 0700, in the folder for temporary files |
 * | in memory | nowhere: nobody else can have it |
 *
 * Deno asks for read and write access to the path, and for `net` with `unix:PATH`.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { type CheckpointStore, storeLabel } from "../checkpoint/store.ts";
import { type Clock, delay } from "../clock.ts";
import { askJob, type CarryOut, serveRequest } from "../control/control_connection.ts";
import {
  type ControlAnswer,
  controlLine,
  type ControlRequest,
} from "../control/control_protocol.ts";
import { type ControlListener, JobRunsAlreadyError } from "../control/job_control.ts";
import { CONTROL_CLOSE_MS_MAX, CONTROL_CONNECTIONS_MAX, CONTROL_STATUS_MS_MAX } from "../limits.ts";

/** Bytes that a socket's path may have: macOS has room for 104 with the 0 at the end, Linux for 108. */
export const SOCKET_PATH_BYTES_MAX = 103;
/** Hexadecimal digits of a hash in a name. */
const HASH_DIGITS = 16;

/** Where a socket is. */
export interface SocketPlace {
  readonly folder: string;
  readonly path: string;
  /** Whether the folder is for sockets only: then it is made, and must be this user's alone. */
  readonly isOwnFolder: boolean;
}

/**
 * Where the socket of a job is.
 *
 * @throws {Error} if its path is too long even in the folder for temporary files
 *
 * @example Beside the file
 * ```ts
 * import { assertMatch } from "@std/assert";
 * import { sqliteStore } from "../checkpoint/sqlite_store.ts";
 * import { socketPlace } from "./control_socket.ts";
 * assertMatch(socketPlace(sqliteStore("deno.db"), "orders").path, /[/]\.penstock-[0-9a-f]{16}\.sock$/);
 * ```
 */
export function socketPlace(
  store: CheckpointStore,
  job: string,
  temporary = tmpdir(),
): SocketPlace {
  const name = store.kind === "sqlite" ? realPath(store.name) : store.name;
  const hash = createHash("sha256").update(JSON.stringify([store.kind, name, job])).digest("hex");
  const file = `.penstock-${hash.slice(0, HASH_DIGITS)}.sock`;
  if (store.kind === "sqlite") {
    const folder = dirname(name);
    const path = join(folder, file);
    if (isShort(path)) return { folder, path, isOwnFolder: false };
  }
  const folder = join(temporary, `penstock-${Deno.uid() ?? "user"}`);
  const path = join(folder, file);
  if (isShort(path)) return { folder, path, isOwnFolder: true };
  throw new Error(
    `Cannot make a socket for commands at "${path}": a socket's path has at most ` +
      `${SOCKET_PATH_BYTES_MAX} bytes; set TMPDIR to a shorter one`,
  );
}

/**
 * Listens for commands to a job.
 *
 * @throws {JobRunsAlreadyError} if a run of this job on this store listens already
 * @throws {Error} if no socket can be made there
 */
export async function listenForCommands(
  store: CheckpointStore,
  job: string,
  clock: Clock,
  carryOut: CarryOut,
): Promise<ControlListener> {
  const place = socketPlace(store, job);
  if (place.isOwnFolder) makeOwnFolder(place.folder);
  const listener = await inTurn(place.folder, async () => {
    if (await isAnswered(place.path)) {
      throw new JobRunsAlreadyError(
        `Cannot start job "${job}" on ${
          storeLabel(store)
        }: it runs there already, and listens at "${place.path}"; ` +
          "stop that run first (penstock stop), or give this one another store",
      );
    }
    return listenAt(place);
  });
  return new SocketListener(listener, place.path, clock, carryOut);
}

/**
 * Asks a running job.
 *
 * @throws {Error} if no such job listens, or it does not answer as the protocol has it
 */
export async function commandJob(
  store: CheckpointStore,
  job: string,
  request: ControlRequest,
): Promise<ControlAnswer> {
  const what = `job "${job}" on ${storeLabel(store)}`;
  const { path } = socketPlace(store, job);
  let connection: Deno.UnixConn;
  try {
    connection = await Deno.connect({ transport: "unix", path });
  } catch (cause) {
    if (!isNobody(cause)) throw cause;
    throw new Error(
      `Cannot reach ${what}: nobody listens at "${path}"; start it on this machine, as this user, with penstock run or ` +
        "deno task start, and name the store as there",
      { cause },
    );
  }
  try {
    return await askJob(connection, request);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Cannot get an answer of ${what}: ${reason}`, { cause });
  }
}

/** How a job is, as it says itself; undefined if it doesn't run on this machine. */
export async function stateOfJob(
  store: CheckpointStore,
  job: string,
  clock: Clock,
): Promise<string | undefined> {
  let connection: Deno.UnixConn;
  try {
    connection = await Deno.connect({ transport: "unix", path: socketPlace(store, job).path });
  } catch {
    return undefined;
  }
  const given = new AbortController();
  const late = delay(clock, CONTROL_STATUS_MS_MAX, given.signal).then(() => undefined);
  try {
    const asked = askJob(connection, { type: "status" });
    // Closing the connection ends it if it is late.
    const answer = await Promise.race([asked.catch(() => undefined), late]);
    return answer?.type === "status" ? answer.state : "runs, but does not answer";
  } finally {
    given.abort();
    closeQuietly(connection);
  }
}

/** A socket that is listened at. */
class SocketListener implements ControlListener {
  readonly #listener: Deno.UnixListener;
  readonly #path: string;
  readonly #clock: Clock;
  readonly #connections = new Map<Deno.UnixConn, Promise<void>>();
  readonly #accepting: Promise<void>;

  constructor(listener: Deno.UnixListener, path: string, clock: Clock, carryOut: CarryOut) {
    this.#listener = listener;
    this.#path = path;
    this.#clock = clock;
    this.#accepting = this.#accept(carryOut);
  }

  async close(): Promise<void> {
    // First the name, as long as it is surely this one's.
    removeQuietly(this.#path);
    this.#listener.close();
    await this.#accepting;
    const patience = new AbortController();
    const late = delay(this.#clock, CONTROL_CLOSE_MS_MAX, patience.signal);
    await Promise.race([Promise.all(this.#connections.values()), late]);
    patience.abort();
    for (const connection of this.#connections.keys()) closeQuietly(connection);
  }

  async #accept(carryOut: CarryOut): Promise<void> {
    for await (const connection of this.#listener) {
      const isFull = this.#connections.size >= CONTROL_CONNECTIONS_MAX;
      const served = isFull ? refuse(connection) : serveRequest(
        closable(connection),
        this.#clock,
        carryOut,
      );
      this.#connections.set(connection, served);
      served.finally(() => this.#connections.delete(connection));
    }
  }
}

async function refuse(connection: Deno.UnixConn): Promise<void> {
  const reason = `it carries out ${CONTROL_CONNECTIONS_MAX} commands already; try again later`;
  try {
    await connection.write(
      new TextEncoder().encode(`${controlLine({ type: "failed", reason })}\n`),
    );
  } catch {
    // It is gone by itself.
  } finally {
    closeQuietly(connection);
  }
}

/** A connection that may have been closed already. */
function closable(connection: Deno.UnixConn) {
  return {
    read: (into: Uint8Array) => connection.read(into),
    write: (bytes: Uint8Array) => connection.write(bytes),
    close: () => closeQuietly(connection),
  };
}

/** Has it appear at its path in one step, and with its mode: nobody else can connect before. */
function listenAt({ folder, path }: SocketPlace): Deno.UnixListener {
  const hidden = Deno.makeTempDirSync({ dir: folder, prefix: ".penstock-" });
  const first = join(hidden, "s");
  try {
    const listener = Deno.listen({ transport: "unix", path: first });
    try {
      Deno.chmodSync(first, 0o600);
      Deno.renameSync(first, path);
      return listener;
    } catch (error) {
      listener.close();
      throw error;
    }
  } finally {
    Deno.removeSync(hidden, { recursive: true });
  }
}

/** One run at a time looks whether another one listens, and takes its place if not. */
async function inTurn<T>(folder: string, call: () => Promise<T>): Promise<T> {
  const lock = Deno.openSync(folder);
  try {
    await lock.lock(true);
    return await call();
  } finally {
    // Gives the lock back as well.
    lock.close();
  }
}

async function isAnswered(path: string): Promise<boolean> {
  try {
    closeQuietly(await Deno.connect({ transport: "unix", path }));
    return true;
  } catch (error) {
    if (isNobody(error)) return false;
    throw error;
  }
}

function makeOwnFolder(folder: string): void {
  try {
    Deno.mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  const { isDirectory, uid, mode } = Deno.lstatSync(folder);
  if (isDirectory && uid === Deno.uid() && ((mode ?? 0) & 0o077) === 0) return;
  throw new Error(
    `Cannot make a socket for commands in "${folder}": it is not a folder of this user alone; remove it, or set TMPDIR`,
  );
}

/** Whether there is no socket, or nobody listens at it. */
function isNobody(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.ConnectionRefused;
}

/** A path that is the same whichever way a file is named, be it there already or not. */
function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  try {
    return join(Deno.realPathSync(dirname(path)), basename(path));
  } catch (error) {
    // Whoever opens the store says what is wrong with it.
    if (error instanceof Deno.errors.NotFound) return path;
    throw error;
  }
}

function isShort(path: string): boolean {
  return new TextEncoder().encode(path).length <= SOCKET_PATH_BYTES_MAX;
}

function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // Somebody has tidied up.
  }
}

function closeQuietly(connection: Deno.UnixConn): void {
  try {
    connection.close();
  } catch {
    // It is closed.
  }
}
