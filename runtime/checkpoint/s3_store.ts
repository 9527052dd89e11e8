/**
 * Checkpoints in S3: an object per part, and last the manifest, on condition that there is none of its number. So a
 * checkpoint is there as soon as its manifest is, and two runs of one job can't both write the same number.
 *
 * Parts of writes that failed are deleted later (see {@linkcode S3_ORPHAN_AGE_MS}).
 *
 * @module
 */

import { type Clock, delay } from "../clock.ts";
import type { Logger } from "../logger.ts";
import { REGION_MISSING, S3Bucket } from "./s3_client.ts";
import {
  CheckpointExistsError,
  CheckpointMissingError,
  type CheckpointStore,
  CheckpointStoreError,
  checkStored,
  type OpenCheckpointStore,
  type StoreContext,
  type StoredCheckpoint,
  type StoredPart,
  storeLabel,
} from "./store.ts";

/** Bytes of one object that S3 takes in one piece. A worker's changes between two barriers stay far below. */
export const S3_PART_BYTES_MAX = 5 * 1024 ** 3;
/** Parts on their way to or from S3 at the same time. */
export const S3_PARTS_AT_ONCE = 4;
/** The longest write: past it the manifest is not written, since its parts may soon count as left over. */
export const S3_WRITE_MS_MAX = 6 * 60 * 60_000;
/**
 * The age at which a part that no manifest names counts as left over. Four times the longest write, so that nothing of a
 * checkpoint that is being written is ever deleted, however the clocks differ.
 */
export const S3_ORPHAN_AGE_MS = 24 * 60 * 60_000;
/** How often parts that are left over are looked for. */
export const S3_SWEEP_MS = 60 * 60_000;
/** Times that a manifest is written anew while S3 says that somebody else is writing it. */
export const S3_CONFLICTS_MAX = 5;
/** The wait in between. */
export const S3_CONFLICT_MS = 200;

/** Digits of the largest safe integer: keys in the order of numbers. */
const ID_DIGITS = 16;

const ADVICE: Readonly<Record<string, string>> = {
  AccessDenied: "give the role s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket",
  [REGION_MISSING]: "set AWS_REGION or give the region as an option",
  NoSuchBucket: "create the bucket, or name another one",
  CredentialsProviderError:
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or attach a role",
  InvalidAccessKeyId: "check AWS_ACCESS_KEY_ID and that the key is active",
  SignatureDoesNotMatch: "check AWS_SECRET_ACCESS_KEY and the machine's clock",
  ExpiredToken: "renew the session's credentials",
  PermanentRedirect: "set AWS_REGION to the bucket's region",
  QuotaExceeded: "free room or raise the quota, or keep fewer checkpoints",
  XMinioStorageFull: "free room on its disks, or keep fewer checkpoints",
};

/** How S3 is used. */
export interface S3StoreOptions {
  /** Times that a request is sent before its failure counts; `S3_ATTEMPTS_MAX` unless said. */
  readonly attemptsMax?: number | undefined;
}

/**
 * A store below a prefix of a bucket: `s3://bucket/prefix`. Endpoint and region are the job's AWS settings. The service
 * must know conditional writes (`If-None-Match: *`), as S3 does since 2024.
 *
 * @throws {TypeError} if the URL is no `s3://bucket` or `s3://bucket/prefix`
 *
 * @example Declaring it
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { s3Store } from "./s3_store.ts";
 * assertEquals(s3Store("s3://jobs/checkpoints").name, "s3://jobs/checkpoints");
 * ```
 */
export function s3Store(url: string, options: S3StoreOptions = {}): CheckpointStore {
  const [, bucketName, prefix = ""] = /^s3:\/\/([a-z0-9][a-z0-9.-]+)(?:\/(.*))?$/.exec(url) ?? [];
  if (bucketName === undefined) {
    throw new TypeError(`Cannot declare an s3 store at "${url}": write s3://bucket/prefix`);
  }
  return {
    kind: "s3",
    name: url,
    async open(context) {
      const { aws, signal, job } = context;
      try {
        const bucket = await S3Bucket.open(bucketName, aws, signal, options.attemptsMax);
        return new OpenS3Store(url, bucket, rootOf(prefix), context);
      } catch (error) {
        const label = storeLabel({ kind: "s3", name: url });
        throw s3Error(`Cannot open ${label} for job "${job}"`, error);
      }
    },
    async jobs({ aws, signal }) {
      try {
        const bucket = await S3Bucket.open(bucketName, aws, signal, options.attemptsMax);
        try {
          return await jobsBelow(bucket, rootOf(prefix));
        } finally {
          bucket.close();
        }
      } catch (error) {
        throw s3Error(`Cannot list the jobs in ${storeLabel({ kind: "s3", name: url })}`, error);
      }
    },
  };
}

