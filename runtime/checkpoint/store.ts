/**
 * Where checkpoints are kept: the contract that every store fulfils, and what goes wrong with one. A checkpoint is a
 * manifest and the parts it names; to a store both are bytes.
 *
 * @module
 */

import type { AwsSettings } from "../../connectors/source.ts";
import type { Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import type { Random } from "../random.ts";

/** A place for checkpoints, declared; the supervisor opens it. */
export interface CheckpointStore {
  /** `"memory"`, `"sqlite"` or `"s3"`. */
  readonly kind: string;
  /** The path or URL: for people. */
  readonly name: string;
  /**
   * Opens the store for one job. Jobs of other names in the same store are out of sight.
   *
   * @throws {CheckpointStoreError} if the store is not there, or is not one
   */
  readonly open: (context: StoreContext) => Promise<OpenCheckpointStore>;
  /**
   * Names of the jobs that have checkpoints here, sorted. Makes no store where there is none.
   *
   * @throws {CheckpointStoreError} if the store is not there, or is not one
   */
  readonly jobs: (context: StoreSurroundings) => Promise<readonly string[]>;
}

/** What all of a store is looked at with. */
export type StoreSurroundings = Omit<StoreContext, "job" | "partsOf">;

/** What a store is given to work with: nothing ambient. */
export interface StoreContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly aws: AwsSettings;
  /** Whose checkpoints: the job's name. */
  readonly job: string;
  /** Aborted when the store must let go: calls under way fail, and leave nothing visible. */
  readonly signal: AbortSignal;
  /**
   * The parts that a manifest names; throws if it can't be read. Stores that have to tidy up after failed writes must know
   * what is in use, and leave everything alone while a manifest can't be read.
   */
  readonly partsOf: (manifest: Uint8Array) => readonly string[];
}

/** A part to be written. Names are not empty and have at most {@linkcode PART_NAME_LENGTH_MAX} characters. */
export interface StoredPart {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A checkpoint to be written. */
export interface StoredCheckpoint {
  /** Whole, from 1. */
  readonly id: number;
  readonly manifest: Uint8Array;
  /** The parts that are new. Their names must differ from those of any other run of the job: put randomness into them. */
  readonly parts: readonly StoredPart[];
}

/** A store opened for one job. Calls may overlap; each is one unit. */
export interface OpenCheckpointStore {
  /** As in {@linkcode CheckpointStore}. */
  readonly kind: string;
  /** As in {@linkcode CheckpointStore}. */
  readonly name: string;
  /** Whose checkpoints these are. */
  readonly job: string;
  /**
   * Writes one unit: afterwards all of it is there for good, or (it throws) nothing of it is visible. A write that has
   * failed can be tried again with the same names. Where the answer to the last request got lost for good, the checkpoint
   * may turn up later, and is then whole.
   *
   * @throws {CheckpointExistsError} if there is a checkpoint of this number, or one that names a part of this name: two
   * runs of one job share the store
   * @throws {CheckpointStoreError} if the store is full, can't be reached, or fails otherwise
   */
  write(checkpoint: StoredCheckpoint): Promise<void>;
  /** Numbers of checkpoints, newest first. */
  list(): Promise<readonly number[]>;
  /** @throws {CheckpointMissingError} if there is none of this number */
  readManifest(id: number): Promise<Uint8Array>;
  /** @throws {CheckpointMissingError} if there is none of this name */
  readPart(name: string): Promise<Uint8Array>;
  /** Removes a checkpoint, and the parts that nobody names any more. Removing what is not there is no error. */
  remove(id: number, parts: readonly string[]): Promise<void>;
  /** Lets go of everything, once calls under way have ended. Calling it twice is no error. */
  close(): Promise<void>;
}

/** Characters of a part's name. */
export const PART_NAME_LENGTH_MAX = 200;

/** There is a checkpoint of this number already, or one that names a part of this name. */
export class CheckpointExistsError extends Error {
  override readonly name = "CheckpointExistsError";

  /** @param what what is there already, such as `"checkpoint 7"` */
  constructor(attempt: string, what: string) {
    super(
      `${attempt}: ${what} is there already, written by another run of this job; ` +
        `stop one of them, or give them different names`,
    );
  }
}

/** What was to be read is not in the store: removed meanwhile, lost, or never there. */
export class CheckpointMissingError extends Error {
  override readonly name = "CheckpointMissingError";

  /** @param what what is not there, such as `"part \"a\""` */
  constructor(attempt: string, what: string) {
    super(
      `${attempt}: ${what} is not there; another run of this job may have removed it: ` +
        `list the checkpoints again`,
    );
  }
}

/** A store can't do what was asked of it; the message says what to do. */
export class CheckpointStoreError extends Error {
  override readonly name = "CheckpointStoreError";

  /**
   * @param attempt such as `Cannot write checkpoint 7 of job "a" to sqlite store "a.db"`
   * @param found what is the matter
   * @param advice what to do
   */
  constructor(attempt: string, found: string, advice: string, options?: ErrorOptions) {
    super(`${attempt}: ${found.replace(/\.$/, "")}; ${advice}`, options);
  }
}

/** A store as it is named in messages: `sqlite store "a.db"`. */
export function storeLabel(
  { kind, name }: { readonly kind: string; readonly name: string },
): string {
  return `${kind} store "${name}"`;
}

/**
 * Checks what is common to all stores before anything is written.
 *
 * @throws {RangeError} if the number is no whole number from 1, a name is empty, too long or there twice
 *
 * @example A name that is there twice
 * ```ts
 * import { assertThrows } from "@std/assert";
 * import { checkStored } from "./store.ts";
 * const part = { name: "a", bytes: new Uint8Array() };
 * assertThrows(() => checkStored({ id: 1, manifest: new Uint8Array(), parts: [part, part] }), RangeError);
 * ```
 */
export function checkStored({ id, parts }: StoredCheckpoint): void {
  if (!Number.isSafeInteger(id) || id < 1) {
    throw new RangeError(`Cannot write checkpoint ${id}: numbers are whole, from 1`);
  }
  const names = new Set<string>();
  for (const { name } of parts) {
    if (name === "" || name.length > PART_NAME_LENGTH_MAX || !name.isWellFormed()) {
      throw new RangeError(
        `Cannot write part "${name}" of checkpoint ${id}: ` +
          `names are well-formed and have 1 to ${PART_NAME_LENGTH_MAX} characters`,
      );
    }
    if (names.has(name)) {
      throw new RangeError(`Cannot write part "${name}" of checkpoint ${id}: it is there twice`);
    }
    names.add(name);
  }
}
