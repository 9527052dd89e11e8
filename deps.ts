/**
 * Every third-party package, each with an exact version and what it spares us. Specifiers are inline because import
 * maps do not apply when `mod.ts` is imported from a URL. A package that only some jobs need is loaded when asked for.
 *
 * @module
 */

/** RxJS: the operator vocabulary that jobs are written in; public API only. */
export { Observable, Subject } from "npm:rxjs@7.8.2";
export type { OperatorFunction, Subscriber, Subscription } from "npm:rxjs@7.8.2";

/** AWS SDK, Kinesis client: spares us signing, credentials, endpoints and the service's model. Loaded when used. */
export function loadKinesis(): Promise<typeof import("npm:@aws-sdk/client-kinesis@3.1143.0")> {
  return import("npm:@aws-sdk/client-kinesis@3.1143.0");
}
export type {
  GetRecordsCommandOutput,
  KinesisClient,
  PutRecordsCommandOutput,
  PutRecordsRequestEntry,
  PutRecordsResultEntry,
  Shard as ListedShard,
  ShardFilter,
} from "npm:@aws-sdk/client-kinesis@3.1143.0";

/** AWS SDK, S3 client: signing, credentials, endpoints, retries and the service's model. Loaded when used. */
export function loadS3(): Promise<typeof import("npm:@aws-sdk/client-s3@3.1143.0")> {
  return import("npm:@aws-sdk/client-s3@3.1143.0");
}
export type { S3Client } from "npm:@aws-sdk/client-s3@3.1143.0";

/** AWS SDK, protocols: the public base class for reading GetRecords answers ourselves, errors left to the SDK. */
export function loadAwsProtocols(): Promise<typeof import("npm:@aws-sdk/core@3.981.0/protocols")> {
  return import("npm:@aws-sdk/core@3.981.0/protocols");
}

/** AWS SDK, HTTP/1.1 with keep-alive: the client's default handler opens a connection per call. */
export function loadNodeHttpHandler(): Promise<
  typeof import("npm:@smithy/node-http-handler@4.14.2")
> {
  return import("npm:@smithy/node-http-handler@4.14.2");
}

// Named by a variable, so that whoever imports the library is not made to download it.
const KINESALITE = "npm:kinesalite@3.3.3";

/** An in-process Kinesis for tests and examples: spares us a service of our own to be wrong against. */
export function loadKinesalite(): Promise<{
  readonly default: (options: {
    readonly shardLimit: number;
    readonly createStreamMs: number;
    readonly deleteStreamMs: number;
    readonly updateStreamMs: number;
  }) => import("node:http").Server;
}> {
  return import(KINESALITE);
}