/** The jobs that have a manifest: keys of parts alone are left by writes that failed. */
async function jobsBelow(bucket: S3Bucket, root: string): Promise<readonly string[]> {
  const jobs: string[] = [];
  for (const folder of await bucket.folders(root)) {
    if ((await bucket.list(`${folder}checkpoints/`)).length === 0) continue;
    const job = jobOf(folder.slice(root.length, -1));
    if (job !== undefined) jobs.push(job);
  }
  return jobs.toSorted();
}

/** What keys of a store begin with. */
function rootOf(prefix: string): string {
  const path = prefix.replace(/\/*$/, "");
  return path === "" ? "" : `${path}/`;
}

class OpenS3Store implements OpenCheckpointStore {
  readonly kind = "s3";
  readonly name: string;
  readonly job: string;
  readonly #bucket: S3Bucket;
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #signal: AbortSignal;
  readonly #partsOf: StoreContext["partsOf"];
  readonly #calls = new Set<Promise<unknown>>();
  #sweptAt = -Infinity;
  #closed = false;

  constructor(url: string, bucket: S3Bucket, root: string, context: StoreContext) {
    this.name = url;
    this.job = context.job;
    this.#bucket = bucket;
    this.#folder = `${root}${segment(context.job)}/`;
    this.#clock = context.clock;
    this.#logger = context.logger;
    this.#signal = context.signal;
    this.#partsOf = context.partsOf;
  }

  write(checkpoint: StoredCheckpoint): Promise<void> {
    const { id, manifest, parts } = checkpoint;
    return this.#call(`write checkpoint ${id}`, async (attempt) => {
      checkStored(checkpoint);
      const start = this.#clock.monotonic();
      const written: string[] = [];
      try {
        await atOnce(parts, (part) => this.#writePart(attempt, part, written));
        if (this.#clock.monotonic() - start > S3_WRITE_MS_MAX) {
          throw new CheckpointStoreError(
            attempt,
            `its parts took more than ${S3_WRITE_MS_MAX} ms to be written`,
            "look at the connection to S3",
          );
        }
        if (this.#signal.aborted) throw new Error("the job is being stopped");
      } catch (error) {
        await this.#letGoOf(written);
        throw error;
      }
      // From here on an error leaves the parts alone: the manifest that names them may be there after all.
      if (await this.#putNew(this.#manifestKey(id), manifest) !== "other") return;
      await this.#letGoOf(written);
      throw new CheckpointExistsError(attempt, `checkpoint ${id}`);
    });
  }

  list(): Promise<readonly number[]> {
    return this.#call("list checkpoints", async () => (await this.#ids()).reverse());
  }

  readManifest(id: number): Promise<Uint8Array> {
    return this.#call(`read checkpoint ${id}`, async (attempt) => {
      const manifest = await this.#bucket.get(this.#manifestKey(id));
      if (manifest === undefined) throw new CheckpointMissingError(attempt, `checkpoint ${id}`);
      return manifest;
    });
  }

  readPart(name: string): Promise<Uint8Array> {
    return this.#call(`read part "${name}"`, async (attempt) => {
      const bytes = await this.#bucket.get(this.#partKey(name));
      if (bytes === undefined) throw new CheckpointMissingError(attempt, `part "${name}"`);
      return bytes;
    });
  }

  remove(id: number, parts: readonly string[]): Promise<void> {
    return this.#call(`remove checkpoint ${id}`, async () => {
      // The manifest first: a checkpoint must not be seen without its parts.
      await this.#bucket.delete([this.#manifestKey(id)]);
      await this.#bucket.delete(parts.map((name) => this.#partKey(name)));
      await this.#sweep();
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled(this.#calls);
    this.#bucket.close();
  }

  async #writePart(attempt: string, { name, bytes }: StoredPart, written: string[]): Promise<void> {
    if (bytes.length > S3_PART_BYTES_MAX) {
      throw new CheckpointStoreError(
        attempt,
        `part "${name}" has ${bytes.length} bytes, and S3 takes ${S3_PART_BYTES_MAX} in one piece`,
        "write checkpoints more often, or use more workers",
      );
    }
    const key = this.#partKey(name);
    const outcome = await this.#putNew(key, bytes);
    if (outcome === "other") {
      // Left by a write that failed, or in use: a part that a checkpoint names is never written over.
      if ((await this.#namedParts()).has(name)) {
        throw new CheckpointExistsError(attempt, `part "${name}"`);
      }
      await this.#bucket.put(key, bytes);
    }
    // One of the same bytes may be in use, so it is not ours to delete.
    if (outcome !== "same") written.push(key);
  }

  /** Writes an object if there is none. One of the same bytes is our own, most likely, whose answer got lost. */
  async #putNew(key: string, bytes: Uint8Array): Promise<"written" | "same" | "other"> {
    for (let conflicts = 0; conflicts < S3_CONFLICTS_MAX; conflicts++) {
      let outcome;
      try {
        outcome = await this.#bucket.putNew(key, bytes);
      } catch (error) {
        // What has arrived counts, whatever became of the answer.
        const there = await this.#bucket.get(key).catch(() => undefined);
        if (there !== undefined && isEqual(there, bytes)) return "same";
        throw error;
      }
      if (outcome === "written") return "written";
      if (outcome === "exists") {
        const there = await this.#bucket.get(key);
        return there !== undefined && isEqual(there, bytes) ? "same" : "other";
      }
      await delay(this.#clock, S3_CONFLICT_MS, this.#signal);
    }
    return "other";
  }

  /** Deletes what a failed write has left, as far as that works; the rest is found later. */
  async #letGoOf(keys: readonly string[]): Promise<void> {
    await this.#bucket.delete(keys).catch(() => {});
  }

  /** Numbers, oldest first. */
  async #ids(): Promise<number[]> {
    const folder = `${this.#folder}checkpoints/`;
    const keys = (await this.#bucket.list(folder)).map(({ key }) => key.slice(folder.length));
    return keys.filter((key) => /^\d{16}$/.test(key)).map(Number).sort((a, b) => a - b);
  }

  /** What manifests name. Throws if one can't be read. */
  async #namedParts(): Promise<ReadonlySet<string>> {
    const named = new Set<string>();
    await atOnce(await this.#ids(), async (id) => {
      const manifest = await this.#bucket.get(this.#manifestKey(id));
      if (manifest === undefined) throw new Error(`checkpoint ${id} was removed meanwhile`);
      for (const name of this.#partsOf(manifest)) named.add(name);
    });
    return named;
  }

  /**
   * Deletes parts that no manifest names and that are too old to belong to a checkpoint being written. Safe while one is:
   * its manifest names young parts, and parts that the one before it names, which is listed first. If anything is
   * unclear, nothing is deleted.
   */
  async #sweep(): Promise<void> {
    const now = this.#clock.monotonic();
    if (now - this.#sweptAt < S3_SWEEP_MS) return;
    this.#sweptAt = now;
    try {
      const named = new Set([...await this.#namedParts()].map((name) => this.#partKey(name)));
      const before = this.#clock.now() - S3_ORPHAN_AGE_MS;
      const left = (await this.#bucket.list(`${this.#folder}parts/`))
        .filter(({ key, modifiedAt }) => modifiedAt < before && !named.has(key))
        .map(({ key }) => key);
      await this.#bucket.delete(left);
      if (left.length > 0) {
        this.#logger.info("Deleted parts left by checkpoints that failed", {
          store: this.name,
          parts: left.length,
        });
      }
    } catch (error) {
      this.#logger.warn("Cannot look for parts left by checkpoints that failed", {
        store: this.name,
        reason: error instanceof Error ? error.message : String(error),
      });
    }
  }

  #manifestKey(id: number): string {
    return `${this.#folder}checkpoints/${String(id).padStart(ID_DIGITS, "0")}`;
  }

  #partKey(name: string): string {
    return `${this.#folder}parts/${segment(name)}`;
  }

  #call<T>(what: string, call: (attempt: string) => Promise<T>): Promise<T> {
    const attempt = `Cannot ${what} of job "${this.job}" in ${storeLabel(this)}`;
    if (this.#closed) {
      const error = new CheckpointStoreError(attempt, "the store is closed", "open it again");
      return Promise.reject(error);
    }
    const result = call(attempt).catch((error: unknown) => {
      throw s3Error(attempt, error);
    });
    const ended = result.then(() => {}, () => {}).finally(() => this.#calls.delete(ended));
    this.#calls.add(ended);
    return result;
  }
}

