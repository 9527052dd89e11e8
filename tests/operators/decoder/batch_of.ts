/**
 * Records laid out as a batch: one behind the other, without a byte between them.
 *
 * @module
 */

/** A batch's bytes and where its rows are. */
export interface Batch {
  readonly arena: Uint8Array;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** The batch of these records. */
export function batchOf(records: readonly (string | Uint8Array)[]): Batch {
  const encoder = new TextEncoder();
  const payloads = records
    .map((record) => typeof record === "string" ? encoder.encode(record) : record);
  const starts: number[] = [];
  const ends: number[] = [];
  let end = 0;
  for (const payload of payloads) {
    starts.push(end);
    end += payload.length;
    ends.push(end);
  }
  const arena = new Uint8Array(end);
  for (const [row, payload] of payloads.entries()) arena.set(payload, starts[row]);
  return { arena, starts, ends };
}
