/**
 * Dealing rows out to actors: one counting sort of row numbers, no row is copied.
 *
 * @module
 */

import type { Rows } from "../transport/rows.ts";

/**
 * Row numbers by key group, in order within each.
 *
 * @param ends where each group's end is left: one more than there are key groups
 *
 * @example Three rows of two key groups
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { orderByGroup } from "./row_order.ts";
 * const ends = new Int32Array(3);
 * assertEquals(orderByGroup({ groups: [1, 0, 1], length: 3 }, ends), new Uint32Array([1, 0, 2]));
 * assertEquals(ends.subarray(0, 2), new Int32Array([1, 3]));
 * ```
 */
export function orderByGroup(
  { groups, length }: Pick<Rows, "groups" | "length">,
  ends: Int32Array,
): Uint32Array<ArrayBuffer> {
  ends.fill(0);
  for (let row = 0; row < length; row++) add(ends, (groups[row] ?? 0) + 1, 1);
  for (let group = 1; group < ends.length; group++) add(ends, group, ends[group - 1] ?? 0);
  const order = new Uint32Array(length);
  for (let row = 0; row < length; row++) {
    const group = groups[row] ?? 0;
    order[ends[group] ?? 0] = row;
    add(ends, group, 1);
  }
  return order;
}

function add(counts: Int32Array, at: number, amount: number): void {
  counts[at] = (counts[at] ?? 0) + amount;
}
