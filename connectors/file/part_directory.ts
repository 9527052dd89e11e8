/**
 * A directory of part files, as one writer has it. Readers take `part-*`; all that is not theirs yet begins with a dot:
 *
 * ```
 *  .part-<worker>-<run>-<number>.open               being written
 *  .part-<worker>-<epoch>-<run>-<number>.pending    stored, waits for its checkpoint
 *  part-<worker>-<epoch>-<run>-<number>.ndjson      committed
 *  .part-<run>.lock                                 locked for as long as the writer with this run lives
 *  .part.lock                                       locked for as long as the writer of worker 0 lives
 * ```
 *
 * - `run` is drawn anew by each writer, and taken by no file that is there: a job that starts again, also from an older
 *   checkpoint with epochs that are there already, never writes over a part.
 * - What is left behind by writers that are gone is removed by the writer of worker 0, after it has committed what is
 *   restored. A file belongs to a writer that lives, and is left alone, if the lock of its run is held: the system
 *   lets go of locks when their process or thread ends, however that happens. A writer has its lock before its files.
 * - The writer of worker 0 holds the directory for its job: another job, or another sink of the same one, can't open
 *   it. One that is stopped does not hold it: give each sink a directory of its own.
 *
 * @module
 */

import { delay } from "../../runtime/clock.ts";
import type { SinkContext } from "../sink.ts";

/** How often, and after which wait, the directory is tried to be had: the last attempt of the job may still be closing. */
export const DIRECTORY_LOCK_ATTEMPTS_MAX = 50;
/** The wait between two tries. */
export const DIRECTORY_LOCK_WAIT_MS = 100;

const RUN_LENGTH = 10;
const RUN_DIGITS = 36;
const DIRECTORY_LOCK = ".part.lock";
const LOCK = /^\.part-([0-9a-z]{10})\.lock$/;
const OPEN = /^\.part-\d+-([0-9a-z]{10})-\d+\.open$/;
const PENDING = /^\.part-\d+-(\d+)-([0-9a-z]{10})-\d+\.pending$/;
const FINAL = /^part-\d+-(\d+)-([0-9a-z]{10})-\d+\.ndjson$/;

/** One writer's hold on a directory. */
export class PartDirectory {
  readonly path: string;
  /** Tells this writer's files from all others. */
  readonly run: string;
  readonly #worker: number;
  readonly #locks: readonly Lock[];

  private constructor(path: string, worker: number, run: string, locks: readonly Lock[]) {
    this.path = path;
    this.run = run;
    this.#worker = worker;
    this.#locks = locks;
  }

  /**
   * Takes hold of a directory. For worker 0: commits the parts of `restored`, as {@linkcode PartDirectory.commit}, and
   * removes what is left of writers that are gone.
   */
  static async open(
    path: string,
    restored: readonly string[],
    context: SinkContext,
  ): Promise<PartDirectory> {
    const { worker } = context;
    const locks: Lock[] = [];
    try {
      if (!(await Deno.stat(path)).isDirectory) throw new Error("it is not a directory");
      if (worker === 0) locks.push(await lockDirectory(path, context));
      const own = await lockRun(path, context);
      locks.push(own.lock);
      const directory = new PartDirectory(path, worker, own.run, locks);
      if (worker === 0) {
        await directory.#restore(restored, context);
        await directory.#sweep();
      }
      return directory;
    } catch (cause) {
      for (const lock of locks) await lock.release();
      throw new Error(
        `Cannot open directory "${path}" for part files: ${
          messageOf(cause)
        }; it must exist, be writable, and ` +
          `be of one sink of one job only`,
        { cause },
      );
    }
  }

  /** The name of a file that is being written. */
  openName(number: number): string {
    return `.part-${this.#worker}-${this.run}-${number}.open`;
  }

  /** The name of a part that is stored. */
  pendingName(epoch: number, number: number): string {
    return `.part-${this.#worker}-${epoch}-${this.run}-${number}.pending`;
  }

  /** Where a file of the directory is. */
  in(name: string): string {
    return `${this.path}/${name}`;
  }

  /**
   * Makes a stored part visible: once, however often it is called. False if there is neither the stored part nor the
   * visible one.
   *
   * @throws {Error} if a part that is another one has the name
   */
  async commit(pending: string): Promise<boolean> {
    const name = pending.slice(1).replace(/\.pending$/, ".ndjson");
    const isStored = await exists(this.in(pending));
    const isThere = await exists(this.in(name));
    if (isStored && isThere) {
      throw new Error(
        `Cannot commit part "${this.in(name)}": there is a file of this name; move it away`,
      );
    }
    if (isStored) await Deno.rename(this.in(pending), this.in(name));
    return isStored || isThere;
  }

