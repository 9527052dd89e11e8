/**
 * What a host tells a worker about the shards of one source.
 *
 * @module
 */

import type { Command, Request, WorkerMessage } from "./protocol.ts";
import type { SourceStage } from "./source_stage.ts";

/** A command about one source. */
export type SourceCommand = Extract<Command, { readonly source: string }>;

/** The request to read on where another worker has stopped. */
export type AdoptShard = Extract<Request, { readonly type: "adoptShard" }>;

/** Has a source's stage do what is told. */
export function takeSourceCommand(
  stage: SourceStage | undefined,
  command: SourceCommand,
  tell: (message: WorkerMessage) => void,
): void {
  switch (command.type) {
    case "openShard":
      return stage?.openShard(command.shard, command.after);
    case "releaseShard": {
      const { source, shard, successors } = command;
      return stage?.releaseShard(
        shard,
        successors,
        () => tell({ type: "shardReleased", source, shard }),
      );
    }
    case "closeShard": {
      const { source, shard } = command;
      return stage?.closeShard(
        shard,
        (closed) => tell({ type: "shardClosed", source, shard, closed }),
      );
    }
    case "shardMoved":
      return stage?.shardMoved(command.shard);
    case "endSource":
      return stage?.endSource();
  }
}
