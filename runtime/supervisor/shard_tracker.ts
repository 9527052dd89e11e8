/**
 * What is known of a source's shards, and which may be read: a shard whose parents have been read to their end and let go
 * of, or are no longer listed. That keeps the order of a key over splits and merges. Pure.
 *
 * ```
 *  listed ──> waiting ──> reading ──> ended ──> released
 *             (parents)                         (all workers know that it has ended)
 * ```
 *
 * @module
 */

import type { Shard } from "../../connectors/source.ts";

type ShardState = "waiting" | "reading" | "ended" | "released";

/** A shard as a checkpoint keeps it. */
export interface TrackedShard extends Shard {
  readonly state: "reading" | "ended";
}

/** The shards of one source. */
export class ShardTracker {
  readonly #shards = new Map<string, { shard: Shard; state: ShardState }>();

  /** @param restored shards at the checkpoint that the job starts from: those that were being read may be read again */
  constructor(restored: readonly TrackedShard[] = []) {
    for (const { id, parents, state } of restored) {
      const entry = {
        shard: { id, parents },
        state: state === "ended" ? "released" : "waiting",
      } as const;
      this.#shards.set(id, entry);
    }
  }

  /** Shards that are being read or have been. */
  get tracked(): readonly TrackedShard[] {
    return [...this.#shards.values()].flatMap(({ shard, state }) =>
      state === "waiting" ? [] : [{ ...shard, state: state === "released" ? "ended" : state }]
    );
  }

  /** Takes a listing; shards that are known stay as they are. */
  list(shards: readonly Shard[]): void {
    for (const shard of shards) {
      if (!this.#shards.has(shard.id)) this.#shards.set(shard.id, { shard, state: "waiting" });
    }
  }

  /** Shards that may be read now. */
  get readable(): readonly string[] {
    return this.#readable().map(({ shard }) => shard.id);
  }

  /** Shards that may be read now; they count as being read from here on. */
  takeReadable(): readonly string[] {
    const taken = this.readable;
    for (const entry of this.#readable()) entry.state = "reading";
    return taken;
  }

  /** A shard has been read to its end. */
  end(id: string): void {
    const entry = this.#shards.get(id);
    if (entry?.state !== "reading") {
      throw new Error(
        `Cannot end shard "${id}": it is ${
          entry?.state ?? "not known"
        }, expected one that is being read`,
      );
    }
    entry.state = "ended";
  }

  /** All workers know that it has ended: what its successors carry can't come before that. */
  release(id: string): void {
    const entry = this.#shards.get(id);
    if (entry?.state === "ended") entry.state = "released";
  }

  /** The shards that go on where this one ended. */
  successorsOf(id: string): readonly string[] {
    return [...this.#shards.values()].filter(({ shard }) => shard.parents.includes(id)).map((
      { shard },
    ) => shard.id);
  }

  /** Whether everything that is known has been read. */
  get allEnded(): boolean {
    return [...this.#shards.values()].every(({ state }) =>
      state === "ended" || state === "released"
    );
  }

  #readable(): { shard: Shard; state: ShardState }[] {
    return [...this.#shards.values()].filter(({ shard, state }) =>
      state === "waiting" &&
      shard.parents.every((parent) =>
        (this.#shards.get(parent)?.state ?? "released") === "released"
      )
    );
  }
}