/** Calls for each, a few at once; the first error is thrown when all calls that were begun have ended. */
async function atOnce<T>(items: readonly T[], call: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values();
  let hasFailed = false;
  const lane = async () => {
    for (const item of waiting) {
      if (hasFailed) return;
      try {
        await call(item);
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }
  };
  const lanes = Array.from({ length: S3_PARTS_AT_ONCE }, lane);
  for (const outcome of await Promise.allSettled(lanes)) {
    if (outcome.status === "rejected") throw outcome.reason;
  }
}

/** A name as one segment of a key: without slashes, and not "." or "..". */
function segment(name: string): string {
  return encodeURIComponent(name).replaceAll(".", "%2E");
}

/** The job whose name as a segment this is; undefined if somebody else has put it there. */
function jobOf(name: string): string | undefined {
  try {
    const job = decodeURIComponent(name);
    return segment(job) === name ? job : undefined;
  } catch {
    return undefined;
  }
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function s3Error(attempt: string, error: unknown): unknown {
  if (
    error instanceof CheckpointExistsError || error instanceof CheckpointMissingError ||
    error instanceof CheckpointStoreError || error instanceof RangeError
  ) return error;
  const name = error instanceof Error ? error.name : typeof error;
  const message = error instanceof Error ? error.message : String(error);
  const found = name === "Error" ? message : `${name}: ${message}`;
  return new CheckpointStoreError(attempt, found, ADVICE[name] ?? "see the cause", {
    cause: error,
  });
}
