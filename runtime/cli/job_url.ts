/**
 * Where a job's module is, from what was typed.
 *
 * @module
 */

import { pathToFileURL } from "node:url";
import { UsageError } from "./arguments.ts";

/**
 * The URL of a job given as a path or a URL.
 *
 * @param exists whether a file is there; may throw if that can't be found out
 * @throws {UsageError} if it is a URL that can't be one, or a path where there is no file
 */
export function jobUrl(job: string, exists: (url: URL) => boolean): string {
  if (/^(https?|file|data):/i.test(job)) {
    if (URL.canParse(job)) return new URL(job).href;
    throw new UsageError(
      `Cannot start ${job}: it is no URL; give the path or URL of a module that exports a job`,
    );
  }
  const url = pathToFileURL(job);
  if (isThere(job, url, exists)) return url.href;
  throw new UsageError(
    `Cannot start ${job}: there is no such file; give the path or URL of a module that exports a job`,
  );
}

function isThere(job: string, url: URL, exists: (url: URL) => boolean): boolean {
  try {
    return exists(url);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`Cannot start ${job}: it can't be looked at: ${reason}`, { cause: error });
  }
}
