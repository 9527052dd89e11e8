/**
 * A Kinesis in this process, for tests and for trying a job without AWS: kinesalite on a free port of this machine. It
 * knows streams, splits and merges; it forgets everything when closed, and has no throttling and no push consumers.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { loadKinesalite } from "../../deps.ts";
import { type Clock, delay, systemClock } from "../../runtime/clock.ts";
import { type KinesisConnection, openKinesis } from "./client.ts";
import { GetRecordsAnswer } from "./get_records_protocol.ts";

/** Shards over all streams of an embedded Kinesis. */
export const EMBEDDED_SHARDS_MAX = 10_000;
/** How long creating, splitting and merging take. */
export const EMBEDDED_CHANGE_MS = 5;
/** How often a change under way is looked at. */
export const EMBEDDED_POLL_MS = 2;
/** How often until it is given up. */
export const EMBEDDED_POLLS_MAX = 5_000;

/** A running embedded Kinesis. */
export interface EmbeddedKinesis {
  /** For `ConnectorContext.aws` and for other clients. */
  readonly endpoint: string;
  readonly close: () => Promise<void>;
}

/**
 * Starts an embedded Kinesis.
 *
 * @example A stream with two shards
 * ```ts
 * import { openKinesis } from "./client.ts";
 * import { createStream, startEmbeddedKinesis } from "./embedded.ts";
 * const { endpoint, close } = await startEmbeddedKinesis();
 * const connection = await openKinesis({ endpoint });
 * await createStream(connection, "orders", 2);
 * connection.client.destroy();
 * await close();
 * ```
 */
export async function startEmbeddedKinesis(): Promise<EmbeddedKinesis> {
  const { default: kinesalite } = await loadKinesalite();
  const emulator = kinesalite({
    shardLimit: EMBEDDED_SHARDS_MAX,
    createStreamMs: EMBEDDED_CHANGE_MS,
    deleteStreamMs: EMBEDDED_CHANGE_MS,
    updateStreamMs: EMBEDDED_CHANGE_MS,
  });
  // Kinesalite ends the process when a client hangs up during a request.
  emulator.on(
    "request",
    (request: IncomingMessage) => request.removeAllListeners("error").on("error", () => {}),
  );
  const inner = await listen(emulator);
  const connection = await openKinesis({ endpoint: inner });
  const front = createServer((request, response) => {
    answer(emulator, connection, request, response).catch((error) => {
      response.statusCode = 500;
      response.end(JSON.stringify({ __type: "InternalFailureException", message: String(error) }));
    });
  });
  return {
    endpoint: await listen(front),
    close: async () => {
      connection.client.destroy();
      await closed(front);
      await closed(emulator);
    },
  };
}

/** Creates a stream and waits until it can be used. */
export async function createStream(
  connection: KinesisConnection,
  name: string,
  shards: number,
  clock: Clock = systemClock,
): Promise<void> {
  const { client, sdk } = connection;
  await client.send(new sdk.CreateStreamCommand({ StreamName: name, ShardCount: shards }));
  await streamActive(connection, name, clock);
}

/** Waits until a stream's creation, split or merge is done. */
export async function streamActive(
  { client, sdk }: KinesisConnection,
  name: string,
  clock: Clock = systemClock,
): Promise<void> {
  for (let poll = 0; poll < EMBEDDED_POLLS_MAX; poll++) {
    const { StreamDescriptionSummary } = await client.send(
      new sdk.DescribeStreamSummaryCommand({ StreamName: name }),
    );
    if (StreamDescriptionSummary?.StreamStatus === "ACTIVE") return;
    await delay(clock, EMBEDDED_POLL_MS);
  }
  throw new Error(
    `Cannot use stream "${name}": not active after ${EMBEDDED_POLLS_MAX} looks at it`,
  );
}

/**
 * Kinesalite as it is, but for one thing: it never answers a GetShardIterator for a time after which no record was
 * written. So times are resolved here, by reading along the shard.
 */
async function answer(
  emulator: Server,
  connection: KinesisConnection,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!String(request.headers["x-amz-target"]).endsWith(".GetShardIterator")) {
    emulator.emit("request", request, response);
    return;
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const asked: {
    readonly StreamName: string;
    readonly ShardId: string;
    readonly ShardIteratorType: string;
    readonly Timestamp?: number;
  } = JSON.parse(body.toString());
  const timestampMs = Math.round((asked.Timestamp ?? 0) * 1000);
  // A time to come is refused by kinesalite itself.
  if (asked.ShardIteratorType !== "AT_TIMESTAMP" || timestampMs > systemClock.now()) {
    const { headers, method, url } = request;
    emulator.emit(
      "request",
      Object.assign(Readable.from([body]), { headers, method, url }),
      response,
    );
    return;
  }
  const ShardIterator = await iteratorAt(connection, asked.StreamName, asked.ShardId, timestampMs);
  response.setHeader("content-type", "application/x-amz-json-1.1");
  response.end(JSON.stringify({ ShardIterator }));
}

/** An iterator at the first record that arrived at the time or later, or at the tip if there is none. */
async function iteratorAt(
  { client, sdk }: KinesisConnection,
  stream: string,
  shard: string,
  timestampMs: number,
): Promise<string | undefined> {
  const place = { StreamName: stream, ShardId: shard };
  let { ShardIterator: iterator } = await client.send(
    new sdk.GetShardIteratorCommand({ ...place, ShardIteratorType: "TRIM_HORIZON" }),
  );
  for (;;) {
    const page: unknown = await client.send(
      new sdk.GetRecordsCommand({ ShardIterator: iterator }),
    );
    if (!(page instanceof GetRecordsAnswer)) throw new TypeError("Cannot read a page of the shard");
    const row = page.arrivals.findIndex((arrival) => arrival >= timestampMs);
    if (row >= 0) {
      const { ShardIterator } = await client.send(
        new sdk.GetShardIteratorCommand({
          ...place,
          ShardIteratorType: "AT_SEQUENCE_NUMBER",
          StartingSequenceNumber: page.sequenceNumbers[row],
        }),
      );
      return ShardIterator;
    }
    if (page.arrivals.length === 0) return iterator;
    // Undefined only after an empty page, which has returned above.
    iterator = page.nextIterator;
  }
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => resolve());
  });
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new TypeError("Cannot start an embedded Kinesis: the server has no port");
  }
  return `http://127.0.0.1:${address.port}`;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
