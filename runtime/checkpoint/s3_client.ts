/**
 * The SDK's S3 client as the store needs it: loaded when first used, retries by the SDK, and the few calls that the store
 * is made of.
 *
 * @module
 */

import { loadNodeHttpHandler, loadS3, type S3Client } from "../../deps.ts";
import type { AwsSettings } from "../../connectors/source.ts";

/** Times that a request is sent before its failure counts, with the SDK's backoff in between. */
export const S3_ATTEMPTS_MAX = 5;
/** Until a connection stands. */
export const S3_CONNECTION_TIMEOUT_MS = 5_000;
/** The longest silence on a connection during a request. */
export const S3_IDLE_TIMEOUT_MS = 60_000;
/** Objects that one request deletes: S3's bound. */
export const S3_DELETES_MAX = 1000;

const EMULATOR_CREDENTIALS = { accessKeyId: "emulator", secretAccessKey: "emulator" };
const EMULATOR_REGION = "us-east-1";
const LOOPBACK = /^https?:\/\/(localhost|127(\.\d+){3}|\[::1\])([:/]|$)/i;

/** The name of the error that says so. */
export const REGION_MISSING = "RegionMissing";

/** An object as listed. */
export interface ListedObject {
  readonly key: string;
  /** When it was written, ms since the epoch by S3's clock. */
  readonly modifiedAt: number;
}

/** How a conditional write ended: `conflict` means that another one of the same key is under way. */
export type PutOutcome = "written" | "exists" | "conflict";

/** A bucket, with the calls that the store needs. What they throw is the SDK's. */
export class S3Bucket {
  readonly #client: S3Client;
  readonly #sdk: Awaited<ReturnType<typeof loadS3>>;
  readonly #name: string;
  readonly #signal: AbortSignal;

  private constructor(
    client: S3Client,
    sdk: Awaited<ReturnType<typeof loadS3>>,
    name: string,
    signal: AbortSignal,
  ) {
    this.#client = client;
    this.#sdk = sdk;
    this.#name = name;
    this.#signal = signal;
  }

  /**
   * Opens a client. Settings that are missing are taken from where the SDK looks for them; for an endpoint on this machine,
   * where only emulators listen, region and credentials may be missing altogether.
   *
   * @example An emulator's bucket
   * ```ts
   * import { S3Bucket } from "./s3_client.ts";
   * const { signal } = new AbortController();
   * const bucket = await S3Bucket.open("jobs", { endpoint: "http://localhost:9000" }, signal);
   * bucket.close();
   * ```
   */
  static async open(
    name: string,
    aws: AwsSettings,
    signal: AbortSignal,
    attemptsMax: number = S3_ATTEMPTS_MAX,
  ): Promise<S3Bucket> {
    const [sdk, { NodeHttpHandler }] = await Promise.all([loadS3(), loadNodeHttpHandler()]);
    const endpoint = aws.endpoint ?? env("AWS_ENDPOINT_URL_S3") ?? env("AWS_ENDPOINT_URL");
    const emulated = endpoint !== undefined && LOOPBACK.test(endpoint);
    const region = aws.region ??
      (emulated && env("AWS_REGION") === undefined ? EMULATOR_REGION : undefined);
    const client = new sdk.S3Client({
      // A bucket in the host name needs a name service that only AWS has.
      ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
      ...(region === undefined ? {} : { region }),
      ...(emulated && env("AWS_ACCESS_KEY_ID") === undefined
        ? { credentials: EMULATOR_CREDENTIALS }
        : {}),
      maxAttempts: attemptsMax,
      requestHandler: new NodeHttpHandler({
        connectionTimeout: S3_CONNECTION_TIMEOUT_MS,
        socketTimeout: S3_IDLE_TIMEOUT_MS,
      }),
    });
    try {
      await client.config.region().catch((cause: unknown) => {
        const missing = new Error("no AWS region is set", { cause });
        missing.name = REGION_MISSING;
        throw missing;
      });
      await client.config.credentials();
    } catch (error) {
      client.destroy();
      throw error;
    }
    return new S3Bucket(client, sdk, name, signal);
  }

