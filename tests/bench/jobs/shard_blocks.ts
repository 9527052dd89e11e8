/**
 * The batches of one shard of a generated file: every so many'th block of it. In memory each batch has an arena of its
 * own that was filled once; from the file, a block is read when its batch is asked for. No record is copied by itself,
 * except where a batch in memory is to hold only some of a block's.
 *
 * @module
 */

import type { RawColumns } from "../../../connectors/raw_record.ts";
import { NO_TIMESTAMP } from "../../../connectors/source.ts";
import type { ReplayInput } from "../bench_job.ts";
import { BLOCK_ROWS, type FileIndex, sharedIndex } from "./file_index.ts";

/** Shards of a file. */
export const SHARDS = 4;

/** What is to be read. */
export interface ShardBlocksOptions {
  readonly path: string;
  /** Only records that hold this text, if said: another source over the same file takes the others. */
  readonly containing?: string | undefined;
  readonly input: ReplayInput;
  /** From 0. */
  readonly shard: number;
  readonly shardId: string;
}

/** A shard's batches, in order, as often as they are asked for. */
export interface ShardBlocks {
  readonly length: number;
  columns(at: number): RawColumns;
  /** Lets go of the file; there are no batches after it. */
  close(): void;
}

/** Opens a shard's batches. Blocks without a record have none. */
export function openShardBlocks(options: ShardBlocksOptions): ShardBlocks {
  const { path, containing, shard } = options;
  const index = sharedIndex(path, containing);
  const blocks: number[] = [];
  for (let block = shard; block < index.blocks; block += SHARDS) {
    if (at(index.rows, block) < at(index.rows, block + 1)) blocks.push(block);
  }
  switch (options.input) {
    case "memory":
      return inMemory(options, index, blocks);
    case "file":
      return fromFile(options, index, blocks);
  }
}

function inMemory(
  { path, containing, shardId }: ShardBlocksOptions,
  index: FileIndex,
  blocks: readonly number[],
): ShardBlocks {
  using file = Deno.openSync(path);
  const batches = blocks.map((block) => {
    const arena = readBlock(file, path, index, block);
    const { starts, ends } = rowsOf(index, block);
    // Views of the index would keep all of it, other shards' blocks included.
    return containing === undefined
      ? columnsOf(shardId, arena, starts.slice(), ends.slice())
      : packed(shardId, arena, starts, ends);
  });
  return {
    length: batches.length,
    columns(at) {
      const columns = batches[at];
      if (columns === undefined) throw outside(path, at, batches.length);
      return columns;
    },
    close() {},
  };
}

function fromFile(
  { path, shardId }: ShardBlocksOptions,
  index: FileIndex,
  blocks: readonly number[],
): ShardBlocks {
  const file = Deno.openSync(path);
  return {
    length: blocks.length,
    columns(at) {
      const block = blocks[at];
      if (block === undefined) throw outside(path, at, blocks.length);
      const { starts, ends } = rowsOf(index, block);
      // Two sources over one file read each block twice: sharing it between them was measured, and saved nothing.
      return columnsOf(shardId, readBlock(file, path, index, block), starts, ends);
    },
    close: () => file.close(),
  };
}

function readBlock(
  file: Deno.FsFile,
  path: string,
  { offsets }: FileIndex,
  block: number,
): Uint8Array<ArrayBuffer> {
  const offset = at(offsets, block);
  const bytes = new Uint8Array(at(offsets, block + 1) - offset);
  file.seekSync(offset, Deno.SeekMode.Start);
  for (let filled = 0; filled < bytes.length;) {
    const read = file.readSync(bytes.subarray(filled));
    if (read === null) {
      throw new TypeError(
        `Cannot read block ${block} of ${path}: the file ends ${
          bytes.length - filled
        } bytes too early; it was changed while it was read`,
      );
    }
    filled += read;
  }
  return bytes;
}

function rowsOf(
  { rows, starts, ends }: FileIndex,
  block: number,
): { readonly starts: Uint32Array; readonly ends: Uint32Array } {
  const from = at(rows, block);
  const to = at(rows, block + 1);
  return { starts: starts.subarray(from, to), ends: ends.subarray(from, to) };
}

/** A batch with an arena of these rows only, as a stream of their own would have it. */
function packed(
  shardId: string,
  block: Uint8Array,
  from: Uint32Array,
  to: Uint32Array,
): RawColumns {
  const starts = new Uint32Array(from.length);
  const ends = new Uint32Array(from.length);
  let length = 0;
  for (const [row, start] of from.entries()) {
    starts[row] = length;
    length += at(to, row) - start;
    ends[row] = length;
  }
  const arena = new Uint8Array(length);
  for (const [row, start] of from.entries()) {
    arena.set(block.subarray(start, to[row]), starts[row]);
  }
  return columnsOf(shardId, arena, starts, ends);
}

// What no job of the benchmark looks at is shared by all batches: kept for each record, it would be a load for the
// collector that a live stream does not have.
const KEYS = Array.from({ length: BLOCK_ROWS }, () => "");
const NUMBERS = Array.from({ length: BLOCK_ROWS }, (_, row) => String(row));
const ARRIVALS = new Float64Array(BLOCK_ROWS).fill(NO_TIMESTAMP);

function columnsOf(
  shardId: string,
  arena: Uint8Array,
  starts: Uint32Array,
  ends: Uint32Array,
): RawColumns {
  return {
    shardId,
    arena,
    starts,
    ends,
    partitionKeys: KEYS,
    sequenceNumbers: NUMBERS,
    arrivals: ARRIVALS,
    position: "",
  };
}

function outside(path: string, batch: number, batches: number): RangeError {
  return new RangeError(`Cannot take batch ${batch} of ${path}: this shard has ${batches}`);
}

function at(column: Uint32Array, row: number): number {
  return column[row] ?? 0;
}
