/**
 * The checkpoints of one job in an open store: which there are, the one to go on from, and which are not needed any more.
 *
 * @module
 */

import type { Logger } from "../logger.ts";
import { CheckpointDamagedError } from "./frame.ts";
import { LoadedCheckpoint } from "./loaded_checkpoint.ts";
import type { CheckpointKind, Manifest } from "./manifest.ts";
import { decodeManifest } from "./manifest_codec.ts";
import { CheckpointMissingError, type OpenCheckpointStore, storeLabel } from "./store.ts";

/** A checkpoint as listed: its manifest, or why that can't be read. */
export type ListedCheckpoint =
  | { readonly id: number; readonly manifest: Manifest }
  | { readonly id: number; readonly damage: CheckpointDamagedError };

/** What retention has to know of a checkpoint. */
interface Kept {
  readonly id: number;
  readonly kind: CheckpointKind;
  readonly parts: readonly string[];
}

/**
 * Reads and tidies a store for its job.
 *
 * @example A store in which there is nothing yet
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { systemClock } from "../clock.ts";
 * import { silentLogger } from "../logger.ts";
 * import { CheckpointCatalogue, partsOfManifest } from "./catalogue.ts";
 * import { memoryStore } from "./memory_store.ts";
 * const store = await memoryStore().open({
 *   clock: systemClock,
 *   random: () => 0,
 *   logger: silentLogger,
 *   aws: {},
 *   job: "orders",
 *   signal: new AbortController().signal,
 *   partsOf: partsOfManifest,
 * });
 * const catalogue = new CheckpointCatalogue(store, silentLogger);
 * assertEquals(await catalogue.latest(), undefined);
 * assertEquals(await catalogue.nextId(), 1);
 * ```
 */
export class CheckpointCatalogue {
  readonly #store: OpenCheckpointStore;
  readonly #logger: Logger;
  /** What has been read for retention: manifests don't change. */
  readonly #known = new Map<number, Kept>();
  /** Whose damage has been logged by retention. */
  readonly #reported = new Set<number>();

  constructor(store: OpenCheckpointStore, logger: Logger) {
    this.#store = store;
    this.#logger = logger;
  }

