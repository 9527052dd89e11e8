/**
 * A store named by a text, as on a command line.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { s3Store } from "./s3_store.ts";
import { sqliteStore } from "./sqlite_store.ts";
import type { CheckpointStore } from "./store.ts";

/**
 * The store that a text names: `s3://bucket/prefix` is in S3; `file:///var/penstock.db`, `file:penstock.db` and a path that
 * ends in `.db`, `.sqlite` or `.sqlite3` are SQLite files, relative ones to the working directory.
 *
 * @throws {TypeError} if it names none
 *
 * @example A path and a URL
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { checkpointStoreOf } from "./checkpoint_store_of.ts";
 * assertEquals(checkpointStoreOf("./orders.db").kind, "sqlite");
 * assertEquals(checkpointStoreOf("s3://jobs/orders").kind, "s3");
 * ```
 */
export function checkpointStoreOf(url: string): CheckpointStore {
  if (url.startsWith("s3:")) return s3Store(url);
  if (url.startsWith("file:")) {
    const path = url.startsWith("file://") ? pathOf(url) : url.slice("file:".length);
    if (path !== "" && !path.endsWith("/")) return sqliteStore(path);
  } else if (!/^[a-z][a-z0-9+.-]+:/i.test(url) && /[^/]\.(?:db|sqlite3?)$/.test(url)) {
    return sqliteStore(url);
  }
  throw new TypeError(
    `Cannot tell which checkpoint store "${url}" is: ` +
      `write a path that ends in .db, file:PATH, or s3://bucket/prefix`,
  );
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch {
    return "";
  }
}
