/**
 * A store of checkpoints that fails as stores do: slowly, before it has written anything, after it has written all of it,
 * and in between.
 *
 * @module
 */

import {
  type CheckpointStore,
  CheckpointStoreError,
  type OpenCheckpointStore,
  type StoreContext,
  type StoredCheckpoint,
} from "../checkpoint/store.ts";
import { delay } from "../clock.ts";
import type { Random } from "../random.ts";
import type { EventTrace } from "./event_trace.ts";
import { type Fault, type FaultPlan, SIMULATED } from "./fault_plan.ts";

const SLOW_MS_MAX = 300;

/** What a faulty store works with. */
export interface FaultyStoreOptions {
  readonly faults: FaultPlan;
  readonly random: Random;
  readonly trace: EventTrace;
  /** Whether a checkpoint has been kept: before that, one that is damaged could be all that there is. */
  readonly isSafe: () => boolean;
  /** A checkpoint is damaged from now on. */
  readonly torn: (id: number) => void;
}

/**
 * A store with faults.
 *
 * A checkpoint that is damaged was never reported as kept, as after a machine that died in the middle of a write. One that
 * goes bad after it was reported is no fault that a job could survive exactly once: what its sinks have committed for it
 * can't be taken back.
 *
 * @param store where checkpoints really go
 */
export function faultyStore(store: CheckpointStore, options: FaultyStoreOptions): CheckpointStore {
  return {
    kind: store.kind,
    name: store.name,
    jobs: (surroundings) => store.jobs(surroundings),
    open: async (context) => new FaultyStore(await store.open(context), context, options),
  };
}

class FaultyStore implements OpenCheckpointStore {
  readonly kind: string;
  readonly name: string;
  readonly job: string;
  readonly #store: OpenCheckpointStore;
  readonly #context: StoreContext;
  readonly #options: FaultyStoreOptions;
  /** Whether the job runs: a job that can't read its store at its start does not start. */
  #isRunning = false;

  constructor(store: OpenCheckpointStore, context: StoreContext, options: FaultyStoreOptions) {
    this.kind = store.kind;
    this.name = store.name;
    this.job = store.job;
    this.#store = store;
    this.#context = context;
    this.#options = options;
  }

  async write(checkpoint: StoredCheckpoint): Promise<void> {
    const { faults, torn, trace, isSafe } = this.#options;
    const { id } = checkpoint;
    this.#isRunning = true;
    await this.#wait();
    if (faults.failsWrite("store fails")) throw this.#error(id, "store fails");
    if (isSafe() && faults.failsWrite("store tears")) {
      await this.#store.write(this.#damaged(checkpoint));
      torn(id);
      throw this.#error(id, "store tears");
    }
    await this.#store.write(checkpoint);
    trace.add(`checkpoint ${id} is in the store`);
    await this.#wait();
    if (faults.failsWrite("answer of store lost")) throw this.#error(id, "answer of store lost");
  }

  async list(): Promise<readonly number[]> {
    const { faults } = this.#options;
    await this.#wait();
    if (this.#isRunning && faults.ends("store unreadable", 0.5)) {
      this.#options.trace.add("the store can't be read");
      throw this.#storeError("list checkpoints", "store unreadable");
    }
    return await this.#store.list();
  }

  async readManifest(id: number): Promise<Uint8Array> {
    await this.#wait();
    return await this.#store.readManifest(id);
  }

  async readPart(name: string): Promise<Uint8Array> {
    await this.#wait();
    return await this.#store.readPart(name);
  }

  remove(id: number, parts: readonly string[]): Promise<void> {
    return this.#store.remove(id, parts);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async #wait(): Promise<void> {
    const ms = this.#options.faults.delayMs("store slow", SLOW_MS_MAX);
    if (ms > 0) await delay(this.#context.clock, ms);
  }

  /** With a byte of its manifest or of one of its parts changed, or cut off. */
  #damaged(checkpoint: StoredCheckpoint): StoredCheckpoint {
    const { random } = this.#options;
    const { manifest, parts } = checkpoint;
    const pick = Math.floor(random() * (parts.length + 1));
    const damage = (bytes: Uint8Array) => {
      const at = Math.floor(random() * bytes.length);
      if (random() < 0.5) return bytes.slice(0, at);
      const damaged = bytes.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 0x55;
      return damaged;
    };
    if (pick === parts.length) return { ...checkpoint, manifest: damage(manifest) };
    return {
      ...checkpoint,
      parts: parts.map((part, index) =>
        index === pick ? { ...part, bytes: damage(part.bytes) } : part
      ),
    };
  }

  #error(id: number, fault: Fault): Error {
    this.#options.trace.add(`${fault}: checkpoint ${id}`);
    return this.#storeError(`write checkpoint ${id}`, fault);
  }

  #storeError(what: string, fault: Fault): Error {
    return new CheckpointStoreError(`Cannot ${what}`, `${SIMULATED}: ${fault}`, "try again");
  }
}
