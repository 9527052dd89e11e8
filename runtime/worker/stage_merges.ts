/**
 * The merges inside of one stage, with what their branches have said of event time.
 *
 * @module
 */

import type { MergeTime } from "../checkpoint/worker_snapshot.ts";
import type { NodeId } from "../topology.ts";
import { MergedWatermarks } from "./merged_watermarks.ts";

/** By node, in order of building. */
export class StageMerges {
  readonly #merges = new Map<NodeId, MergedWatermarks>();
  readonly #restored: readonly MergeTime[];

  /** @param restored what branches had said at the checkpoint that the job starts from */
  constructor(restored: readonly MergeTime[] = []) {
    this.#restored = restored;
  }

  /** That of a node. */
  at(id: NodeId): MergedWatermarks {
    const known = this.#merges.get(id);
    if (known !== undefined) return known;
    const merge = new MergedWatermarks();
    const number = this.#merges.size;
    for (const { index, origin, branches, ended } of this.#restored) {
      if (index === number) merge.restore(origin, branches, ended);
    }
    this.#merges.set(id, merge);
    return merge;
  }

  /** An origin that another worker had comes here, with what its branches had said there. */
  adopt(origin: string, times: readonly MergeTime[]): void {
    this.forget(origin);
    const merges = [...this.#merges.values()];
    for (const { index, branches, ended } of times) merges[index]?.restore(origin, branches, ended);
  }

  /** An origin is another worker's from now on. */
  forget(origin: string): void {
    for (const merge of this.#merges.values()) merge.forget(origin);
  }

  /** What branches have said, for a checkpoint. */
  snapshot(): readonly MergeTime[] {
    return [...this.#merges.values()].flatMap((merge, index) =>
      merge.snapshot().map((heard) => ({ index, ...heard }))
    );
  }
}
