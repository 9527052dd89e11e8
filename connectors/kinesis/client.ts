/**
 * The SDK's Kinesis client as we need it: loaded when first used, HTTP/1.1 with connections kept alive (the default
 * handler opens one per call), our own reading of GetRecords answers, and no retries of its own.
 *
 * @module
 */

import {
  type KinesisClient,
  loadKinesis,
  loadNodeHttpHandler,
  type PutRecordsRequestEntry,
} from "../../deps.ts";
import type { AwsSettings } from "../source.ts";
import { KinesisSetupError, messageOf, nameOf } from "./errors.ts";
import { getRecordsProtocol } from "./get_records_protocol.ts";

export type { KinesisClient, PutRecordsRequestEntry };

/** Connections per client. Each shard has at most one call under way, so this is more than a worker has shards. */
export const SOCKETS_MAX = 1024;
/** Until a connection stands. */
export const CONNECTION_TIMEOUT_MS = 5_000;
/** Until an answer comes; one of 10 MiB takes the service up to a few seconds. */
export const REQUEST_TIMEOUT_MS = 30_000;
/** Calls are tried once by the SDK: the reader and the sink know better what to do next, and log it. */
export const SDK_ATTEMPTS_MAX = 1;

/** Emulators check that a request is signed, and not by whom. */
const EMULATOR_CREDENTIALS = { accessKeyId: "emulator", secretAccessKey: "emulator" };
const EMULATOR_REGION = "us-east-1";
const LOOPBACK = /^https?:\/\/(localhost|127(\.\d+){3}|\[::1\])([:/]|$)/i;

/** The SDK's module, for its commands. */
export type KinesisSdk = Awaited<ReturnType<typeof loadKinesis>>;

/** An open client and the commands to send with it. */
export interface KinesisConnection {
  readonly client: KinesisClient;
  readonly sdk: KinesisSdk;
}

/**
 * Opens a client. Settings that are missing are taken from where the SDK looks for them: environment, profile, role.
 * For an endpoint on this machine, where only emulators listen, region and credentials may be missing altogether.
 *
 * @throws {KinesisSetupError} if no region or no credentials are found, saying what to set
 *
 * @example An emulator's client
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { openKinesis } from "./client.ts";
 * const { client } = await openKinesis({ endpoint: "http://localhost:4567" });
 * assertEquals(await client.config.region(), "us-east-1");
 * client.destroy();
 * ```
 */
export async function openKinesis(aws: AwsSettings): Promise<KinesisConnection> {
  const [sdk, { NodeHttpHandler }, protocol] = await Promise.all([
    loadKinesis(),
    loadNodeHttpHandler(),
    getRecordsProtocol(),
  ]);
  const agent = { keepAlive: true, maxSockets: SOCKETS_MAX };
  const emulated = isEmulator(aws);
  const region = aws.region ?? (emulated && !isSet("AWS_REGION") ? EMULATOR_REGION : undefined);
  const client = new sdk.KinesisClient({
    ...(aws.endpoint === undefined ? {} : { endpoint: aws.endpoint }),
    ...(region === undefined ? {} : { region }),
    ...(emulated && !isSet("AWS_ACCESS_KEY_ID") ? { credentials: EMULATOR_CREDENTIALS } : {}),
    maxAttempts: SDK_ATTEMPTS_MAX,
    protocol,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
      httpAgent: agent,
      httpsAgent: agent,
    }),
  });
  try {
    await settingsOf(client);
  } catch (error) {
    client.destroy();
    throw error;
  }
  return { client, sdk };
}

/** Asks for region and credentials once, so that a missing one is said before the first call, and plainly. */
async function settingsOf(client: KinesisClient): Promise<void> {
  try {
    await client.config.region();
  } catch (error) {
    throw new KinesisSetupError(
      `no AWS region is set (${messageOf(error)}); ` +
        `set AWS_REGION or give the region as an option`,
      { cause: error },
    );
  }
  try {
    await client.config.credentials();
  } catch (error) {
    if (nameOf(error) !== "CredentialsProviderError") throw error;
    throw new KinesisSetupError(
      `no AWS credentials were found (${messageOf(error)}); set AWS_ACCESS_KEY_ID and ` +
        `AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or attach a role`,
      { cause: error },
    );
  }
}

function isEmulator({ endpoint }: AwsSettings): boolean {
  const url = endpoint ?? Deno.env.get("AWS_ENDPOINT_URL_KINESIS") ??
    Deno.env.get("AWS_ENDPOINT_URL");
  return url !== undefined && LOOPBACK.test(url);
}

function isSet(name: string): boolean {
  return (Deno.env.get(name) ?? "") !== "";
}

/**
 * One client for all who use a stream in this thread, closed when the last lets go: shards share its connections
 * and credentials are looked up once.
 */
export class SharedKinesis {
  readonly #open = new Map<string, { users: number; connection: Promise<KinesisConnection> }>();

  /** Takes a share; call `release` once when done. */
  async acquire(
    aws: AwsSettings,
  ): Promise<{ readonly connection: KinesisConnection; readonly release: () => void }> {
    const key = JSON.stringify([aws.endpoint, aws.region]);
    const shared = this.#open.get(key) ?? { users: 0, connection: openKinesis(aws) };
    this.#open.set(key, shared);
    shared.users++;
    let connection: KinesisConnection;
    try {
      connection = await shared.connection;
    } catch (error) {
      // The next to ask tries anew: credentials may have been set since.
      if (this.#open.get(key) === shared) this.#open.delete(key);
      throw error;
    }
    let released = false;
    const release = () => {
      if (released) return;
      released = true;
      if (--shared.users > 0) return;
      if (this.#open.get(key) === shared) this.#open.delete(key);
      connection.client.destroy();
    };
    return { connection, release };
  }
}
