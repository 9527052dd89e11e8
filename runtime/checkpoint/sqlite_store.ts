/**
 * Checkpoints in a SQLite file, for jobs on one machine. A checkpoint is one transaction, several jobs share a file, and
 * other processes read while one writes.
 *
 * - Write-ahead log: readers see the last whole checkpoint and hold nobody up, nor does the writer hold them up.
 * - `synchronous=FULL`: with `NORMAL` a power failure takes away transactions that were said to be there, and sinks may
 *   have published what belongs to them.
 * - Pages of removed checkpoints are used again; when they are more than half of the file, they are given back.
 * - SQLite runs on the calling thread. Parts go in by pieces with other work in between; the commit is one piece.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { type Clock, delay } from "../clock.ts";
import {
  CheckpointExistsError,
  CheckpointMissingError,
  type CheckpointStore,
  CheckpointStoreError,
  checkStored,
  type OpenCheckpointStore,
  type StoreContext,
  type StoredCheckpoint,
  storeLabel,
} from "./store.ts";

/** The layout of the tables. */
export const SQLITE_SCHEMA_VERSION = 1;
/** Bytes of a part that one row holds; SQLite's own bound is 1 GB. */
export const SQLITE_PIECE_BYTES_MAX = 8 << 20;
/** How long a call waits for another writer of the file. */
export const SQLITE_BUSY_MS_MAX = 30_000;
/** The longest wait before it is looked at again whether the other writer is done. */
export const SQLITE_BUSY_STEP_MS_MAX = 100;
/** What the write-ahead log is cut back to once it has been taken over into the file. */
export const SQLITE_LOG_BYTES_KEPT = 64 << 20;

/** "PNST", so that a file of another program is told apart. */
const APPLICATION_ID = 0x504e5354;
const BUSY = 5;
const LOCKED = 6;
const FULL = 13;

const SCHEMA = `
  CREATE TABLE checkpoint (job TEXT NOT NULL, id INTEGER NOT NULL, manifest BLOB NOT NULL, PRIMARY KEY (job, id));
  CREATE TABLE part (
    job TEXT NOT NULL, name TEXT NOT NULL, piece INTEGER NOT NULL, bytes BLOB NOT NULL,
    PRIMARY KEY (job, name, piece)
  );
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SQLITE_SCHEMA_VERSION};
`;

const ADVICE: ReadonlyMap<number, string> = new Map([
  [
    FULL,
    "free room on its disk or raise bytesMax, or keep fewer checkpoints; the store is as it was before",
  ],
  [BUSY, "another process keeps the file locked: end it, or give each job a file of its own"],
  [8, "the file is read-only: make it and its folder writable"],
  [10, "the disk has failed: look at the system's log"],
  [11, "the file is damaged: put it aside and start from a savepoint or a copy"],
  [14, "create its folder, and make it readable and writable for this process"],
]);

/** How a file is used. */
export interface SqliteStoreOptions {
  /** Bytes that the file may have; a checkpoint that needs more fails. No bound unless said. */
  readonly bytesMax?: number | undefined;
}

/**
 * A store in a SQLite file, which is created if need be; its folder must be there. Network file systems won't do: the
 * write-ahead log needs memory that all processes share.
 *
 * Opening throws a {@linkcode CheckpointStoreError} if the file can't be opened, is no SQLite database, belongs to another
 * program, or was written by a newer Penstock.
 *
 * @throws {RangeError} if the path is empty
 *
 * @example Declaring it
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { sqliteStore } from "./sqlite_store.ts";
 * assertEquals(sqliteStore("checkpoints.db").name, "checkpoints.db");
 * ```
 */
export function sqliteStore(path: string, options: SqliteStoreOptions = {}): CheckpointStore {
  if (path === "") throw new RangeError("Cannot declare a sqlite store: the path is empty");
  return {
    kind: "sqlite",
    name: path,
    async open(context) {
      const label = storeLabel({ kind: "sqlite", name: path });
      const attempt = `Cannot open ${label} for job "${context.job}"`;
      let database: DatabaseSync | undefined;
      try {
        // Waiting in SQLite would stop the whole thread.
        const opened = new DatabaseSync(path, { timeout: 0 });
        database = opened;
        await unlocked(context, () => prepare(opened, options, attempt));
        return new OpenSqliteStore(path, opened, context);
      } catch (error) {
        database?.close();
        throw sqliteError(attempt, error);
      }
    },
    async jobs(context) {
      const attempt = `Cannot list the jobs in ${storeLabel({ kind: "sqlite", name: path })}`;
      let database: DatabaseSync | undefined;
      try {
        if (!existsSync(path)) {
          throw new CheckpointStoreError(attempt, "there is no such file", "check the path");
        }
        const opened = database = new DatabaseSync(path, { timeout: 0 });
        await unlocked(context, () => prepare(opened, options, attempt));
        let rows: Record<string, unknown>[] = [];
        await unlocked(context, () => {
          rows = opened.prepare("SELECT DISTINCT job FROM checkpoint").all();
        });
        return rows.map(({ job }) => String(job)).toSorted();
      } catch (error) {
        throw sqliteError(attempt, error);
      } finally {
        database?.close();
      }
    },
  };
}