  /** Writes an object, over what is there. */
  async put(key: string, bytes: Uint8Array): Promise<void> {
    const input = { Bucket: this.#name, Key: key, Body: bytes };
    await this.#client.send(new this.#sdk.PutObjectCommand(input), this.#options());
  }

  /** Writes an object if there is none. */
  async putNew(key: string, bytes: Uint8Array): Promise<PutOutcome> {
    const input = { Bucket: this.#name, Key: key, Body: bytes, IfNoneMatch: "*" };
    try {
      await this.#client.send(new this.#sdk.PutObjectCommand(input), this.#options());
      return "written";
    } catch (error) {
      const status = statusOf(error);
      if (status === 412) return "exists";
      if (status === 409) return "conflict";
      throw error;
    }
  }

  /** An object's bytes, or undefined if there is none. */
  async get(key: string): Promise<Uint8Array | undefined> {
    const input = { Bucket: this.#name, Key: key };
    try {
      const { Body } = await this.#client.send(
        new this.#sdk.GetObjectCommand(input),
        this.#options(),
      );
      return await Body?.transformToByteArray() ?? new Uint8Array();
    } catch (error) {
      if (error instanceof Error && error.name === "NoSuchKey") return undefined;
      throw error;
    }
  }

  /** All objects whose keys begin so, in the order of their keys. */
  async list(prefix: string): Promise<readonly ListedObject[]> {
    const objects: ListedObject[] = [];
    for await (const { Contents = [] } of this.#pages({ Prefix: prefix })) {
      for (const { Key, LastModified } of Contents) {
        if (Key === undefined) continue;
        objects.push({ key: Key, modifiedAt: LastModified?.getTime() ?? Infinity });
      }
    }
    return objects;
  }

  /** What keys that begin so have up to their next slash, each once, with it. */
  async folders(prefix: string): Promise<readonly string[]> {
    const folders: string[] = [];
    const pages = this.#pages({ Prefix: prefix, Delimiter: "/" });
    for await (const { CommonPrefixes = [] } of pages) {
      for (const { Prefix } of CommonPrefixes) if (Prefix !== undefined) folders.push(Prefix);
    }
    return folders;
  }

  /** A listing, page by page: S3 gives a thousand entries at a time. */
  async *#pages(listing: { readonly Prefix: string; readonly Delimiter?: string }) {
    let token: string | undefined;
    do {
      const page = await this.#client.send(
        new this.#sdk.ListObjectsV2Command({
          Bucket: this.#name,
          ...listing,
          ...(token === undefined ? {} : { ContinuationToken: token }),
        }),
        this.#options(),
      );
      yield page;
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  /** Deletes objects; those that are not there count as deleted. */
  async delete(keys: readonly string[]): Promise<void> {
    for (let from = 0; from < keys.length; from += S3_DELETES_MAX) {
      const Objects = keys.slice(from, from + S3_DELETES_MAX).map((Key) => ({ Key }));
      const { Errors } = await this.#client.send(
        new this.#sdk.DeleteObjectsCommand({
          Bucket: this.#name,
          Delete: { Objects, Quiet: true },
        }),
        this.#options(),
      );
      const [first] = Errors ?? [];
      if (first === undefined) continue;
      const error = new Error(`object "${first.Key}": ${first.Message}`);
      error.name = first.Code ?? error.name;
      throw error;
    }
  }

  /** Lets go of connections. */
  close(): void {
    this.#client.destroy();
  }

  #options(): { readonly abortSignal: AbortSignal } {
    return { abortSignal: this.#signal };
  }
}

function env(name: string): string | undefined {
  const value = Deno.env.get(name);
  return value === "" ? undefined : value;
}

function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("$metadata" in error)) return undefined;
  const { $metadata: metadata } = error;
  if (typeof metadata !== "object" || metadata === null || !("httpStatusCode" in metadata)) {
    return undefined;
  }
  return typeof metadata.httpStatusCode === "number" ? metadata.httpStatusCode : undefined;
}
