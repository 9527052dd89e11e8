/**
 * What a key table is asked for and can't do: each check says what was tried, and what to do instead.
 *
 * @module
 */

import { KEY_TABLE_MEMORY_BYTES_MAX } from "./key_memory.ts";

/** Key groups are told apart up to here; jobs have up to 32,768. */
const GROUPS_MAX = 2 ** 16;

/** Each column has to have `count` rows. */
export function expectRows(
  count: number,
  columns: Readonly<Record<string, ArrayLike<unknown>>>,
): void {
  for (const name in columns) {
    const rows = columns[name]?.length ?? 0;
    if (rows < count) {
      throw new RangeError(
        `Cannot look up ${count} keys as ${name} has ${rows} rows: give as many`,
      );
    }
  }
}

/** A key group, if it is one. */
export function expectGroup(group: number | undefined): number {
  if (group !== undefined && Number.isInteger(group) && group >= 0 && group < GROUPS_MAX) {
    return group;
  }
  throw new RangeError(
    `Cannot keep key group ${group} with a key: give a whole number from 0 to ${GROUPS_MAX - 1}`,
  );
}

/** A slot has no key. */
export function notInUse(action: string, slot: number | undefined): RangeError {
  return new RangeError(
    `Cannot ${action} slot ${slot}: it has no key; ask for slots that were given out and not released`,
  );
}

/** There is no memory left. */
export function noMemory(message: string): RangeError {
  const mebibytes = KEY_TABLE_MEMORY_BYTES_MAX / 2 ** 20;
  return new RangeError(
    `${message}: the key tables of this thread have filled ${mebibytes} MiB; ` +
      "use more workers, or clear the state of keys that are done",
  );
}

/** A key does not fit. */
export function tooLong(bytesMin: number, bytesMax: number): RangeError {
  return new RangeError(
    `Cannot look up a key of ${bytesMin} bytes or more: up to ${bytesMax} are possible; key by something shorter`,
  );
}
