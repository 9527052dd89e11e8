/**
 * Newline-delimited JSON in files, to replay from and to write to. A line is a record; empty lines are no records. What
 * reading and writing are made of is in `line_files.ts`, `file_sink.ts` and `part_sink.ts`.
 *
 * @module
 */

import { decoding } from "../../operators/decoder/column_decoder.ts";
import { type StandardSchema, validator } from "../../operators/standard_schema.ts";
import type { RawRecord } from "../raw_record.ts";
import type { Sink } from "../sink.ts";
import type { Source } from "../source.ts";
import { fileSink } from "./file_sink.ts";
import { LineFiles } from "./line_files.ts";
import { type FilePartsOptions, partSink } from "./part_sink.ts";
import { ParsedLines } from "./parsed_lines.ts";

export type { FilePartsOptions };

/** How files are read. */
export interface FileSourceOptions {
  /** Wait at the end for more lines instead of ending. False unless said. */
  readonly follow?: boolean | undefined;
}

/** How files are read into values. */
export interface ParsedFileSourceOptions<T> extends FileSourceOptions {
  /** What a line must hold, as JSON. */
  readonly schema: StandardSchema<T>;
}

/** How a file is written. */
export interface FileSinkOptions<T> {
  /** A row as the text of one line; what `JSON.stringify` gives unless said. */
  readonly encode?: ((value: T) => string) | undefined;
}

/** Where file sources and sinks are made. */
export interface File {
  /**
   * A source over files, each one a shard whose id is its path. Paths are relative to the working directory. The
   * position of a line is the byte offset at which the next one starts. Lines end with `\n` or `\r\n`; a last line that
   * has no line end counts when the source is bounded, and waits for its line end with `follow`.
   *
   * Without a schema a line is a raw record with no partition key and no time. With one it is parsed and validated when
   * its value is asked for: a line that is no JSON, or not what the schema wants, fails alone (a SyntaxError or
   * TypeError from `valueAt`) and the next one is read all the same.
   *
   * Reading errors for a file that is absent, can't be read or has shrunk, and for a line that is too long.
   *
   * @throws {RangeError} if there is no path
   * @throws {TypeError} if a path is given twice
   *
   * @example Lines as raw records, and as values
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { file } from "./file.ts";
   * const Reading = {
   *   "~standard": {
   *     version: 1,
   *     vendor: "example",
   *     validate: (value: unknown) => ({ value: value as { celsius: number } }),
   *   },
   * } as const;
   * const raw = file.source("readings.ndjson");
   * const parsed = file.source(["a.ndjson", "b.ndjson"], { schema: Reading, follow: true });
   * assertEquals([raw.bounded, parsed.bounded], [true, false]);
   * ```
   */
  source(path: string | readonly string[], options?: FileSourceOptions): Source<RawRecord>;
  source<T>(path: string | readonly string[], options: ParsedFileSourceOptions<T>): Source<T>;
  /**
   * A sink that appends a line per row to a file, creating it if need be. Rows are written for good (synced to the disk)
   * when a flush has resolved. After a restart, rows since the last checkpoint are written again: at least once.
   *
   * Each worker has a writer of its own on the same file. Lines are not torn by that: the file is open for appending and
   * each write hands over whole lines, which local file systems put at the end in one piece; lines of different writers
   * interleave, those of one writer keep their order. Network file systems may not promise this.
   *
   * A row whose `encode` throws, or gives anything but one line, is rejected. Any error of writing fails the job.
   *
   * @example Rows as JSON
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { file } from "./file.ts";
   * const alerts = file.sink<{ id: string }>("alerts.ndjson");
   * assertEquals([alerts.kind, alerts.name], ["file", "alerts.ndjson"]);
   * ```
   */
  sink<T>(path: string, options?: FileSinkOptions<T>): Sink<T>;
  /**
   * A sink that writes part files into a directory, a line per row. Exactly once where the job has checkpoints: readers
   * that take only files called `part-*` see each row once, whatever fails (Flink's FileSink). What is written since the
   * last checkpoint can't be seen; it becomes parts, `part-<worker>-<epoch>-<run>-<number>.ndjson`, whole and with one
   * rename each, when the next checkpoint is there for good. An epoch without rows makes no part, one with many makes
   * several. Parts are in no order but that those of one run go by epoch and then number. Without checkpoints parts
   * appear when the job ends or is stopped, and a job that fails leaves none of what it wrote.
   *
   * The directory must exist, and be of this sink alone: what writers that are gone have left there, and the checkpoint
   * does not name, is removed when the job starts. Parts may be moved away or removed by their readers. A job that is
   * started from an older checkpoint into the same directory writes rows again that are in parts of later ones: it says
   * so in the log, and never writes over a part, since `run` differs; remove those parts, or give it another directory.
   *
   * The directory is locked with the system's file locks; not every network file system has them.
   *
   * A row whose `encode` throws, or gives anything but one line, is rejected. Any error of writing fails the job.
   *
   * @throws {RangeError} if `partBytesMax` is less than 1
   *
   * @example Rows as JSON
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { file } from "./file.ts";
   * const totals = file.parts<{ id: string }>("totals", { partBytesMax: 1_000_000 });
   * assertEquals([totals.name, totals.guarantee], ["totals", "exactly once"]);
   * ```
   */
  parts<T>(directory: string, options?: FilePartsOptions<T>): Sink<T>;
}

function source(path: string | readonly string[], options?: FileSourceOptions): Source<RawRecord>;
function source<T>(
  path: string | readonly string[],
  options: ParsedFileSourceOptions<T>,
): Source<T>;
function source<T>(
  path: string | readonly string[],
  options: FileSourceOptions | ParsedFileSourceOptions<T> = {},
): Source<RawRecord> | Source<T> {
  const files = new LineFiles(typeof path === "string" ? [path] : path, options.follow ?? false);
  if (!("schema" in options)) return files.source((lines) => lines);
  const validate = validator(options.schema);
  const parsed = files.source((lines) => new ParsedLines(lines, validate));
  return decoding(parsed, ["$"], options.schema);
}

/**
 * Files as sources and sinks.
 *
 * @example A file to replay
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { file } from "./file.ts";
 * assertEquals(file.source("clicks.ndjson").name, "clicks.ndjson");
 * ```
 */
export const file: File = {
  source,
  sink: (path, options = {}) => fileSink(path, options.encode),
  parts: partSink,
};
