/**
 * Checkpoints in memory: for tests, and for a job that is started again in the same process.
 *
 * @module
 */

import {
  CheckpointExistsError,
  CheckpointMissingError,
  type CheckpointStore,
  CheckpointStoreError,
  checkStored,
  type OpenCheckpointStore,
  type StoreContext,
  type StoredCheckpoint,
  storeLabel,
} from "./store.ts";

interface JobShelf {
  readonly manifests: Map<number, Uint8Array>;
  readonly parts: Map<string, Uint8Array>;
}

/**
 * A store that lasts as long as the object: handed to a second run, that finds what the first has left. Bytes are copied,
 * both ways.
 *
 * @param name tells stores apart in messages
 *
 * @example What one run has written, the next one finds
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { systemClock } from "../clock.ts";
 * import { silentLogger } from "../logger.ts";
 * import { memoryStore } from "./memory_store.ts";
 * const store = memoryStore();
 * const context = {
 *   clock: systemClock,
 *   random: () => 0,
 *   logger: silentLogger,
 *   aws: {},
 *   job: "orders",
 *   signal: new AbortController().signal,
 *   partsOf: () => [],
 * };
 * const first = await store.open(context);
 * await first.write({ id: 1, manifest: new Uint8Array([1]), parts: [] });
 * await first.close();
 * assertEquals(await (await store.open(context)).list(), [1]);
 * ```
 */
export function memoryStore(name = "memory"): CheckpointStore {
  const shelves = new Map<string, JobShelf>();
  return {
    kind: "memory",
    name,
    open(context) {
      const shelf = shelves.get(context.job) ?? { manifests: new Map(), parts: new Map() };
      shelves.set(context.job, shelf);
      return Promise.resolve(new OpenMemoryStore(name, shelf, context));
    },
    jobs() {
      const kept = [...shelves].filter(([, { manifests }]) => manifests.size > 0);
      return Promise.resolve(kept.map(([job]) => job).toSorted());
    },
  };
}

class OpenMemoryStore implements OpenCheckpointStore {
  readonly kind = "memory";
  readonly name: string;
  readonly job: string;
  readonly #shelf: JobShelf;
  readonly #signal: AbortSignal;
  #closed = false;

  constructor(name: string, shelf: JobShelf, { job, signal }: StoreContext) {
    this.name = name;
    this.job = job;
    this.#shelf = shelf;
    this.#signal = signal;
  }

  // deno-lint-ignore require-await -- what is thrown must reject
  async write(checkpoint: StoredCheckpoint): Promise<void> {
    const { id, manifest, parts } = checkpoint;
    checkStored(checkpoint);
    const attempt = this.#attempt(`write checkpoint ${id}`);
    if (this.#shelf.manifests.has(id)) throw new CheckpointExistsError(attempt, `checkpoint ${id}`);
    for (const { name } of parts) {
      if (this.#shelf.parts.has(name)) throw new CheckpointExistsError(attempt, `part "${name}"`);
    }
    for (const { name, bytes } of parts) this.#shelf.parts.set(name, bytes.slice());
    this.#shelf.manifests.set(id, manifest.slice());
  }

  // deno-lint-ignore require-await -- what is thrown must reject
  async list(): Promise<readonly number[]> {
    this.#attempt("list checkpoints");
    return [...this.#shelf.manifests.keys()].sort((a, b) => b - a);
  }

  // deno-lint-ignore require-await -- what is thrown must reject
  async readManifest(id: number): Promise<Uint8Array> {
    const attempt = this.#attempt(`read checkpoint ${id}`);
    const manifest = this.#shelf.manifests.get(id);
    if (manifest === undefined) throw new CheckpointMissingError(attempt, `checkpoint ${id}`);
    return manifest.slice();
  }

  // deno-lint-ignore require-await -- what is thrown must reject
  async readPart(name: string): Promise<Uint8Array> {
    const attempt = this.#attempt(`read part "${name}"`);
    const bytes = this.#shelf.parts.get(name);
    if (bytes === undefined) throw new CheckpointMissingError(attempt, `part "${name}"`);
    return bytes.slice();
  }

  // deno-lint-ignore require-await -- what is thrown must reject
  async remove(id: number, parts: readonly string[]): Promise<void> {
    this.#attempt(`remove checkpoint ${id}`);
    this.#shelf.manifests.delete(id);
    for (const name of parts) this.#shelf.parts.delete(name);
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }

  /** What is attempted, for messages; nothing is once the store is closed or must let go. */
  #attempt(what: string): string {
    const attempt = `Cannot ${what} of job "${this.job}" in ${storeLabel(this)}`;
    if (this.#closed || this.#signal.aborted) {
      const found = this.#closed ? "the store is closed" : "the job is being stopped";
      throw new CheckpointStoreError(attempt, found, "open it again");
    }
    return attempt;
  }
}
