/**
 * A store of checkpoints in memory that has the troubles of real ones, as told: writes that wait, and writes that fail.
 *
 * @module
 */

import { memoryStore } from "../../runtime/checkpoint/memory_store.ts";
import {
  type CheckpointStore,
  CheckpointStoreError,
  type OpenCheckpointStore,
  type StoreContext,
  type StoreSurroundings,
} from "../../runtime/checkpoint/store.ts";

/** What happens to a write. */
export type WriteTrouble = "none" | "wait" | "fail" | "full";

/** The store, and what goes on in it. */
export class TroubledStore implements CheckpointStore {
  readonly kind = "memory";
  readonly name = "troubled";
  /** What happens to the next writes. */
  trouble: WriteTrouble = "none";
  /** Numbers of the checkpoints whose writes wait. */
  readonly waiting = new Map<number, () => void>();
  readonly #inner = memoryStore();
  #context: StoreContext | undefined;

  /** Numbers of the checkpoints that are there. */
  async kept(): Promise<readonly number[]> {
    if (this.#context === undefined) return [];
    const { signal } = new AbortController();
    return await (await this.#inner.open({ ...this.#context, signal })).list();
  }

  /** Lets a write that waits be done. */
  release(id: number): void {
    this.waiting.get(id)?.();
    this.waiting.delete(id);
  }

  jobs(context: StoreSurroundings): Promise<readonly string[]> {
    return this.#inner.jobs(context);
  }

  async open(context: StoreContext): Promise<OpenCheckpointStore> {
    const inner = await this.#inner.open(context);
    this.#context = context;
    return {
      kind: inner.kind,
      name: inner.name,
      job: inner.job,
      write: async (checkpoint) => {
        const { trouble } = this;
        const attempt = `Cannot write checkpoint ${checkpoint.id}`;
        if (trouble === "fail") throw new CheckpointStoreError(attempt, "it is away", "wait");
        if (trouble === "full") throw new CheckpointStoreError(attempt, "it is full", "free room");
        if (trouble === "wait") {
          await new Promise<void>((done) => void this.waiting.set(checkpoint.id, done));
        }
        await inner.write(checkpoint);
      },
      list: () => inner.list(),
      readManifest: (id) => inner.readManifest(id),
      readPart: (name) => inner.readPart(name),
      remove: (id, parts) => inner.remove(id, parts),
      close: () => inner.close(),
    };
  }
}