  /** Writes down for good which files there are. */
  async sync(): Promise<void> {
    // There a directory can't be opened, and its entries are written through.
    if (Deno.build.os === "windows") return;
    using directory = await Deno.open(this.path, { read: true });
    await directory.sync();
  }

  async release(): Promise<void> {
    for (const lock of this.#locks.toReversed()) await lock.release();
  }

  async #restore(restored: readonly string[], { logger }: SinkContext): Promise<void> {
    for (const name of restored) {
      if (await this.commit(name)) continue;
      // Whoever reads the parts may have moved it away: then it had been committed before the restart.
      logger.warn("A part of the checkpoint is not in its directory: taken as read and gone", {
        part: this.in(name),
      });
    }
    const epochs = restored.map((name) => Number(PENDING.exec(name)?.[1] ?? 0));
    const last = Math.max(-1, ...epochs);
    const later = last < 0
      ? 0
      : (await this.#names()).filter((name) => Number(FINAL.exec(name)?.[1] ?? -1) > last).length;
    if (later > 0) {
      logger.warn(
        "The directory has parts of later epochs than the checkpoint: if they are this job's, rows are written again",
        {
          directory: this.path,
          parts: later,
          checkpoint: last,
        },
      );
    }
    if (restored.length > 0) await this.sync();
  }

  /** Removes files, and then locks, of writers that are gone. */
  async #sweep(): Promise<void> {
    const names = await this.#names();
    const runs = new Set(names.flatMap((name) => runOf(name) ?? []));
    runs.delete(this.run);
    for (const run of runs) {
      const lock = await Lock.take(this.in(lockName(run)));
      if (lock === undefined) continue;
      try {
        for (const name of names) {
          if (runOf(name) === run && !LOCK.test(name)) await removed(this.in(name));
        }
      } finally {
        await lock.release();
      }
    }
  }

  async #names(): Promise<string[]> {
    return (await Array.fromAsync(Deno.readDir(this.path))).map(({ name }) => name);
  }
}

/** Whether it is the name of a part that is stored. */
export function isPendingName(name: string): boolean {
  return PENDING.test(name);
}

/** A file that is locked, and gone when the lock is released. */
class Lock {
  readonly #path: string;
  readonly #file: Deno.FsFile;

  private constructor(path: string, file: Deno.FsFile) {
    this.#path = path;
    this.#file = file;
  }

  /** Undefined if somebody else holds it. */
  static async take(path: string): Promise<Lock | undefined> {
    const file = await Deno.open(path, { write: true, create: true });
    try {
      if (await file.tryLock(true)) {
        // Between opening and locking it may have been removed, and made anew by others.
        const [own, there] = [await file.stat(), await statOf(path)];
        if (there !== undefined && own.ino === there.ino) return new Lock(path, file);
      }
    } catch (error) {
      file.close();
      throw error;
    }
    file.close();
    return undefined;
  }

  async release(): Promise<void> {
    // Removed while it is held: whoever opens it after that makes a new one.
    await removed(this.#path);
    this.#file.close();
  }
}

async function lockDirectory(path: string, { clock, signal }: SinkContext): Promise<Lock> {
  for (let attempt = 0; attempt < DIRECTORY_LOCK_ATTEMPTS_MAX && !signal.aborted; attempt++) {
    if (attempt > 0) await delay(clock, DIRECTORY_LOCK_WAIT_MS, signal);
    const lock = await Lock.take(`${path}/${DIRECTORY_LOCK}`);
    if (lock !== undefined) return lock;
  }
  throw new Error("another sink writes to it");
}

/** Draws a name that no file has, and locks it. */
async function lockRun(
  path: string,
  { random }: SinkContext,
): Promise<{ run: string; lock: Lock }> {
  const names = await Array.fromAsync(Deno.readDir(path), ({ name }) => name);
  const taken = new Set(names.map((name) => runOf(name) ?? FINAL.exec(name)?.[2]));
  for (;;) {
    const run = Array.from(
      { length: RUN_LENGTH },
      () => Math.floor(random() * RUN_DIGITS).toString(RUN_DIGITS),
    ).join("");
    if (taken.has(run)) continue;
    const lock = await Lock.take(`${path}/${lockName(run)}`);
    if (lock !== undefined) return { run, lock };
  }
}

function lockName(run: string): string {
  return `.part-${run}.lock`;
}

/** Of a file that is no part yet, or a lock: whose it is. */
function runOf(name: string): string | undefined {
  return LOCK.exec(name)?.[1] ?? OPEN.exec(name)?.[1] ?? PENDING.exec(name)?.[2];
}

async function statOf(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return await statOf(path) !== undefined;
}

async function removed(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
