/**
 * The outputs of the jobs, on inputs small enough to work them out by hand.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Checksum } from "./checksum.ts";
import type { LoadedInput } from "./input.ts";
import { reference } from "./reference.ts";

function inputOf(rows: readonly unknown[]): LoadedInput {
  const bytes = new TextEncoder().encode(rows.map((row) => JSON.stringify(row) + "\n").join(""));
  const starts = new Uint32Array(rows.length + 1);
  for (let row = 0; row < rows.length; row++) {
    starts[row + 1] = bytes.indexOf(10, starts[row]) + 1;
  }
  return { bytes, starts, records: rows.length };
}

function sumOf(...lines: string[]): { outputs: number; checksum: string } {
  const sum = new Checksum();
  for (const line of lines) sum.add(line);
  return { outputs: sum.outputs, checksum: sum.hex() };
}

const detail = (content: unknown) => ({ source: "any", detail: JSON.stringify(content) });
const booking = (bookingId: string) =>
  detail({ booking: { bookingId, hotelId: "h", amount: 7, createdAt: 1 } });
const event = (bookingId: string, at: number) =>
  detail({ event: { bookingId, type: "paid", at, amount: 3 } });

describe("reference()", () => {
  it("passes on what was bought", () => {
    const input = inputOf([
      { userId: "u", itemId: "i", action: "buy", value: 1 },
      { userId: "u", itemId: "j", action: "view", value: 2 },
    ]);
    assertEquals(reference("passthrough", input, 2), [
      { passes: 1, records: 2, ...sumOf('{"itemId":"i","value":1}') },
      { passes: 2, records: 4, ...sumOf('{"itemId":"i","value":1}', '{"itemId":"i","value":1}') },
    ]);
  });

  it("counts per user, over passes, and tells of each tenth", () => {
    const input = inputOf(
      ["a", "a", "a", "a", "a", "b"].map((userId) => ({ userId, itemId: "i", action: "view" })),
    );
    const [one, two, , four] = reference("count", input, 4);
    assertEquals(one, { passes: 1, records: 6, ...sumOf() });
    assertEquals(two, { passes: 2, records: 12, ...sumOf('{"userId":"a","count":10}') });
    assertEquals(four, {
      passes: 4,
      records: 24,
      ...sumOf('{"userId":"a","count":10}', '{"userId":"a","count":20}'),
    });
  });

  it("completes a booking with its third event, whichever comes last, and forgets it", () => {
    const output = (bookingId: string, completedAt: number) =>
      `{"bookingId":"${bookingId}","hotelId":"h","amount":7,"events":3,"completedAt":${completedAt}}`;
    const input = inputOf([
      ...[booking("x"), event("x", 5), event("x", 9), event("x", 8)],
      ...[event("y", 3), event("y", 2), event("y", 1), booking("y")],
      ...[booking("lonely"), event("orphan", 1)],
    ]);
    const [one, two] = reference("booking", input, 2);
    assertEquals(one, { passes: 1, records: 10, ...sumOf(output("x", 9), output("y", 3)) });
    assertEquals(two?.outputs, 4);
  });
});
