/**
 * Files of lines as a source: a shard per file, byte offsets as positions, so that reading goes on anywhere without
 * reading what came before.
 *
 * @module
 */

import { delay } from "../../runtime/clock.ts";
import { pacedBatches, positionError, shardError } from "../paced_batches.ts";
import type { RawBatch } from "../raw_record.ts";
import type { ReadContext, ShardBatch, Source } from "../source.ts";
import { LineReader } from "./line_reader.ts";

/** How often a file that is followed is looked at for more. */
export const FILE_POLL_INTERVAL_MS = 200;

const OFFSET_DIGITS_MAX = 15;

/** The files of a source. */
export class LineFiles {
  readonly kind = "file";
  readonly name: string;
  readonly paths: readonly string[];
  readonly #follow: boolean;

  /**
   * @throws {RangeError} if there is no path
   * @throws {TypeError} if a path is given twice
   */
  constructor(paths: readonly string[], follow: boolean) {
    const [first] = paths;
    if (first === undefined) {
      throw new RangeError("Cannot make a file source: the list of paths is empty; name a file");
    }
    const twice = paths.find((path, index) => paths.indexOf(path) !== index);
    if (twice !== undefined) {
      throw new TypeError(
        `Cannot make a file source: path "${twice}" is given twice; each file is one shard`,
      );
    }
    this.name = paths.length === 1 ? first : `${first} and ${paths.length - 1} more`;
    this.paths = paths;
    this.#follow = follow;
  }

  /** A source whose batches are made of those of lines. */
  source<T>(batchOf: (lines: RawBatch) => ShardBatch<T>): Source<T> {
    return {
      kind: this.kind,
      name: this.name,
      bounded: !this.#follow,
      shards: async () => {
        for (const path of this.paths) (await opened(path)).close();
        return this.paths.map((id) => ({ id, parents: [] }));
      },
      read: (path, after, context) =>
        pacedBatches(context, (signal) => this.#batches(path, after, context, signal, batchOf)),
    };
  }

  async *#batches<T>(
    path: string,
    after: string | undefined,
    context: ReadContext,
    signal: AbortSignal,
    batchOf: (lines: RawBatch) => ShardBatch<T>,
  ): AsyncGenerator<ShardBatch<T>, void, undefined> {
    if (!this.paths.includes(path)) throw shardError(this, path, this.paths);
    using file = await opened(path);
    const reader = new LineReader(path, file, await this.#start(path, after, file));
    while (!signal.aborted) {
      const piece = await reader.next();
      if (piece !== undefined) {
        yield batchOf(piece);
      } else if (this.#follow) {
        await delay(context.clock, FILE_POLL_INTERVAL_MS, signal);
      } else {
        const last = reader.rest();
        if (last !== undefined) yield batchOf(last);
        return;
      }
    }
  }

  async #start(path: string, after: string | undefined, file: Deno.FsFile): Promise<number> {
    if (after === undefined) return 0;
    if (!/^\d+$/.test(after) || after.length > OFFSET_DIGITS_MAX) {
      throw positionError(this, path, after, "expected an offset in bytes");
    }
    const { size } = await file.stat();
    const offset = Number(after);
    if (offset > size) {
      throw positionError(
        this,
        path,
        after,
        `the file has only ${size} bytes, so it is another one`,
      );
    }
    await file.seek(offset, Deno.SeekMode.Start);
    return offset;
  }
}

async function opened(path: string): Promise<Deno.FsFile> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path, { read: true });
  } catch (cause) {
    const absent = cause instanceof Deno.errors.NotFound;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      absent
        ? `Cannot read file "${path}": there is no such file seen from ${Deno.cwd()}; check the path`
        : `Cannot read file "${path}": ${reason}`,
      { cause },
    );
  }
  const { isDirectory } = await file.stat();
  if (!isDirectory) return file;
  file.close();
  throw new Error(`Cannot read file "${path}": it is a directory; list the files in it`);
}
