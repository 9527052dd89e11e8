/**
 * Part files, transactional by epoch: rows are written to files that nobody reads, which become parts when the
 * checkpoint of their epoch is there (Flink's FileSink). What the files are called is in `part_directory.ts`.
 *
 * All that touches the file being written stands in one line: blocks of lines, and the closing of files between them. So
 * a barrier cuts between rows without anybody waiting.
 *
 * @module
 */

import type { Sink, SinkBatch, SinkContext, SinkWriter } from "../sink.ts";
import { FILE_PENDING_BYTES_MAX } from "./file_sink.ts";
import { type EncodeLine, type LineBlock, LinesOfRows, writeWhole } from "./lines_of_rows.ts";
import { isPendingName, PartDirectory } from "./part_directory.ts";

/** Bytes of a part unless said otherwise, give or take a block of lines (Flink's default). */
export const PART_BYTES_MAX_DEFAULT = 128 * 1024 * 1024;

/** How part files are written. */
export interface FilePartsOptions<T> {
  /** A row as the text of one line; what `JSON.stringify` gives unless said. */
  readonly encode?: ((value: T) => string) | undefined;
  /** Bytes after which a part is closed within its epoch, give or take 1 MiB or one longer row; 128 MiB unless said. */
  readonly partBytesMax?: number | undefined;
}

/** What a checkpoint keeps of a writer. */
interface PreparedParts {
  /** Names of all parts that are stored and not committed, in order. */
  readonly parts: readonly string[];
}

/** The sink behind `file.parts()`. */
export function partSink<T>(path: string, options: FilePartsOptions<T> = {}): Sink<T> {
  const { encode, partBytesMax = PART_BYTES_MAX_DEFAULT } = options;
  if (!(partBytesMax >= 1)) {
    throw new RangeError(
      `Cannot write part files to "${path}" with partBytesMax ${partBytesMax}: expected at least 1`,
    );
  }
  return {
    kind: "file parts",
    name: path,
    guarantee: "exactly once",
    async open(context) {
      const restored = context.restored.flatMap((prepared) => partsOf(path, prepared));
      const directory = await PartDirectory.open(path, restored, context);
      return new PartSinkWriter(directory, partBytesMax, encode, context);
    },
  };
}

/** A file that rows are written to. */
interface Part {
  readonly number: number;
  bytes: number;
  file: Deno.FsFile | undefined;
}

/** What is done to files, one after another. */
type Job =
  | { readonly kind: "lines"; readonly part: Part; readonly block: LineBlock }
  /** Nothing more comes for the part. */
  | { readonly kind: "full"; readonly part: Part }
  | {
    readonly kind: "sync";
    readonly parts: readonly Part[];
    readonly done: PromiseWithResolvers<void>;
  }
  | {
    readonly kind: "seal";
    readonly epoch: number;
    readonly parts: readonly Part[];
    readonly done: PromiseWithResolvers<void>;
  };

