/**
 * What a stage on one worker knows of its origins' event time: of all of them for a checkpoint, and of one shard that goes
 * to another worker or comes from there.
 *
 * @module
 */

import type { ShardTime, StageSnapshot } from "../checkpoint/worker_snapshot.ts";
import type { NodeId } from "../topology.ts";
import type { LastWords } from "./last_words.ts";
import type { SinkFeed } from "./sink_feed.ts";
import type { StageGenerators } from "./stage_generators.ts";
import type { StageMerges } from "./stage_merges.ts";

/** The parts of a stage that tell its origins apart. */
export interface TimeKeepers {
  readonly generators: StageGenerators;
  readonly merges: StageMerges;
  readonly words: LastWords;
  /** In order of building. */
  readonly feeds: ReadonlyMap<NodeId, SinkFeed>;
}

/** The event time of a stage's origins. */
export class ShardTimes {
  readonly #keepers: TimeKeepers;

  constructor(keepers: TimeKeepers) {
    this.#keepers = keepers;
  }

  /** What is known of all, for a checkpoint. */
  snapshot(): Pick<StageSnapshot, "generators" | "merges" | "words" | "feeds"> {
    const { generators, merges, words, feeds } = this.#keepers;
    return {
      generators: generators.snapshot(),
      merges: merges.snapshot(),
      words: words.snapshot(),
      feeds: [...feeds.values()].map((feed, index) => ({ index, ...feed.snapshot() })),
    };
  }

  /** What is known of one. */
  of(origin: string): ShardTime {
    const { generators, merges, words, feeds } = this.#keepers;
    return {
      generators: generators.snapshot().filter(({ domain }) => domain === origin),
      merges: merges.snapshot().filter((of) => of.origin === origin),
      words: words.snapshot().filter((of) => of.origin === origin),
      feeds: [...feeds.values()].flatMap((feed, index) => {
        const heard = feed.heard(origin);
        return heard === undefined ? [] : [{ index, ...heard }];
      }),
    };
  }

  /** An origin comes from another worker, with what was known of it there. Before its chain is made. */
  adopt(origin: string, time: ShardTime): void {
    const { generators, merges, words, feeds } = this.#keepers;
    generators.adopt(origin, time.generators);
    merges.adopt(origin, time.merges);
    words.adopt(origin, time.words);
    const ways = [...feeds.values()];
    for (const { index, ...heard } of time.feeds) ways[index]?.arrive(origin, heard);
  }

  /** An origin is another worker's from now on: nothing here waits for it, or says anything of it. */
  forget(origin: string): void {
    const { generators, merges, words, feeds } = this.#keepers;
    generators.forget(origin);
    merges.forget(origin);
    words.forget(origin);
    for (const feed of feeds.values()) feed.leave(origin);
  }
}