/** Makes the file ours, if it is empty, and sets what each connection must set. */
function prepare(database: DatabaseSync, { bytesMax }: SqliteStoreOptions, attempt: string): void {
  const version = pragma(database, "user_version");
  const application = pragma(database, "application_id");
  const isEmpty = numberIn(database, "SELECT count(*) AS found FROM sqlite_schema") === 0;
  if (application !== APPLICATION_ID && !(isEmpty && version === 0 && application === 0)) {
    throw new CheckpointStoreError(
      attempt,
      "the file is a SQLite database of another program",
      "name another file",
    );
  }
  if (version > SQLITE_SCHEMA_VERSION) {
    throw new CheckpointStoreError(
      attempt,
      `the file was written by a newer Penstock (layout ${version}, this one knows ${SQLITE_SCHEMA_VERSION})`,
      "run that version, or name another file",
    );
  }
  // Both are written to the file, so only while it is new: this one must come first.
  if (isEmpty) database.exec("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL");
  database.exec(
    `PRAGMA synchronous = FULL; PRAGMA journal_size_limit = ${SQLITE_LOG_BYTES_KEPT}`,
  );
  if (bytesMax !== undefined) {
    const pages = Math.max(1, Math.floor(bytesMax / pragma(database, "page_size")));
    database.exec(`PRAGMA max_page_count = ${pages}`);
  }
  if (!isEmpty) return;
  database.exec("BEGIN IMMEDIATE");
  try {
    // Another process may have been first.
    if (pragma(database, "user_version") === 0) database.exec(SCHEMA);
    database.exec("COMMIT");
  } catch (error) {
    rollBack(database);
    throw error;
  }
}

class OpenSqliteStore implements OpenCheckpointStore {
  readonly kind = "sqlite";
  readonly name: string;
  readonly job: string;
  readonly #database: DatabaseSync;
  readonly #context: StoreContext;
  /** Calls take turns: within a transaction the connection sees what nobody else does yet. */
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(path: string, database: DatabaseSync, context: StoreContext) {
    this.name = path;
    this.job = context.job;
    this.#database = database;
    this.#context = context;
  }

