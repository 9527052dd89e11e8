/**
 * Whether a stream is there, asked before anything is written to it: a name with a typing mistake must not show only
 * when the first row leaves.
 *
 * @module
 */

import type { ConnectorContext } from "../source.ts";
import { Retries } from "./backoff.ts";
import type { KinesisConnection } from "./client.ts";
import { failureClass, kinesisError, nameOf } from "./errors.ts";

/**
 * Asks for a stream. A role that may write and not describe is taken at its word.
 *
 * @throws {Error} if there is no such stream, or somebody has to change something
 */
export async function checkStream(
  stream: string,
  { client, sdk }: KinesisConnection,
  context: ConnectorContext,
): Promise<void> {
  const retries = new Retries(context, { stream });
  while (!context.signal.aborted) {
    try {
      await client.send(new sdk.DescribeStreamSummaryCommand({ StreamName: stream }), {
        abortSignal: context.signal,
      });
      return;
    } catch (error) {
      if (context.signal.aborted || nameOf(error) === "AccessDeniedException") return;
      if (failureClass(error) !== "passing") {
        throw kinesisError(`Cannot write to stream "${stream}"`, error);
      }
      await retries.wait("Asking for a stream fails, trying again", error, context.signal);
    }
  }
}
