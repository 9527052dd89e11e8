/**
 * Where rows stand that a source makes up, in order and without event time: the position of a row is its number.
 *
 * @module
 */

import type { ShardBatch } from "../../../connectors/source.ts";

/** What a batch of so many rows says of them besides their values. */
export function numberedRows(
  first: number,
  length: number,
): Pick<ShardBatch<never>, "length" | "position" | "positionAt" | "timestampAt"> {
  return {
    length,
    position: String(first + length - 1),
    positionAt: (row) => String(first + row),
    timestampAt: () => -Infinity,
  };
}
