/**
 * A source that hands out a generated file's records from memory, as often as asked for, as a stream with four shards
 * would: blocks of the file are dealt out to the shards in turn. Each worker loads only the shards that it reads.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { RawBatch, type RawRecord } from "../../../connectors/raw_record.ts";
import { NO_TIMESTAMP, type ReadContext, type Source } from "../../../connectors/source.ts";
import { Observable } from "../../../deps.ts";
import { delay } from "../../../runtime/clock.ts";

/** Records of the file from which a shard makes one batch. */
const BLOCK_ROWS = 1000;
const SHARDS = 4;
const NEWLINE = 10;

/** What a bench job is given in its module's URL. */
export interface ReplayOptions {
  /** The file. */
  readonly path: string;
  readonly passes: number;
  /** Only rows that hold this text. */
  readonly containing?: string;
}

/** The options in the query of a job's URL: `job.ts?data=DIR&passes=3`. */
export function replayOptions(url: string, file: string): ReplayOptions {
  const { searchParams } = new URL(url);
  return {
    path: `${searchParams.get("data")}/${file}`,
    passes: Number(searchParams.get("passes")),
  };
}

/** The source over a file. */
export function replay(options: ReplayOptions): Source<RawRecord> {
  const ids = Array.from({ length: SHARDS }, (_, shard) => `shard-${shard}`);
  const name = `${options.path} ${options.containing ?? ""}`;
  return {
    kind: "replay",
    name,
    bounded: true,
    shards: () => Promise.resolve(ids.map((id) => ({ id, parents: [] }))),
    read: (shard, _after, context) =>
      new Observable((subscriber) => {
        const batches = loadShard(options, ids.indexOf(shard), shard);
        const run = async ({ demand, signal }: ReadContext) => {
          let block = 0;
          for (let pass = 0; pass < options.passes; pass++) {
            for (const columns of batches) {
              await demand.next();
              await keepUp(`${name} ${shard}`, block++, context);
              if (signal.aborted) return;
              subscriber.next(new RawBatch(columns));
            }
          }
          progress.delete(`${name} ${shard}`);
          subscriber.complete();
        };
        run(context).catch((error) => subscriber.error(error));
      }),
  };
}

/** Blocks delivered, by source and shard, in this thread. */
const progress = new Map<string, number>();

/** Live streams run side by side: no shard gets further ahead of another than this. */
const BLOCKS_AHEAD_MAX = 8;
const LOOK_AGAIN_MS = 1;

async function keepUp(
  reader: string,
  block: number,
  { clock, signal }: ReadContext,
): Promise<void> {
  progress.set(reader, block);
  while (block > Math.min(...progress.values()) + BLOCKS_AHEAD_MAX && !signal.aborted) {
    await delay(clock, LOOK_AGAIN_MS, signal);
  }
}

let loaded: { path: string; bytes: Uint8Array } | undefined;

/** The file, read once for all shards of a thread. */
function fileBytes(path: string): Uint8Array {
  if (loaded?.path !== path) loaded = { path, bytes: Deno.readFileSync(path) };
  return loaded.bytes;
}

type Columns = ConstructorParameters<typeof RawBatch>[0];

// What no job of the benchmark looks at is shared by all batches: kept for each record, it would be a load for the
// collector that a live stream does not have.
const KEYS = Array.from({ length: BLOCK_ROWS }, () => "");
const NUMBERS = Array.from({ length: BLOCK_ROWS }, (_, row) => String(row));
const ARRIVALS = new Float64Array(BLOCK_ROWS).fill(NO_TIMESTAMP);

/** A shard's blocks, ready to be handed out. */
function loadShard({ path, containing }: ReplayOptions, shard: number, shardId: string): Columns[] {
  const bytes = fileBytes(path);
  const batches: Columns[] = [];
  let start = 0;
  let row = 0;
  while (start < bytes.length) {
    const rows: Uint8Array[] = [];
    const mine = (row / BLOCK_ROWS) % SHARDS === shard;
    for (let n = 0; n < BLOCK_ROWS && start < bytes.length; n++, row++) {
      const end = bytes.indexOf(NEWLINE, start);
      const line = bytes.subarray(start, end);
      if (
        mine &&
        (containing === undefined ||
          Buffer.from(line.buffer, start, line.length).includes(containing))
      ) {
        rows.push(line);
      }
      start = end + 1;
    }
    if (rows.length > 0) batches.push(columnsOf(rows, shardId));
  }
  return batches;
}

function columnsOf(rows: readonly Uint8Array[], shardId: string): Columns {
  const starts = new Uint32Array(rows.length);
  const ends = new Uint32Array(rows.length);
  let length = 0;
  for (const [row, line] of rows.entries()) {
    starts[row] = length;
    length += line.length;
    ends[row] = length;
  }
  const arena = new Uint8Array(length);
  for (const [row, line] of rows.entries()) arena.set(line, starts[row]);
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