  write(checkpoint: StoredCheckpoint): Promise<void> {
    const { id, manifest, parts } = checkpoint;
    const { clock, signal, job } = this.#context;
    return this.#inTurn(`write checkpoint ${id}`, async (attempt) => {
      checkStored(checkpoint);
      await this.#transaction(async () => {
        if (this.#has("SELECT 1 FROM checkpoint WHERE job = ? AND id = ?", id)) {
          throw new CheckpointExistsError(attempt, `checkpoint ${id}`);
        }
        const insert = this.#database.prepare("INSERT INTO part VALUES (?, ?, ?, ?)");
        for (const { name, bytes } of parts) {
          if (this.#has("SELECT 1 FROM part WHERE job = ? AND name = ? LIMIT 1", name)) {
            throw new CheckpointExistsError(attempt, `part "${name}"`);
          }
          let piece = 0;
          let from = 0;
          do {
            const next = bytes.subarray(from, from + SQLITE_PIECE_BYTES_MAX);
            insert.run(job, name, piece++, next);
            from += next.length;
            await others(clock);
            if (signal.aborted) {
              throw new CheckpointStoreError(attempt, "the job is being stopped", "start it again");
            }
          } while (from < bytes.length);
        }
        this.#database.prepare("INSERT INTO checkpoint VALUES (?, ?, ?)").run(job, id, manifest);
      });
    });
  }

  list(): Promise<readonly number[]> {
    return this.#inTurn("list checkpoints", () => {
      const rows = this.#database
        .prepare("SELECT id FROM checkpoint WHERE job = ? ORDER BY id DESC").all(this.job);
      return rows.map(({ id }) => Number(id));
    });
  }

  readManifest(id: number): Promise<Uint8Array> {
    return this.#inTurn(`read checkpoint ${id}`, (attempt) => {
      const row = this.#database
        .prepare("SELECT manifest FROM checkpoint WHERE job = ? AND id = ?").get(this.job, id);
      if (row === undefined) throw new CheckpointMissingError(attempt, `checkpoint ${id}`);
      return bytesOf(row["manifest"]);
    });
  }

  readPart(name: string): Promise<Uint8Array> {
    return this.#inTurn(`read part "${name}"`, (attempt) => {
      const row = this.#database
        .prepare("SELECT sum(length(bytes)) AS length FROM part WHERE job = ? AND name = ?")
        .get(this.job, name);
      const length = row?.["length"];
      if (typeof length !== "number") throw new CheckpointMissingError(attempt, `part "${name}"`);
      const whole = new Uint8Array(length);
      let at = 0;
      const pieces = this.#database
        .prepare("SELECT bytes FROM part WHERE job = ? AND name = ? ORDER BY piece");
      for (const { bytes } of pieces.iterate(this.job, name)) {
        const piece = bytesOf(bytes);
        whole.set(piece, at);
        at += piece.length;
      }
      return whole;
    });
  }

  remove(id: number, parts: readonly string[]): Promise<void> {
    return this.#inTurn(`remove checkpoint ${id}`, async () => {
      await this.#transaction(() => {
        this.#database.prepare("DELETE FROM checkpoint WHERE job = ? AND id = ?").run(this.job, id);
        const forget = this.#database.prepare("DELETE FROM part WHERE job = ? AND name = ?");
        for (const name of parts) forget.run(this.job, name);
      });
      const free = pragma(this.#database, "freelist_count");
      if (free * 2 > pragma(this.#database, "page_count")) {
        // A row is a page given back: all of them must be asked for.
        const giveBack = this.#database.prepare("PRAGMA incremental_vacuum");
        await unlocked(this.#context, () => void giveBack.all());
      }
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#turn;
    this.#database.close();
  }

  /** Runs a call when those before it have ended; what it throws says what was attempted. */
  #inTurn<T>(what: string, call: (attempt: string) => T | Promise<T>): Promise<T> {
    const attempt = `Cannot ${what} of job "${this.job}" in ${storeLabel(this)}`;
    const run = async () => {
      try {
        return await call(attempt);
      } catch (error) {
        throw sqliteError(attempt, error);
      }
    };
    if (this.#closed) {
      return Promise.reject(
        new CheckpointStoreError(attempt, "the store is closed", "open it again"),
      );
    }
    const result = this.#turn.then(run);
    this.#turn = result.catch(() => {});
    return result;
  }

  async #transaction(body: () => void | Promise<void>): Promise<void> {
    // Asks for the right to write at once: a transaction that reads first may find that it can't get it any more.
    await unlocked(this.#context, () => this.#database.exec("BEGIN IMMEDIATE"));
    try {
      await body();
      await unlocked(this.#context, () => this.#database.exec("COMMIT"));
    } catch (error) {
      rollBack(this.#database);
      throw error;
    }
  }

  #has(query: string, which: string | number): boolean {
    return this.#database.prepare(query).get(this.job, which) !== undefined;
  }
}

/** Calls until no other process is in the way, or for as long as may be waited. */
async function unlocked(
  { clock, random, signal }: Pick<StoreContext, "clock" | "random" | "signal">,
  call: () => void,
): Promise<void> {
  const start = clock.monotonic();
  for (let step = 1;; step = Math.min(step * 2, SQLITE_BUSY_STEP_MS_MAX)) {
    try {
      return call();
    } catch (error) {
      const code = codeOf(error);
      const isOver = clock.monotonic() - start >= SQLITE_BUSY_MS_MAX || signal.aborted;
      if ((code !== BUSY && code !== LOCKED) || isOver) throw error;
      await delay(clock, 1 + random() * step, signal);
    }
  }
}

/** Lets other work of this thread have its turn. */
function others(clock: Clock): Promise<void> {
  return new Promise((resolve) => void clock.defer(resolve));
}

/** Ends a transaction; SQLite may have done so by itself. */
function rollBack(database: DatabaseSync): void {
  try {
    database.exec("ROLLBACK");
  } catch {
    // There is none any more: after some errors, a full disk for one, it is rolled back at once.
  }
}

function pragma(database: DatabaseSync, name: string): number {
  return numberIn(database, `SELECT ${name} AS found FROM pragma_${name}`);
}

function numberIn(database: DatabaseSync, query: string): number {
  return Number(database.prepare(query).get()?.["found"]);
}

function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new TypeError(`found a ${typeof value} where bytes were expected`);
}

/** SQLite's primary result code, or undefined if it is no error of SQLite. */
function codeOf(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("errcode" in error && typeof error.errcode === "number") return error.errcode & 0xff;
  // Errors of opening and preparing come without a code.
  if (/unable to open database file/.test(error.message)) return 14;
  if (/file is not a database/.test(error.message)) return 26;
  if (/database is locked/.test(error.message)) return BUSY;
  if (/malformed/.test(error.message)) return 11;
  return undefined;
}

function sqliteError(attempt: string, error: unknown): unknown {
  if (
    error instanceof CheckpointExistsError || error instanceof CheckpointMissingError ||
    error instanceof CheckpointStoreError || error instanceof RangeError
  ) return error;
  const found = error instanceof Error ? error.message : String(error);
  const code = codeOf(error);
  if (code === 26) {
    return new CheckpointStoreError(
      attempt,
      "the file is no SQLite database",
      "name another file",
      { cause: error },
    );
  }
  const advice = ADVICE.get(code ?? 0) ?? "see the cause";
  return new CheckpointStoreError(attempt, found, advice, { cause: error });
}
