/**
 * A source that hands out a generated file's records as often as asked for, as a stream with four shards would: blocks of
 * the file are dealt out to the shards in turn. Each worker holds, or reads, only the shards that are its own.
 *
 * @module
 */

import { RawBatch, type RawRecord } from "../../../connectors/raw_record.ts";
import type { ReadContext, Source } from "../../../connectors/source.ts";
import { Observable } from "../../../deps.ts";
import type { ReplayInput } from "../bench_job.ts";
import { joinPace } from "./pace.ts";
import { openShardBlocks, SHARDS } from "./shard_blocks.ts";

/** What is replayed, and how often. */
export interface ReplayOptions {
  /** The folder with the generated files. */
  readonly dataDir: string;
  /** The file's name. */
  readonly file: string;
  readonly passes: number;
  readonly input: ReplayInput;
  /** Only rows that hold this text; then one other source of the job replays the rest of the file. */
  readonly containing?: string;
}

/** The source over a file. */
export function replay(options: ReplayOptions): Source<RawRecord> {
  const { containing, input, passes } = options;
  const path = `${options.dataDir}/${options.file}`;
  const ids = Array.from({ length: SHARDS }, (_, shard) => `shard-${shard}`);
  const sources = containing === undefined ? 1 : 2;
  const name = `${path} ${containing ?? ""}`;
  return {
    kind: "replay",
    name,
    bounded: true,
    shards: () => Promise.resolve(ids.map((id) => ({ id, parents: [] }))),
    read: (shardId, _after, context) =>
      new Observable((subscriber) => {
        const shard = ids.indexOf(shardId);
        const blocks = openShardBlocks({ path, containing, input, shard, shardId });
        const reader = joinPace(path, `${name} ${shardId}`, SHARDS * sources);
        const run = async ({ demand, clock, signal }: ReadContext) => {
          let delivered = 0;
          for (let pass = 0; pass < passes; pass++) {
            for (let at = 0; at < blocks.length; at++) {
              await demand.next();
              await reader.keepUp(delivered++, clock, signal);
              if (signal.aborted || subscriber.closed) return;
              subscriber.next(new RawBatch(blocks.columns(at)));
            }
          }
          reader.leave();
          subscriber.complete();
        };
        run(context).catch((error) => subscriber.error(error));
        return () => {
          reader.leave();
          blocks.close();
        };
      }),
  };
}