  /** The number for the next checkpoint: one more than the newest, damaged or not. */
  async nextId(): Promise<number> {
    return ((await this.#store.list())[0] ?? 0) + 1;
  }

  /** All checkpoints and savepoints, newest first. Parts are not looked at. */
  async list(): Promise<readonly ListedCheckpoint[]> {
    const listed: ListedCheckpoint[] = [];
    for (const id of await this.#store.list()) {
      try {
        listed.push({ id, manifest: await this.manifest(id) });
      } catch (error) {
        if (error instanceof CheckpointDamagedError) listed.push({ id, damage: error });
        // Removed meanwhile: it is no checkpoint any more.
        else if (!(error instanceof CheckpointMissingError)) throw error;
      }
    }
    return listed;
  }

  /**
   * The newest checkpoint or savepoint that can be read, or undefined if there are none at all. Damaged ones are logged
   * and passed over. One of a newer Penstock is not: going back behind it is for somebody to decide.
   *
   * @throws {CheckpointDamagedError} if there are checkpoints and none can be read, or a newer Penstock has written one
   * @throws {CheckpointStoreError} if the store can't be read
   */
  async latest(): Promise<LoadedCheckpoint | undefined> {
    const ids = await this.#store.list();
    const damages: { readonly id: number; readonly error: Error }[] = [];
    for (const id of ids) {
      try {
        const loaded = await LoadedCheckpoint.read(this.#store, await this.manifest(id));
        for (const damage of damages) this.#report(damage.id, damage.error, id);
        return loaded;
      } catch (error) {
        if (error instanceof CheckpointDamagedError && error.isNewer) throw error;
        if (!isUnreadable(error)) throw error;
        damages.push({ id, error });
      }
    }
    const [newest] = damages;
    if (newest === undefined) return undefined;
    for (const damage of damages) this.#report(damage.id, damage.error, undefined);
    throw new CheckpointDamagedError(
      `any of the checkpoints ${ids.join(", ")} of job "${this.#store.job}" in ${
        storeLabel(this.#store)
      }`,
      `all are damaged, the newest: ${newest.error.message}`,
    );
  }

  /**
   * The checkpoint or savepoint of a number.
   *
   * @throws {CheckpointDamagedError} if it is damaged; says which others there are
   * @throws {CheckpointMissingError} if there is none; says which others there are
   */
  async load(id: number): Promise<LoadedCheckpoint> {
    try {
      return await LoadedCheckpoint.read(this.#store, await this.manifest(id));
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      const others = (await this.#store.list()).filter((other) => other !== id).reverse();
      const offer = others.length === 0 ? "there are no others" : `there are ${others.join(", ")}`;
      if (error instanceof CheckpointMissingError) {
        const attempt = `Cannot load checkpoint ${id} of job "${this.#store.job}" from ${
          storeLabel(this.#store)
        }`;
        throw new CheckpointMissingError(`${attempt} (${offer})`, `checkpoint ${id}`);
      }
      const { isNewer } = error;
      const reason = error.what === this.#what(id)
        ? error.reason
        : `${error.what}: ${error.reason}`;
      throw new CheckpointDamagedError(
        this.#what(id),
        isNewer ? `${reason} (${offer})` : `it is damaged: ${reason} (${offer})`,
        { isNewer },
      );
    }
  }

  /**
   * The manifest of a checkpoint or savepoint.
   *
   * @throws {CheckpointDamagedError} if it can't be read, or is that of another number or job
   * @throws {CheckpointMissingError} if there is none
   */
  async manifest(id: number): Promise<Manifest> {
    const what = this.#what(id);
    const manifest = decodeManifest(await this.#store.readManifest(id), what);
    if (manifest.id !== id || manifest.job !== this.#store.job) {
      throw new CheckpointDamagedError(
        what,
        `found checkpoint ${manifest.id} of job "${manifest.job}", expected its own`,
      );
    }
    return manifest;
  }

  /**
   * Removes all but the newest checkpoints, and the parts that none of the others names. Savepoints stay, and are not
   * counted. Damaged manifests stay, for people to look at, and are not counted either. While there is a manifest of a
   * newer Penstock nothing is removed: its parts are not known.
   *
   * @param count how many to keep, at least 1
   * @param used those that somebody reads: they stay as well, this time
   * @returns the numbers of those that were removed
   * @throws {RangeError} if `count` is not a whole number from 1
   */
  async retain(
    count: number,
    used: { has(id: number): boolean } = new Set<number>(),
  ): Promise<readonly number[]> {
    if (!Number.isSafeInteger(count) || count < 1) {
      throw new RangeError(`Cannot keep ${count} checkpoints: keep a whole number of them, from 1`);
    }
    const ids = await this.#store.list();
    for (const id of this.#known.keys()) if (!ids.includes(id)) this.#known.delete(id);
    const kept: Kept[] = [];
    for (const id of ids) {
      const known = await this.#knownOf(id);
      if (known === "newer") return [];
      if (known !== undefined) kept.push(known);
    }
    const removed = kept
      .filter(({ kind }) => kind === "checkpoint")
      .slice(count)
      .filter(({ id }) => !used.has(id))
      .reverse();
    const uses = new Map<string, number>();
    for (const name of kept.flatMap(({ parts }) => parts)) {
      uses.set(name, (uses.get(name) ?? 0) + 1);
    }
    // Oldest first, and with each only what no other still names: whenever this ends, no checkpoint lacks a part.
    for (const { id, parts } of removed) {
      for (const name of parts) uses.set(name, (uses.get(name) ?? 0) - 1);
      await this.#store.remove(id, parts.filter((name) => uses.get(name) === 0));
      this.#known.delete(id);
    }
    return removed.map(({ id }) => id);
  }

  async #knownOf(id: number): Promise<Kept | "newer" | undefined> {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    try {
      const { kind, parts } = await this.manifest(id);
      const kept = { id, kind, parts: parts.map(({ name }) => name) };
      this.#known.set(id, kept);
      return kept;
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      if (error instanceof CheckpointMissingError) return undefined;
      if (!this.#reported.has(id)) {
        this.#reported.add(id);
        this.#logger.warn("A checkpoint can't be read and is not removed", {
          checkpoint: id,
          store: this.#store.name,
          reason: error.message,
        });
      }
      return error.isNewer ? "newer" : undefined;
    }
  }

  #report(id: number, error: Error, used: number | undefined): void {
    this.#logger.error("A checkpoint can't be read", {
      checkpoint: id,
      store: this.#store.name,
      reason: error.message,
      ...(used === undefined ? {} : { usedInstead: used }),
    });
  }

  #what(id: number): string {
    return `checkpoint ${id} of job "${this.#store.job}"`;
  }
}

/**
 * The parts that a manifest names: what a store wants to know of it (see `StoreContext.partsOf`).
 *
 * @throws {CheckpointDamagedError} if it can't be read
 *
 * @example Bytes of something else
 * ```ts
 * import { assertThrows } from "@std/assert";
 * import { partsOfManifest } from "./catalogue.ts";
 * assertThrows(() => partsOfManifest(new Uint8Array(100)), Error, "Cannot read a manifest");
 * ```
 */
export function partsOfManifest(manifest: Uint8Array): readonly string[] {
  return decodeManifest(manifest, "a manifest").parts.map(({ name }) => name);
}

function isUnreadable(error: unknown): error is CheckpointDamagedError | CheckpointMissingError {
  return error instanceof CheckpointDamagedError || error instanceof CheckpointMissingError;
}
