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
 * @param exists whether a file is there
 * @throws {UsageError} if it is a path and there is no such file
 */
export function jobUrl(job: string, exists: (url: URL) => boolean): string {
  if (/^(https?|file|data):/i.test(job)) return new URL(job).href;
  const url = pathToFileURL(job);
  if (exists(url)) return url.href;
  throw new UsageError(`Cannot start ${job}: there is no such file; give the path or URL of a module that exports a job`);
}
