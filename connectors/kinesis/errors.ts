/**
 * What a failed call to Kinesis means for us. One place decides; the reader and the sink only act on the class, so that
 * both treat the same answer alike.
 *
 * @module
 */

/**
 * - `passing`: throttles, 5xx, network, timeouts: back off and try again from the same place
 * - `expired`: the iterator or the page token is too old: get another one
 * - `invalid`: the service refuses an argument; what that means depends on the call
 * - `missing`: the stream or the shard is not there
 * - `fatal`: somebody has to change something
 */
export type FailureClass = "passing" | "expired" | "invalid" | "missing" | "fatal";

const CLASSES: Readonly<Record<string, FailureClass>> = {
  ProvisionedThroughputExceededException: "passing",
  LimitExceededException: "passing",
  KMSThrottlingException: "passing",
  ThrottlingException: "passing",
  InternalFailureException: "passing",
  InternalFailure: "passing",
  ServiceUnavailable: "passing",
  // The SDK has learnt the service's time from this very answer, so the next call is signed right.
  RequestTimeTooSkewed: "passing",
  RequestExpired: "passing",
  ExpiredIteratorException: "expired",
  ExpiredNextTokenException: "expired",
  InvalidArgumentException: "invalid",
  ValidationException: "invalid",
  ResourceNotFoundException: "missing",
  CredentialsProviderError: "fatal",
  KinesisSetupError: "fatal",
  // A permission that Deno was not given.
  NotCapable: "fatal",
  TypeError: "fatal",
  RangeError: "fatal",
};

const ADVICE: Readonly<Record<string, string>> = {
  AccessDeniedException: "give the role kinesis:ListShards, kinesis:DescribeStreamSummary, " +
    "kinesis:GetShardIterator and kinesis:GetRecords to read, kinesis:PutRecords to write",
  ResourceNotFoundException: "check the stream's name, the region and the account",
  CredentialsProviderError:
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or attach a role",
  UnrecognizedClientException: "check AWS_ACCESS_KEY_ID and that the key is active",
  InvalidSignatureException: "check AWS_SECRET_ACCESS_KEY and the machine's clock",
  ExpiredTokenException: "renew the session's credentials",
  KMSAccessDeniedException: "give the role kms:Decrypt and kms:GenerateDataKey on the stream's key",
  KMSDisabledException: "enable the stream's KMS key",
};

/**
 * The class of a failed call.
 *
 * @example A throttle passes
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { failureClass } from "./errors.ts";
 * const throttle = Object.assign(new Error(), { name: "ProvisionedThroughputExceededException" });
 * assertEquals(failureClass(throttle), "passing");
 * ```
 */
export function failureClass(error: unknown): FailureClass {
  const known = CLASSES[nameOf(error)];
  if (known !== undefined) return known;
  const status = statusOf(error);
  // Without a status no answer came: the network or a timeout. A good status means an answer that could not be read.
  if (status === undefined || status < 400 || status >= 500) return "passing";
  return status === 408 || status === 429 ? "passing" : "fatal";
}

/** Region or credentials are missing: nothing can be asked of the service before somebody sets them. */
export class KinesisSetupError extends Error {
  override readonly name = "KinesisSetupError";
}

/** An error that says what was attempted, on what, what came back, and what to do; the cause is kept. */
export function kinesisError(attempt: string, error: unknown): Error {
  if (error instanceof KinesisSetupError) {
    return new Error(`${attempt}: ${error.message}`, { cause: error });
  }
  const name = nameOf(error);
  const advice = ADVICE[name] ?? "see the cause";
  return new Error(`${attempt}: ${name}: ${messageOf(error)}; ${advice}`, { cause: error });
}

/** The service's name for an error, such as `"ExpiredIteratorException"`. */
export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}

/** The error's text without a full stop at its end. */
export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\.$/, "");
}

function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("$metadata" in error)) return undefined;
  const metadata = error.$metadata;
  if (typeof metadata !== "object" || metadata === null || !("httpStatusCode" in metadata)) {
    return undefined;
  }
  return typeof metadata.httpStatusCode === "number" ? metadata.httpStatusCode : undefined;
}
