/**
 * A checkpoint in memory, all of it verified: what a job is restored from.
 *
 * @module
 */

import { CheckpointDamagedError } from "./frame.ts";
import type { Manifest, PartRange } from "./manifest.ts";
import { unframePart } from "./part.ts";
import { CheckpointMissingError, type OpenCheckpointStore } from "./store.ts";

/** Parts that are read at the same time. */
export const PARTS_READ_AT_ONCE = 4;

/**
 * A manifest and the bytes of all its parts. They are read and verified before anything is handed out: whether this
 * checkpoint can be used must be known before workers begin with it. They stay in memory as long as this object does.
 */
export class LoadedCheckpoint {
  /** What it consists of. */
  readonly manifest: Manifest;
  readonly #bodies: ReadonlyMap<string, Uint8Array>;
  readonly #chains: ReadonlyMap<string, ReadonlyMap<number, readonly PartRange[]>>;

  private constructor(manifest: Manifest, bodies: ReadonlyMap<string, Uint8Array>) {
    this.manifest = manifest;
    this.#bodies = bodies;
    const chains = new Map<string, Map<number, readonly PartRange[]>>();
    for (const { operator, group, chain } of manifest.chunks) {
      const groups = chains.get(operator) ?? new Map<number, readonly PartRange[]>();
      chains.set(operator, groups.set(group, chain));
    }
    this.#chains = chains;
  }

  /**
   * Reads and verifies all parts of a checkpoint.
   *
   * @throws {CheckpointDamagedError} if a part is missing or not what was written
   * @throws {CheckpointStoreError} if the store can't be read
   *
   * @example A checkpoint of one chunk
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { LoadedCheckpoint } from "./loaded_checkpoint.ts";
   * import { framePart } from "./part.ts";
   * const part = framePart([new Uint8Array([1, 2, 3])]);
   * const range = { part: "p", offset: 0, length: 3 };
   * const loaded = await LoadedCheckpoint.read({ readPart: () => Promise.resolve(part.bytes) }, {
   *   format: 1, id: 1, job: "a", kind: "checkpoint", at: 0, startedAt: 0, maxParallelism: 1, workers: 1,
   *   operators: [{ name: "count", kind: "process", states: [], keys: 1, bytes: 3 }],
   *   chunks: [{ operator: "count", group: 0, chain: [{ ...range, keys: 1, deleted: 0 }] }],
   *   sources: [], sinks: [], rest: { ...range, length: 0 },
   *   parts: [{ name: "p", bytes: part.bytes.length, crc32: part.crc32 }],
   * });
   * assertEquals(loaded.chunks("count", 0), [new Uint8Array([1, 2, 3])]);
   * ```
   */
  static async read(
    store: Pick<OpenCheckpointStore, "readPart">,
    manifest: Manifest,
  ): Promise<LoadedCheckpoint> {
    const bodies = new Map<string, Uint8Array>();
    const waiting = manifest.parts.values();
    const lane = async () => {
      for (const part of waiting) {
        bodies.set(part.name, unframePart(part.name, await partOf(store, part.name), part));
      }
    };
    const lanes = Array.from({ length: PARTS_READ_AT_ONCE }, lane);
    for (const outcome of await Promise.allSettled(lanes)) {
      if (outcome.status === "rejected") throw outcome.reason;
    }
    return new LoadedCheckpoint(manifest, bodies);
  }

  /** The chunks of an operator's key group, base first; none if it has no state. Views of the parts: not to be changed. */
  chunks(operator: string, group: number): readonly Uint8Array[] {
    return (this.#chains.get(operator)?.get(group) ?? []).map((chunk) => this.bytes(chunk));
  }

  /** What else workers handed over, as bytes. */
  get rest(): Uint8Array {
    return this.bytes(this.manifest.rest);
  }

  /**
   * The bytes of a range of one of its parts.
   *
   * @throws {RangeError} if the part is none of this checkpoint's
   */
  bytes({ part, offset, length }: PartRange): Uint8Array {
    const body = this.#bodies.get(part);
    if (body === undefined) {
      const { id } = this.manifest;
      throw new RangeError(
        `Cannot give bytes of part "${part}": checkpoint ${id} has no such part`,
      );
    }
    return body.subarray(offset, offset + length);
  }
}

async function partOf(
  store: Pick<OpenCheckpointStore, "readPart">,
  name: string,
): Promise<Uint8Array> {
  try {
    return await store.readPart(name);
  } catch (error) {
    if (!(error instanceof CheckpointMissingError)) throw error;
    throw new CheckpointDamagedError(`part "${name}"`, "found nothing, expected the part");
  }
}
