/**
 * The generated files are the same everywhere, have the shape that the jobs rely on, and are written once.
 *
 * @module
 */

import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Checksum } from "./checksum.ts";
import { generate, lines } from "./generator.ts";
import type { BookingDetail, InputName } from "./workload.ts";

const RECORDS = 8000;

function checksumOf(name: InputName, seed: number): string {
  const sum = new Checksum();
  let row = 0;
  for (const line of lines(name, RECORDS, seed)) sum.add(`${row++} ${line}`);
  return `${row} ${sum.hex()}`;
}

function bookingDetails(): BookingDetail[] {
  return [...lines("booking", RECORDS, 1)].map((line) => JSON.parse(JSON.parse(line).detail));
}

describe("lines()", () => {
  it("gives the same lines for the same seed, others for another", () => {
    assertEquals(checksumOf("clicks", 1), "8000 0faa28b4ff6b");
    assertEquals(checksumOf("booking", 1), "8000 0f97f4a7e2a6");
    assertNotEquals(checksumOf("clicks", 2), checksumOf("clicks", 1));
    assertNotEquals(checksumOf("booking", 2), checksumOf("booking", 1));
  });

  it("gives clicks of which a tenth buy, out of order by less than 4 s", () => {
    const clicks = [...lines("clicks", RECORDS, 1)].map((line) => JSON.parse(line));
    const buys = clicks.filter((click) => click.action === "buy").length;
    assert(buys > RECORDS * 0.08 && buys < RECORDS * 0.12, `${buys} buy`);
    let newest = 0;
    let late = 0;
    for (const { ts } of clicks) {
      newest = Math.max(newest, ts);
      late = Math.max(late, newest - ts);
    }
    assert(late > 0 && late < 4000, `late by ${late} ms`);
  });

  it("gives bookings with three events each within a tenth of the file, and few without", () => {
    const rows = new Map<
      string,
      { bookings: number; events: number; first: number; last: number }
    >();
    bookingDetails().forEach(({ booking, event }, row) => {
      const id = booking?.bookingId ?? event?.bookingId ?? "";
      const group = rows.get(id) ?? { bookings: 0, events: 0, first: row, last: row };
      rows.set(id, {
        bookings: group.bookings + (booking === undefined ? 0 : 1),
        events: group.events + (event === undefined ? 0 : 1),
        first: group.first,
        last: row,
      });
    });
    const complete = [...rows.values()].filter(({ bookings, events }) =>
      bookings === 1 && events === 3
    );
    const groups = RECORDS / 4;
    assert(complete.length > groups * 0.97 && complete.length < groups, `${complete.length}`);
    assert(complete.every(({ first, last }) => last - first < RECORDS * 0.11));
    assert(complete.some(({ first, last }) => last - first > RECORDS * 0.08));
    assertEquals([...rows.keys()].filter((id) => id.startsWith("n-")).length % 3, 0);
    const orphans = [...rows].filter(([id, { bookings, events }]) =>
      id.startsWith("b-") && bookings === 0 && events === 3
    );
    const lonely = [...rows].filter(([id, { bookings, events }]) =>
      id.startsWith("b-") && bookings === 1 && events === 0
    );
    assert(orphans.length > 0 && lonely.length > 0);
    assertEquals(complete.length + orphans.length + lonely.length, groups);
  });

  it("refuses a number of records that does not make whole groups", () => {
    assertThrows(() => lines("booking", 1001, 1), RangeError, "Cannot generate 1001 records");
  });
});

describe("generate()", () => {
  it("writes files once and extends the expected passes when more are asked for", () => {
    const dataDir = Deno.makeTempDirSync();
    try {
      const told: string[] = [];
      const progress = (what: string) => told.push(what);
      const options = { dataDir, records: 1000, seed: 1, progress };
      const one = generate({ ...options, passes: { passthrough: 1, count: 1, booking: 1 } });
      assertEquals(told.length, 5);
      assertEquals(
        generate({ ...options, passes: { passthrough: 1, count: 1, booking: 1 } }),
        one,
      );
      assertEquals(told.length, 5);
      const two = generate({ ...options, passes: { passthrough: 1, count: 2, booking: 1 } });
      assertEquals(told.slice(5), ["working out the outputs of count, 2 passes"]);
      assertEquals(two.workloads.count.passes[0], one.workloads.count.passes[0]);
      assertEquals(two.workloads.count.passes.length, 2);
      assertEquals(two.workloads.booking, one.workloads.booking);
    } finally {
      Deno.removeSync(dataDir, { recursive: true });
    }
  });
});
