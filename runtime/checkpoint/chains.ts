/**
 * Which chunks hold the state of each key group: a base, and changes upon it. A checkpoint adds what has changed; chains
 * that have grown long are merged, so that what is kept stays within a factor of what is alive.
 *
 * @module
 */

import type { Chunk, Manifest } from "./manifest.ts";
import type { WorkerSnapshot } from "./worker_snapshot.ts";

/** The chains of all operators. Immutable: a checkpoint that fails leaves those before as they are. */
export class Chains {
  readonly #chains: ReadonlyMap<string, ReadonlyMap<number, readonly Chunk[]>>;

  constructor(chains: ReadonlyMap<string, ReadonlyMap<number, readonly Chunk[]>> = new Map()) {
    this.#chains = chains;
  }

  /** Those of a checkpoint. `keeps`: operators whose state is taken over as it is; others begin anew. */
  static of({ chunks }: Manifest, keeps: (operator: string) => boolean): Chains {
    const chains = new Map<string, Map<number, readonly Chunk[]>>();
    for (const { operator, group, chain } of chunks) {
      if (!keeps(operator)) continue;
      const groups = chains.get(operator) ?? new Map<number, readonly Chunk[]>();
      chains.set(operator, groups.set(group, chain));
    }
    return new Chains(chains);
  }

  /**
   * With what one worker has handed over, as a part of this name.
   *
   * @param groups the worker's key groups
   */
  with({ chunks, wholes }: WorkerSnapshot, part: string, groups: readonly number[]): Chains {
    const ended = wholes.flatMap((operator) =>
      groups.map((group) => ({ operator, group, chain: [] }))
    );
    const added = chunks.map(({ operator, group, ...chunk }) => {
      const { offset, length, keys, deleted, isBase } = chunk;
      if (isBase && keys === 0) return { operator, group, chain: [] };
      const before = isBase ? [] : this.chain(operator, group);
      return { operator, group, chain: [...before, { part, offset, length, keys, deleted }] };
    });
    return this.#changed([...ended, ...added]);
  }

  /** With other chains for some key groups. */
  replaced(chunks: Manifest["chunks"]): Chains {
    return this.#changed(chunks);
  }

  /** The chain of a key group; empty if it has no state. */
  chain(operator: string, group: number): readonly Chunk[] {
    return this.#chains.get(operator)?.get(group) ?? [];
  }

  /** As a manifest has them. */
  get chunks(): Manifest["chunks"] {
    return [...this.#chains].flatMap(([operator, groups]) =>
      [...groups].map(([group, chain]) => ({ operator, group, chain }))
    );
  }

  #changed(chunks: Manifest["chunks"]): Chains {
    const chains = new Map([...this.#chains].map(([name, groups]) => [name, new Map(groups)]));
    for (const { operator, group, chain } of chunks) {
      const groups = chains.get(operator) ?? new Map<number, readonly Chunk[]>();
      if (chain.length > 0) groups.set(group, chain);
      else groups.delete(group);
      chains.set(operator, groups);
    }
    return new Chains(chains);
  }
}
