/**
 * ListShards over all its pages.
 *
 * @module
 */

import type { ListedShard, ShardFilter } from "../../deps.ts";
import type { KinesisConnection } from "./client.ts";

/** Pages followed before the listing is taken for endless: a page has up to 1,000 shards, an account 20,000. */
export const LIST_PAGES_MAX = 1000;

/**
 * All shards that the service lists, by the filter if it knows filters.
 *
 * @throws {Error} of the SDK, as it came
 */
export async function listShards(
  { client, sdk }: KinesisConnection,
  { stream, filter, signal }: {
    readonly stream: string;
    readonly filter: ShardFilter | undefined;
    readonly signal: AbortSignal;
  },
): Promise<ListedShard[]> {
  const shards: ListedShard[] = [];
  let token: string | undefined;
  for (let page = 0; page < LIST_PAGES_MAX; page++) {
    // The service refuses a token together with a name or a filter: the token has them.
    const input = token !== undefined
      ? { NextToken: token }
      : { StreamName: stream, ...(filter === undefined ? {} : { ShardFilter: filter }) };
    const answer = await client.send(new sdk.ListShardsCommand(input), { abortSignal: signal });
    shards.push(...answer.Shards ?? []);
    token = answer.NextToken;
    if (token === undefined) return shards;
  }
  throw new RangeError(
    `Cannot list the shards of stream "${stream}": no end after ${LIST_PAGES_MAX} pages`,
  );
}