class PartSinkWriter<T> implements SinkWriter<T> {
  readonly #directory: PartDirectory;
  readonly #partBytesMax: number;
  readonly #lines: LinesOfRows<T>;
  readonly #context: SinkContext;
  /** Of the present epoch; the last one is written to. */
  #parts: Part[] = [];
  /** Of all epochs, whose files are still open or full. */
  readonly #unstored = new Set<Part>();
  #numbers = 0;
  readonly #jobs: Job[] = [];
  #working: Promise<void> | undefined;
  #blockedBytes = 0;
  #rowsPending = 0;
  /** The last epoch that was prepared. */
  #epoch = 0;
  /** Parts that are stored, in order. */
  #stored: { readonly epoch: number; readonly name: string }[] = [];
  #committing: Promise<void> = Promise.resolve();
  #failure: Error | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    directory: PartDirectory,
    partBytesMax: number,
    encode: EncodeLine<T> | undefined,
    context: SinkContext,
  ) {
    this.#directory = directory;
    this.#partBytesMax = partBytesMax;
    this.#lines = new LinesOfRows(`a part in "${directory.path}"`, encode, context.reject);
    this.#context = context;
  }

  readonly write = (batch: SinkBatch<T>): Promise<void> | undefined => {
    this.#lines.blocks(batch, this.#add);
    return this.#blockedBytes > FILE_PENDING_BYTES_MAX ? this.#working : undefined;
  };

  readonly flush = (): Promise<void> => {
    const done = Promise.withResolvers<void>();
    this.#enqueue({ kind: "sync", parts: this.#parts.slice(-1), done });
    return done.promise;
  };

  readonly prepare = async (epoch: number): Promise<PreparedParts> => {
    if (!Number.isSafeInteger(epoch) || epoch <= this.#epoch) {
      throw new RangeError(
        `Cannot prepare epoch ${epoch} of parts in "${this.#directory.path}": expected a whole number above ` +
          `${this.#epoch}, the last one`,
      );
    }
    await this.#seal(epoch);
    return { parts: this.#stored.map(({ name }) => name) };
  };

  readonly commit = (epoch: number): Promise<void> => {
    const committed = this.#committing.then(() => this.#commit(epoch));
    this.#committing = committed.catch(() => {});
    return committed;
  };

  readonly finish = async (): Promise<void> => {
    const epoch = this.#epoch + 1;
    await this.#seal(epoch);
    await this.commit(epoch);
  };

  readonly close = (): Promise<void> => this.#closing ??= this.#close();

  readonly pending = (): number => this.#rowsPending;

  readonly #add = (block: LineBlock): void => {
    this.#rowsPending += block.rows;
    // After a failure nothing is written any more, so nothing may pile up either.
    if (this.#failure !== undefined || this.#closing !== undefined) return;
    let part = this.#parts.at(-1);
    if (part === undefined || part.bytes + block.bytes.length > this.#partBytesMax) {
      if (part !== undefined) this.#enqueue({ kind: "full", part });
      part = { number: this.#numbers++, bytes: 0, file: undefined };
      this.#parts.push(part);
      this.#unstored.add(part);
    }
    part.bytes += block.bytes.length;
    this.#blockedBytes += block.bytes.length;
    this.#enqueue({ kind: "lines", part, block });
  };

  #seal(epoch: number): Promise<void> {
    const done = Promise.withResolvers<void>();
    const parts = this.#parts;
    this.#parts = [];
    this.#epoch = epoch;
    this.#enqueue({ kind: "seal", epoch, parts, done });
    return done.promise;
  }

  #enqueue(job: Job): void {
    this.#jobs.push(job);
    this.#working ??= this.#work();
  }

  async #work(): Promise<void> {
    // All of a batch's blocks are there before the first is written.
    await Promise.resolve();
    for (let job = this.#jobs.shift(); job !== undefined; job = this.#jobs.shift()) {
      if (this.#failure === undefined && this.#closing === undefined) {
        try {
          await this.#do(job);
        } catch (cause) {
          this.#fail(cause);
        }
      }
      if (job.kind === "lines") this.#blockedBytes -= job.block.bytes.length;
      if (job.kind !== "sync" && job.kind !== "seal") continue;
      const error = this.#failure ?? (this.#closing && this.#closedError());
      if (error === undefined) job.done.resolve();
      else job.done.reject(error);
    }
    this.#working = undefined;
  }

  async #do(job: Job): Promise<void> {
    switch (job.kind) {
      case "lines":
        job.part.file ??= await Deno.open(
          this.#directory.in(this.#directory.openName(job.part.number)),
          { write: true, createNew: true },
        );
        await writeWhole(job.part.file, job.block.bytes);
        this.#rowsPending -= job.block.rows;
        return;
      case "full":
        return await stored(job.part);
      case "sync":
        for (const { file } of job.parts) await file?.syncData();
        return;
      case "seal":
        for (const part of job.parts) await stored(part);
        for (const part of job.parts) {
          const name = this.#directory.pendingName(job.epoch, part.number);
          const from = this.#directory.openName(part.number);
          await Deno.rename(this.#directory.in(from), this.#directory.in(name));
          this.#unstored.delete(part);
          this.#stored.push({ epoch: job.epoch, name });
        }
        if (job.parts.length > 0) await this.#directory.sync();
    }
  }

  async #commit(epoch: number): Promise<void> {
    const due = this.#stored.filter((part) => part.epoch <= epoch);
    for (const { name } of due) {
      if (await this.#directory.commit(name)) continue;
      throw new Error(
        `Cannot commit part "${
          this.#directory.in(name)
        }" of epoch ${epoch}: it is not there any more; ` +
          `leave files that begin with a dot to the sink`,
      );
    }
    if (due.length > 0) await this.#directory.sync();
    this.#stored = this.#stored.filter((part) => part.epoch > epoch);
  }

  /** Parts that are stored stay: a checkpoint may know them. */
  async #close(): Promise<void> {
    // Not before `#closing` is set: jobs that wait are given up.
    await Promise.resolve();
    await this.#working;
    await this.#committing;
    for (const part of this.#unstored) {
      try {
        part.file?.close();
        await Deno.remove(this.#directory.in(this.#directory.openName(part.number)));
      } catch (error) {
        // It was never made, or the next start removes it.
        this.#context.logger.debug("A part that was being written is left", {
          reason: error instanceof Error ? error.message : String(error),
        });
      }
    }
    await this.#directory.release();
  }

  #closedError(): Error {
    return new Error(
      `Cannot write parts to "${this.#directory.path}": the writer was closed with ${this.#rowsPending} rows unwritten`,
    );
  }

  #fail(cause: unknown): void {
    const reason = cause instanceof Error ? cause.message : String(cause);
    this.#failure = new Error(
      `Cannot write parts to "${this.#directory.path}": ${reason}; ${this.#rowsPending} rows are not written`,
      { cause },
    );
    this.#context.fail(this.#failure);
  }
}

/** Has a part written for good, and lets its file go. */
async function stored(part: Part): Promise<void> {
  const { file } = part;
  if (file === undefined) return;
  await file.sync();
  file.close();
  part.file = undefined;
}

/** The parts that a checkpoint names. */
function partsOf(path: string, prepared: unknown): readonly string[] {
  const parts: unknown = typeof prepared === "object" && prepared !== null && "parts" in prepared
    ? prepared.parts
    : undefined;
  if (Array.isArray(parts) && parts.every((name) => typeof name === "string")) {
    const strange = parts.find((name) => !isPendingName(name));
    if (strange === undefined) return parts;
  }
  throw new TypeError(
    `Cannot restore parts in "${path}": found ${
      JSON.stringify(prepared)
    } in the checkpoint, expected names of ` +
      `parts; it is of another sink, or of another version`,
  );
}
